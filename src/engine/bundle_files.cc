#include "engine/bundle_files.h"

#include <algorithm>

#include "base/strings.h"
#include "fs/file.h"
#include "fs/new_file.h"
#include "store/bundle.h"
#include "store/bundle_pack.h"
#include "store/bundle_signature.h"

namespace stravinsky::engine {
namespace {

using fs::RelPath;

constexpr uint32_t kPublicMode = 0644;
constexpr uint32_t kPrivateMode = 0600;
constexpr size_t kKeyMaxBytes = 4096;

Result<std::string> read_small(fs::FileSystem& fs, const std::string& absolute, size_t max_bytes) {
  return store::read_archive_file(fs, absolute, {.archive_max_bytes = max_bytes});
}

Status write(const Environment& environment, const std::string& file, std::string_view bytes,
             uint32_t mode, Writing writing) {
  if (writing == Writing::kDo) return fs::write_new_file(environment.fs, file, bytes, mode);
  return fs::check_new_file(environment.fs, file);
}

Status check_name(const std::string& file) {
  if (file.ends_with(".tar.gz") || file.ends_with(".tgz")) return {};
  return make_error(ErrorCode::kUsage, "a bundle is a .tar.gz, and this is another name",
                    escape(file))
      .with_untouched("Nothing was written.")
      .with_remedy("Give a name that ends in .tgz or .tar.gz.");
}

bool is_same(const store::Bundle& a, const store::Bundle& b) {
  constexpr uint32_t kExecBits = 0111;
  return std::ranges::equal(
      a.files(), b.files(), [](const store::BundleFile& x, const store::BundleFile& y) {
        return x.path == y.path && x.sha256 == y.sha256 && ((x.mode ^ y.mode) & kExecBits) == 0;
      });
}

}  // namespace

Result<PackedBundle> create_bundle(const Environment& environment, const std::string& source,
                                   const std::optional<std::string>& subdir,
                                   const std::string& file, Writing writing) {
  RETURN_IF_ERROR(check_name(file));
  ASSIGN_OR_RETURN(const store::Bundle bundle,
                   store::Bundle::open(environment.fs, source,
                                       {.subdir = subdir, .sources = store::Sources::kKeep}));
  ASSIGN_OR_RETURN(const std::string bytes, store::pack_bundle(bundle));
  ASSIGN_OR_RETURN_WHILE(const store::Bundle again, store::Bundle::open_archive(bytes, file),
                         "while reading back what was packed");
  if (!is_same(bundle, again))
    return make_error(ErrorCode::kConflict, "what was packed does not open as the same tree",
                      escape(source))
        .with_untouched("Nothing was written.")
        .with_remedy("Pack the directory of the tree by itself: --subdir DIR");
  RETURN_IF_ERROR(write(environment, file, bytes, kPublicMode, writing));
  return PackedBundle{.size_bytes = bytes.size(),
                      .sha256 = codec::sha256(bytes),
                      .files_count = bundle.files().size(),
                      .warnings = bundle.warnings()};
}

Result<codec::Ed25519PublicKey> make_key(const Environment& environment, const std::string& file) {
  std::array<std::byte, 32> seed{};
  environment.random.fill(seed);
  const codec::Ed25519PrivateKey key(seed);
  const codec::Ed25519PublicKey public_key = key.public_key();
  RETURN_IF_ERROR(
      fs::write_new_file(environment.fs, file + ".pub", public_key.text() + "\n", kPublicMode));
  RETURN_IF_ERROR(fs::write_new_file(environment.fs, file, key.pem(), kPrivateMode));
  return public_key;
}

Status may_make_key(const Environment& environment, const std::string& file) {
  RETURN_IF_ERROR(fs::check_new_file(environment.fs, file + ".pub"));
  return fs::check_new_file(environment.fs, file);
}

Result<codec::Ed25519PublicKey> sign_bundle(const Environment& environment,
                                            const std::string& bundle, const std::string& key_file,
                                            Writing writing) {
  ASSIGN_OR_RETURN(const std::string pem, read_small(environment.fs, key_file, kKeyMaxBytes));
  auto key = codec::Ed25519PrivateKey::parse_pem(pem);
  if (!key) {
    Error error = std::move(key).error();
    error.path = escape(key_file);
    return std::move(error)
        .with_untouched("Nothing was written.")
        .with_remedy("Make one with: stravinsky bundle keygen -o FILE");
  }
  ASSIGN_OR_RETURN(const std::string bytes,
                   store::read_archive_file(environment.fs, bundle, store::BundleLimits()));
  RETURN_IF_ERROR(write(environment, bundle + std::string(store::kSignatureEnding),
                        store::make_signature(bytes, *key), kPublicMode, writing));
  return key->public_key();
}

Result<codec::Ed25519PublicKey> verify_bundle(const Environment& environment,
                                              const std::string& bundle,
                                              const std::vector<std::string>& trusted) {
  ASSIGN_OR_RETURN(const std::string bytes,
                   store::read_archive_file(environment.fs, bundle, store::BundleLimits()));
  const std::string name = bundle + std::string(store::kSignatureEnding);
  const auto signature = read_small(environment.fs, name, store::kSignatureMaxBytes);
  if (!signature && is_not_found(signature.error()))
    return make_error(ErrorCode::kNotFound, "the bundle has no signature", escape(name))
        .with_remedy("Sign it with: stravinsky bundle sign FILE --key KEY");
  if (!signature) return signature.error();
  ASSIGN_OR_RETURN_WHILE(const codec::Ed25519PublicKey key,
                         store::check_signature(bytes, *signature),
                         "while checking " + escape(bundle));
  if (std::ranges::find(trusted, key.text()) != trusted.end()) return key;
  return make_error(ErrorCode::kChecksRefused,
                    "it is signed with a key that is not trusted: " + key.text(), escape(bundle))
      .with_remedy("If you know whose key this is, add it to update.trusted_keys.");
}

Result<std::string> read_public_key(const Environment& environment, const std::string& text,
                                    const std::string& absolute) {
  if (codec::Ed25519PublicKey::parse(text)) return text;
  ASSIGN_OR_RETURN(std::string held, read_small(environment.fs, absolute, kKeyMaxBytes));
  while (held.ends_with('\n') || held.ends_with('\r')) held.pop_back();
  if (codec::Ed25519PublicKey::parse(held)) return held;
  return make_error(ErrorCode::kUsage, "holds no public key", escape(absolute))
      .with_remedy("Give ed25519:<64 hexadecimal digits>, or the .pub file of a key.");
}

}  // namespace stravinsky::engine
