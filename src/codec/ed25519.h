// Ed25519: signatures (RFC 8032, by OpenSSL).
//
// A public key is written "ed25519:<64 hexadecimal digits>". A private key is kept as
// PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it, without a password.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stravinsky::codec {

using Ed25519Signature = std::array<std::byte, 64>;

struct Ed25519PublicKey {
  std::array<std::byte, 32> bytes{};

  std::string text() const;
  static std::optional<Ed25519PublicKey> parse(std::string_view text);
  bool verifies(std::span<const std::byte> message, const Ed25519Signature& signature) const;
  bool operator==(const Ed25519PublicKey&) const = default;
};

class Ed25519PrivateKey {
 public:
  // seed: 32 random bytes.
  explicit Ed25519PrivateKey(const std::array<std::byte, 32>& seed) : seed_(seed) {}
  // kUsage for anything but an unencrypted Ed25519 key.
  static Result<Ed25519PrivateKey> parse_pem(std::string_view pem);

  std::string pem() const;
  Ed25519PublicKey public_key() const;
  Ed25519Signature sign(std::span<const std::byte> message) const;

 private:
  std::array<std::byte, 32> seed_;
};

}  // namespace stravinsky::codec
