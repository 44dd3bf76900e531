// system_downloader of base/downloader.h.
#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#include <dlfcn.h>

#include <array>
#include <charconv>
#include <memory>
#include <string_view>

#include "base/downloader.h"

namespace stravinsky {
namespace {

// Those of libcurl's functions that are used. Loaded once and never unloaded.
struct Curl {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;

  // nullptr when libcurl is not installed.
  static const Curl* loaded() {
    static const std::unique_ptr<const Curl> curl = load();
    return curl.get();
  }

 private:
  static std::unique_ptr<const Curl> load() {
    void* library = nullptr;
    for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"})
      if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    auto curl = std::make_unique<Curl>();
    bool is_whole = true;
    const auto find = [&](auto& function, const char* name) {
      void* found = dlsym(library, name);
      is_whole = is_whole && found != nullptr;
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
    };
    find(curl->global_init, "curl_global_init");
    find(curl->easy_init, "curl_easy_init");
    find(curl->easy_cleanup, "curl_easy_cleanup");
    find(curl->easy_setopt, "curl_easy_setopt");
    find(curl->easy_perform, "curl_easy_perform");
    find(curl->easy_getinfo, "curl_easy_getinfo");
    find(curl->easy_strerror, "curl_easy_strerror");
    find(curl->slist_append, "curl_slist_append");
    find(curl->slist_free_all, "curl_slist_free_all");
    if (!is_whole || curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return nullptr;
    return curl;
  }
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && text.find_last_of(" \t\r\n") == text.size() - 1) text.remove_suffix(1);
  return text;
}

// The value of a header line of this name; empty for every other line.
std::string_view header_value(std::string_view line, std::string_view lower_name) {
  if (line.size() <= lower_name.size() || line[lower_name.size()] != ':') return {};
  for (size_t i = 0; i < lower_name.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower_name[i]) return {};
  }
  return trim(line.substr(lower_name.size() + 1));
}

// What comes in, while it does.
struct Incoming {
  const DownloadRequest& request;
  DownloadResponse response{};
  std::string etag{};
  std::string modified{};
  bool is_too_large = false;

  void on_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // of a new answer: after a 100, or a proxy's
      etag.clear();
      modified.clear();
      response.body_from = 0;
      return;
    }
    // A weak tag may stand for content that is not the same byte for byte.
    if (const auto value = header_value(line, "etag"); value.starts_with('"')) etag = value;
    if (const auto value = header_value(line, "last-modified"); !value.empty()) modified = value;
    if (const auto value = header_value(line, "content-range"); value.starts_with("bytes ")) {
      const std::string_view from = value.substr(6);
      std::from_chars(from.data(), from.data() + from.size(), response.body_from);
    }
  }

  bool on_body(std::string_view piece) {
    is_too_large = response.body.size() + piece.size() > request.body_max_bytes;
    if (!is_too_large) response.body += piece;
    return !is_too_large;
  }
};

// The signatures are libcurl's.
size_t write_header(char* data, size_t size, size_t count, void* incoming) {
  static_cast<Incoming*>(incoming)->on_header({data, size * count});
  return size * count;
}
size_t write_body(char* data, size_t size, size_t count, void* incoming) {
  return static_cast<Incoming*>(incoming)->on_body({data, size * count}) ? size * count : 0;
}
int on_progress(void* incoming, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/,
                curl_off_t /*up_now*/) {
  return static_cast<Incoming*>(incoming)->request.interrupted() ? 1 : 0;
}

class CurlDownloader final : public Downloader {
 public:
  Result<DownloadResponse> get(const DownloadRequest& request) override {
    const Curl* curl = Curl::loaded();
    if (curl == nullptr)
      return make_error(ErrorCode::kUnsupported, "libcurl is not installed")
          .with_untouched("Nothing was changed.")
          .with_remedy("Install it (Debian: libcurl4), or download the file and give its path.");
    const std::unique_ptr<CURL, decltype(curl->easy_cleanup)> handle(curl->easy_init(),
                                                                     curl->easy_cleanup);
    if (!handle) return make_error(ErrorCode::kIo, "out of memory");
    Incoming incoming{request};
    std::unique_ptr<curl_slist, decltype(curl->slist_free_all)> headers(nullptr,
                                                                        curl->slist_free_all);
    const bool resumes = request.from_byte > 0 && !request.validator.empty();
    if (resumes)
      headers.reset(curl->slist_append(nullptr, ("If-Range: " + request.validator).c_str()));
    const auto set = [&](CURLoption option, auto value) {
      (void)curl->easy_setopt(handle.get(), option, value);
    };
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTPS | CURLPROTO_HTTP));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "stravinsky");
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_timeout_seconds));
    set(CURLOPT_WRITEFUNCTION, write_body);
    set(CURLOPT_WRITEDATA, &incoming);
    set(CURLOPT_HEADERFUNCTION, write_header);
    set(CURLOPT_HEADERDATA, &incoming);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, on_progress);
    set(CURLOPT_XFERINFODATA, &incoming);
    const std::string range = std::to_string(request.from_byte) + "-";
    if (resumes) {
      set(CURLOPT_RANGE, range.c_str());
      set(CURLOPT_HTTPHEADER, headers.get());
    }
    if (!request.ca_file.empty()) set(CURLOPT_CAINFO, request.ca_file.c_str());
    const CURLcode code = curl->easy_perform(handle.get());

    long status = 0;
    const char* redirect = nullptr;
    (void)curl->easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    (void)curl->easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &redirect);
    DownloadResponse& response = incoming.response;
    response.status = static_cast<int>(status);
    if (redirect != nullptr) response.redirect_to = redirect;
    response.validator = incoming.etag.empty() ? incoming.modified : incoming.etag;
    switch (code) {
      case CURLE_OK:
        return std::move(response);
      case CURLE_PARTIAL_FILE:
      case CURLE_RECV_ERROR:
      case CURLE_GOT_NOTHING:
      case CURLE_HTTP2:
      case CURLE_HTTP2_STREAM:
        response.transfer = Transfer::kBroken;
        return std::move(response);
      case CURLE_OPERATION_TIMEDOUT:
        response.transfer = Transfer::kStalled;
        return std::move(response);
      case CURLE_ABORTED_BY_CALLBACK:
        return make_error(ErrorCode::kInterrupted, "interrupted");
      case CURLE_WRITE_ERROR:
        if (incoming.is_too_large)
          return make_error(ErrorCode::kUsage, "it is larger than is allowed");
        break;
      default:
        break;
    }
    return make_error(ErrorCode::kIo, curl->easy_strerror(code));
  }
};

}  // namespace

Downloader& system_downloader() {
  static CurlDownloader downloader;
  return downloader;
}

}  // namespace stravinsky
