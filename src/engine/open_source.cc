#include "engine/open_source.h"

#include <algorithm>

#include "base/strings.h"
#include "codec/sha256.h"
#include "engine/fetch_npm.h"
#include "engine/fetch_url.h"
#include "fs/file.h"
#include "store/bundle_signature.h"

namespace stravinsky::engine {
namespace {

// An archive, and the signature that came with it.
struct Fetched {
  std::string bytes;
  std::optional<std::string> signature{};
};

Error usage(std::string message, std::string remedy) {
  return make_error(ErrorCode::kUsage, std::move(message))
      .with_untouched("Nothing was changed.")
      .with_remedy(std::move(remedy));
}

Error unsigned_error(const std::string& source, std::string why) {
  return make_error(ErrorCode::kChecksRefused, std::move(why), source)
      .with_untouched("Nothing was changed.")
      .with_remedy(
          "update.require_signature demands a signature by a key of "
          "update.trusted_keys; ask the author for it.");
}

class SourceOpener {
 public:
  SourceOpener(Session& session, const SourceRequest& request)
      : session_(session), request_(request) {}

  Result<store::Bundle> run() {
    RETURN_IF_ERROR(read_request());
    const std::string& source = request_.source;
    if (!is_remote(source)) {
      ASSIGN_OR_RETURN(const bool is_directory, this->is_directory());
      if (is_directory) return open_directory();
    }
    ASSIGN_OR_RETURN(const Fetched fetched, fetch());
    if (sha256_ && !is_url(source)) RETURN_IF_ERROR(check_hash(fetched.bytes));
    RETURN_IF_ERROR(check_signature(fetched));
    return store::Bundle::open_archive(fetched.bytes, shown(), options_);
  }

 private:
  std::string shown() const {
    return is_url(request_.source) ? shown_url(request_.source) : request_.source;
  }

  Status read_request() {
    options_.subdir = request_.subdir;
    options_.sources = request_.sources;
    if (const store::Root* root = session_.roots().of(request_.scope))
      options_.root_in_commands = root->path;
    if (request_.sha256) {
      sha256_ = codec::Digest::from_hex(*request_.sha256);
      if (!sha256_)
        return usage("--sha256 is not a hash", "Give 64 hexadecimal digits, in lower case.");
    }
    const bool has_other_scheme = request_.source.find("://") != std::string::npos &&
                                  !request_.source.starts_with('/') && !is_url(request_.source) &&
                                  !is_npm(request_.source);
    if (has_other_scheme)
      return usage("there is no way to fetch from such an address",
                   "Give https://..., npm:NAME or a path.");
    return {};
  }

  Result<bool> is_directory() const {
    const auto dir = fs::File::open_root(session_.fs(), request_.source);
    if (dir) return true;
    if (dir.error().code == ErrorCode::kWrongType) return false;
    return Error(dir.error())
        .with_context("while reading the bundle " + escape(request_.source))
        .with_untouched("Nothing was changed.");
  }

  Result<store::Bundle> open_directory() const {
    if (sha256_)
      return usage("--sha256 is for archives; this is a directory", "Leave --sha256 out.");
    if (requires_signature())
      return unsigned_error(escape(request_.source), "a directory has no signature");
    return store::Bundle::open(session_.fs(), request_.source, options_);
  }

  bool requires_signature() const { return session_.config().boolean("update.require_signature"); }
  std::vector<std::string> trusted_keys() const {
    return session_.config().list("update.trusted_keys");
  }

  bool trusts(const codec::Ed25519PublicKey& key) const {
    const auto keys = trusted_keys();
    return std::ranges::find(keys, key.text()) != keys.end();
  }

  Result<Fetched> fetch() {
    const std::string& source = request_.source;
    const uint64_t limit = options_.limits.archive_max_bytes;
    Fetched fetched;
    if (is_npm(source)) {
      ASSIGN_OR_RETURN(const NpmPackage package, NpmPackage::parse(source));
      options_.version = package.exact_version();
      options_.first = store::FirstMetadata::kPackage;
      // Known to be refused: not worth the way.
      if (requires_signature())
        return unsigned_error(escape(source), "an npm package has no signature of ours");
      ASSIGN_OR_RETURN(fetched.bytes, fetch_npm(session_, package, limit));
    } else if (is_url(source)) {
      ASSIGN_OR_RETURN(
          fetched.bytes,
          fetch_url(session_, {.url = source, .sha256 = sha256_, .size_max_bytes = limit}));
      ASSIGN_OR_RETURN(fetched.signature, fetch_signature());
    } else {
      ASSIGN_OR_RETURN(fetched.bytes,
                       store::read_archive_file(session_.fs(), source, options_.limits));
      ASSIGN_OR_RETURN(fetched.signature, read_signature());
    }
    return fetched;
  }

  // Nobody asks for a signature that nobody could judge.
  Result<std::optional<std::string>> fetch_signature() {
    if (!requires_signature() && trusted_keys().empty()) return std::nullopt;
    const std::string& source = request_.source;
    const size_t end = std::min(source.find_first_of("?#"), source.size());
    const std::string url =
        source.substr(0, end) + std::string(store::kSignatureEnding) + source.substr(end);
    auto bytes = fetch_url(session_, {.url = url, .size_max_bytes = store::kSignatureMaxBytes});
    if (!bytes && is_not_found(bytes.error())) return std::nullopt;
    if (!bytes) return std::move(bytes).error();
    return std::move(*bytes);
  }

  Result<std::optional<std::string>> read_signature() {
    auto bytes = store::read_archive_file(session_.fs(),
                                          request_.source + std::string(store::kSignatureEnding),
                                          {.archive_max_bytes = store::kSignatureMaxBytes});
    if (!bytes && is_not_found(bytes.error())) return std::nullopt;
    if (!bytes) return std::move(bytes).error();
    return std::move(*bytes);
  }

  Status check_hash(const std::string& bytes) const {
    const codec::Digest found = codec::sha256(bytes);
    if (found == *sha256_) return {};
    return make_error(ErrorCode::kCorrupt,
                      "the file is not what --sha256 says: its hash is " + found.hex(),
                      escape(request_.source))
        .with_untouched("Nothing was changed.")
        .with_remedy("Get the file again; if that does not help, ask whoever gave you the hash.");
  }

  Status check_signature(const Fetched& fetched) const {
    if (!fetched.signature) {
      if (!requires_signature()) return {};
      return unsigned_error(escape(shown()), "the bundle has no signature");
    }
    ASSIGN_OR_RETURN_WHILE(const codec::Ed25519PublicKey key,
                           store::check_signature(fetched.bytes, *fetched.signature),
                           "while checking " + escape(shown()));
    if (!requires_signature() || trusts(key)) return {};
    return unsigned_error(escape(shown()),
                          "the bundle is signed with a key that is not trusted: " + key.text());
  }

  Session& session_;
  const SourceRequest& request_;
  store::BundleOptions options_;
  std::optional<codec::Digest> sha256_;
};

}  // namespace

bool is_remote(std::string_view source) {
  return is_npm(source) || source.find("://") != std::string_view::npos;
}

Result<store::Bundle> open_source(Session& session, const SourceRequest& request) {
  return SourceOpener(session, request).run();
}

}  // namespace stravinsky::engine
