#include "codec/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::codec {
namespace {

// Fetched once: a fetch takes locks and costs more than hashing a small file.
// The system's OpenSSL configuration is not read, it cannot change SHA-256.
const EVP_MD* algorithm() {
  static EVP_MD* const md = [] {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    return EVP_MD_fetch(nullptr, "SHA256", nullptr);
  }();
  CHECK(md != nullptr);
  return md;
}

}  // namespace

std::string Digest::hex() const {
  return to_hex(bytes);
}

std::optional<Digest> Digest::from_hex(std::string_view text) {
  const auto decoded = stravinsky::from_hex(text);
  Digest digest;
  if (!decoded || decoded->size() != digest.bytes.size()) return std::nullopt;
  std::ranges::copy(*decoded, digest.bytes.begin());
  return digest;
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { CHECK(context != nullptr); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CHECK(EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) {
  CHECK(EVP_DigestUpdate(state_->context, data.data(), data.size()) == 1);
}

Sha256 Sha256::clone() const {
  Sha256 copy;
  CHECK(EVP_MD_CTX_copy_ex(copy.state_->context, state_->context) == 1);
  return copy;
}

Digest Sha256::finish() {
  Digest digest;
  CHECK(EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(digest.bytes.data()),
                           nullptr) == 1);
  return digest;
}

Digest sha256(std::span<const std::byte> data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

Digest sha256(std::string_view text) {
  return sha256(as_byte_span(text));
}

}  // namespace stravinsky::codec
