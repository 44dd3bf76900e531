// Downloader: the only way to the network, one GET at a time.
//
// It follows no redirect, sends no credentials, and takes up a transfer that broke off
// where it is asked to. What is done with an answer is its caller's affair. Proxies are
// those of the usual variables (https_proxy, NO_PROXY, ...).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"

namespace stravinsky {

struct DownloadRequest {
  std::string url;  // https://, or http://; with neither user nor fragment
  // Take up the transfer here, if the content is still the one that the validator names.
  uint64_t from_byte = 0;
  std::string validator;
  uint64_t body_max_bytes = 0;
  int64_t connect_timeout_ms = 10'000;
  // Given up when less than a byte a second comes for so long.
  int64_t stall_timeout_seconds = 30;
  std::string ca_file;  // instead of the system's; empty: the system's
  std::function<bool()> interrupted = [] { return false; };
};

enum class Transfer {
  kComplete,
  kBroken,   // the connection ended before the content did
  kStalled,  // nothing came any more
};

struct DownloadResponse {
  int status = 0;  // of HTTP; 0 when no answer came
  std::string body{};
  uint64_t body_from = 0;     // where in the content the body begins
  std::string redirect_to{};  // absolute; of a 3xx
  std::string validator{};    // a strong ETag or a date; empty when there is none
  Transfer transfer = Transfer::kComplete;
};

class Downloader {
 public:
  virtual ~Downloader() = default;
  // kIo when the server cannot be reached or its certificate is not trusted; kUsage
  // for a body over the limit; kInterrupted; kUnsupported when there is no means here.
  virtual Result<DownloadResponse> get(const DownloadRequest& request) = 0;
};

// By libcurl, which is loaded at the first get(): it brings some forty shared objects
// along, and most runs of the program need none of them.
Downloader& system_downloader();

}  // namespace stravinsky
