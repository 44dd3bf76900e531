// FakeDownloader: scripted answers in place of servers, and a list of what was asked
// for. A URL without an answer cannot be reached (kIo).
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "base/downloader.h"

namespace stravinsky::testing {

class FakeDownloader final : public Downloader {
 public:
  // The next answer for this URL; the last one is repeated.
  void answer(const std::string& url, DownloadResponse response) {
    answers_[url].push_back(std::move(response));
  }

  Result<DownloadResponse> get(const DownloadRequest& request) override {
    requests.push_back(request);
    const auto found = answers_.find(request.url);
    if (found == answers_.end()) return make_error(ErrorCode::kIo, "could not resolve host");
    DownloadResponse response = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    if (response.body.size() > request.body_max_bytes)
      return make_error(ErrorCode::kUsage, "it is larger than is allowed");
    return response;
  }

  std::vector<DownloadRequest> requests;

 private:
  std::map<std::string, std::deque<DownloadResponse>> answers_;
};

}  // namespace stravinsky::testing
