#include "codec/ed25519.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::codec {
namespace {

constexpr std::string_view kTextPrefix = "ed25519:";

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

Key private_key(const std::array<std::byte, 32>& seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed.data()), seed.size()),
          EVP_PKEY_free);
  CHECK(key != nullptr);
  return key;
}

Context new_context() {
  Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  CHECK(context != nullptr);
  return context;
}

// OpenSSL asks for passwords on the terminal unless it is given one.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

}  // namespace

std::string Ed25519PublicKey::text() const {
  return std::string(kTextPrefix) + to_hex(bytes);
}

std::optional<Ed25519PublicKey> Ed25519PublicKey::parse(std::string_view text) {
  if (!text.starts_with(kTextPrefix)) return std::nullopt;
  const auto decoded = from_hex(text.substr(kTextPrefix.size()));
  Ed25519PublicKey key;
  if (!decoded || decoded->size() != key.bytes.size()) return std::nullopt;
  std::ranges::copy(*decoded, key.bytes.begin());
  return key;
}

bool Ed25519PublicKey::verifies(std::span<const std::byte> message,
                                const Ed25519Signature& signature) const {
  const Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(bytes.data()), bytes.size()),
      EVP_PKEY_free);
  if (!key) return false;
  const Context context = new_context();
  const bool is_good =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), raw(signature.data()), signature.size(), raw(message.data()),
                       message.size()) == 1;
  ERR_clear_error();
  return is_good;
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::parse_pem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  CHECK(bio != nullptr);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
  std::array<std::byte, 32> seed{};
  size_t size = seed.size();
  const bool is_good = key && EVP_PKEY_base_id(key.get()) == EVP_PKEY_ED25519 &&
                       EVP_PKEY_get_raw_private_key(key.get(), raw(seed.data()), &size) == 1 &&
                       size == seed.size();
  ERR_clear_error();
  if (!is_good)
    return make_error(ErrorCode::kUsage, "not an Ed25519 private key in PEM without a password");
  return Ed25519PrivateKey(seed);
}

std::string Ed25519PrivateKey::pem() const {
  const Key key = private_key(seed_);
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  CHECK(bio != nullptr);
  CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  CHECK(size > 0);
  return {data, static_cast<size_t>(size)};
}

Ed25519PublicKey Ed25519PrivateKey::public_key() const {
  const Key key = private_key(seed_);
  Ed25519PublicKey made;
  size_t size = made.bytes.size();
  CHECK(EVP_PKEY_get_raw_public_key(key.get(), raw(made.bytes.data()), &size) == 1);
  return made;
}

Ed25519Signature Ed25519PrivateKey::sign(std::span<const std::byte> message) const {
  const Key key = private_key(seed_);
  const Context context = new_context();
  Ed25519Signature signature{};
  size_t size = signature.size();
  CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), raw(signature.data()), &size, raw(message.data()),
                       message.size()) == 1);
  CHECK(size == signature.size());
  return signature;
}

}  // namespace stravinsky::codec
