#include "engine/fetch_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace stravinsky::engine {
namespace {

// What of an address decides whether it may be asked.
struct Address {
  std::string scheme;
  std::string host;  // lower case, "[::1]" with its brackets
  std::string port;

  bool is_same_host(const Address& other) const { return host == other.host && port == other.port; }
  bool is_this_machine() const {
    return host == "localhost" || host == "[::1]" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
  }
};

std::string lower(std::string_view text) {
  std::string folded(text);
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return folded;
}

Error refuse(std::string_view url, std::string rule) {
  return make_error(ErrorCode::kUsage, std::move(rule), shown_url(url))
      .with_untouched("Nothing was changed.")
      .with_remedy("Give the address of an archive: https://HOST/PATH");
}

// Stricter than addresses need to be, so that libcurl cannot read another host out of
// one than this does.
Result<Address> parse_address(std::string_view url) {
  constexpr std::string_view kNever = " \"<>\\^`{|}";
  for (const char c : url)
    if (c <= ' ' || c >= 0x7f || kNever.find(c) != std::string_view::npos)
      return refuse(url, "the address holds a character that must be written as %XX");
  const size_t colon = url.find("://");
  Address address{.scheme = lower(url.substr(0, colon)), .host = {}, .port = {}};
  const std::string_view rest = url.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return refuse(url, "the address holds a user name or a password");
  const size_t bracket = authority.rfind(']');
  const size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  address.host = lower(authority.substr(0, port));
  address.port = address.scheme == "https" ? "443" : "80";
  if (port != std::string_view::npos) address.port = authority.substr(port + 1);
  const bool is_number = !address.port.empty() && address.port.size() <= 5 &&
                         address.port.find_first_not_of("0123456789") == std::string::npos;
  const bool is_name = !address.host.empty() &&
                       address.host.find_first_not_of(
                           address.host.starts_with('[')
                               ? "[]0123456789abcdef:."
                               : "0123456789abcdefghijklmnopqrstuvwxyz.-_") == std::string::npos;
  if (!is_number || !is_name) return refuse(url, "the address has no proper host");
  if (address.scheme == "http" && !address.is_this_machine())
    return refuse(url, "http:// is not protected against others on the way");
  return address;
}

class UrlFetch {
 public:
  UrlFetch(Session& session, const UrlRequest& request)
      : session_(session), request_(request), url_(request.url.substr(0, request.url.find('#'))) {}

  Result<std::string> run() {
    ASSIGN_OR_RETURN(address_, parse_address(url_));
    int attempts = 0;
    int redirects = 0;
    while (true) {
      ASSIGN_OR_RETURN(DownloadResponse response, get());
      if (response.status >= 300 && response.status < 400 && !response.redirect_to.empty()) {
        if (++redirects > kRedirectsMax)
          return failure(
              fmt::format("it leads on to other addresses more than {} times", kRedirectsMax));
        RETURN_IF_ERROR(follow(response.redirect_to));
        continue;
      }
      if (response.status == 404 || response.status == 410)
        return make_error(ErrorCode::kNotFound,
                          fmt::format("the server has no such file ({})", response.status),
                          shown_url(url_))
            .with_untouched("Nothing was changed.")
            .with_remedy("Look at the address again.");
      const bool is_content = response.status == 200 || response.status == 206;
      if (response.status != 0 && !is_content)
        return failure(fmt::format("the server answered {}", response.status));
      if (is_content) take(response);
      if (is_complete_) break;
      if (response.transfer == Transfer::kStalled)
        return failure(fmt::format("nothing came for {} seconds", stall_seconds()));
      if (++attempts == kAttemptsMax)
        return failure(fmt::format("the transfer ended early, after {}, {} times",
                                   human_size(content_.size()), kAttemptsMax));
    }
    if (request_.sha256 && codec::sha256(content_) != *request_.sha256)
      return make_error(ErrorCode::kCorrupt,
                        "what came is not what --sha256 says: its hash is " +
                            codec::sha256(content_).hex(),
                        shown_url(url_))
          .with_untouched("Nothing was changed.")
          .with_remedy("Ask whoever gave you the hash; do not install this file.");
    return std::move(content_);
  }

 private:
  int64_t stall_seconds() const {
    return session_.config().integer("update.download_timeout_seconds");
  }

  Error failure(std::string why) const {
    return make_error(ErrorCode::kIo, std::move(why), shown_url(url_))
        .with_untouched("Nothing was changed.")
        .with_remedy("Try again later, or download the file and give its path.");
  }

  Result<DownloadResponse> get() {
    const Environment& environment = session_.environment();
    DownloadRequest request;
    request.url = url_;
    if (!validator_.empty()) {
      request.from_byte = content_.size();
      request.validator = validator_;
    } else {
      content_.clear();
    }
    request.body_max_bytes = request_.size_max_bytes - content_.size();
    request.stall_timeout_seconds = stall_seconds();
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
      if (const auto file = environment.variable(name); request.ca_file.empty() && file)
        request.ca_file = *file;
    request.interrupted = environment.interrupted;
    auto response = environment.downloads.get(request);
    if (response) return response;
    Error error = std::move(response).error();
    if (error.code == ErrorCode::kUsage)
      return refuse(url_, fmt::format("it is larger than {}", human_size(request_.size_max_bytes)));
    if (error.code == ErrorCode::kIo) return failure("cannot be fetched: " + error.message);
    error.path = shown_url(url_);
    return error;
  }

  void take(const DownloadResponse& response) {
    const bool continues = response.status == 206 && response.body_from == content_.size();
    if (response.status == 206 && !continues) {  // of something else: begin anew
      validator_.clear();
      return;
    }
    if (!continues) content_.clear();
    content_ += response.body;
    validator_ = response.validator;
    is_complete_ = response.transfer == Transfer::kComplete;
  }

  Status follow(const std::string& to) {
    if (!is_url(to)) return failure("it leads on to what is no https:// address");
    ASSIGN_OR_RETURN(const Address next, parse_address(to));
    if (next.scheme != address_.scheme && next.scheme != "https")
      return failure("it leads on from https:// to http://");
    if (!next.is_same_host(address_) && !request_.sha256)
      return make_error(ErrorCode::kUsage,
                        fmt::format("it leads on to another host, {}", escape(next.host)),
                        shown_url(url_))
          .with_untouched("Nothing was changed.")
          .with_remedy("Give the hash of the file: --sha256 HEX, or the other address itself.");
    url_ = to.substr(0, to.find('#'));
    address_ = next;
    content_.clear();
    validator_.clear();
    return {};
  }

  Session& session_;
  const UrlRequest& request_;
  std::string url_;
  Address address_;
  std::string content_;
  std::string validator_;
  bool is_complete_ = false;
};

}  // namespace

bool is_url(std::string_view source) {
  const std::string scheme = lower(source.substr(0, source.find("://")));
  return source.find("://") != std::string_view::npos && (scheme == "https" || scheme == "http");
}

std::string shown_url(std::string_view url) {
  std::string_view shown = url.substr(0, url.find_first_of("?#"));
  const size_t begin = shown.find("://");
  const size_t end = shown.find('/', begin == std::string_view::npos ? 0 : begin + 3);
  const size_t user = shown.substr(0, end).rfind('@');
  if (begin == std::string_view::npos || user == std::string_view::npos) return escape(shown);
  return escape(std::string(shown.substr(0, begin + 3)) + "..." + std::string(shown.substr(user)));
}

Result<std::string> fetch_url(Session& session, const UrlRequest& request) {
  return UrlFetch(session, request).run();
}

}  // namespace stravinsky::engine
