// fetch_url: the bytes behind an https:// address, or nothing.
//
//   http:// only to this very machine, which proxies and tests are
//   redirects  at most kRedirectsMax, https to https, and to another host only when the
//              caller knows the hash of what must come
//   a transfer that breaks off is taken up where it ended, if the server can tell that
//   the content is still the same; else it begins anew; kAttemptsMax times in all
// A server that hangs is given up after update.download_timeout_seconds. Addresses are
// shown without their query, which may hold a token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "codec/sha256.h"
#include "engine/session.h"

namespace stravinsky::engine {

inline constexpr int kRedirectsMax = 5;
inline constexpr int kAttemptsMax = 4;

struct UrlRequest {
  std::string url;
  std::optional<codec::Digest> sha256{};  // of what must come
  uint64_t size_max_bytes = 0;
};

// kUsage for an address that is refused or content over the limit; kNotFound for 404
// and 410; kCorrupt when the hash is another; kIo for every other failure.
Result<std::string> fetch_url(Session& session, const UrlRequest& request);

// An http:// or https:// address, whatever the case.
bool is_url(std::string_view source);
// Without what may be secret.
std::string shown_url(std::string_view url);

}  // namespace stravinsky::engine
