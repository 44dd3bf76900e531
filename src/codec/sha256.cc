#include "codec/sha256.h"

// The functions of old, which need no set-up: fetching the algorithm anew costs every
// start of the program a millisecond.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::codec {
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
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CHECK(SHA256_Init(&state_->context) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) {
  CHECK(SHA256_Update(&state_->context, data.data(), data.size()) == 1);
}

Sha256 Sha256::clone() const {
  Sha256 copy;
  *copy.state_ = *state_;
  return copy;
}

Digest Sha256::finish() {
  Digest digest;
  CHECK(SHA256_Final(reinterpret_cast<unsigned char*>(digest.bytes.data()), &state_->context) == 1);
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
