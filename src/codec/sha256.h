// Sha256: the only checksum of the project (FIPS 180-4, by OpenSSL).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stravinsky::codec {

struct Digest {
  std::array<std::byte, 32> bytes{};

  std::string hex() const;
  static std::optional<Digest> from_hex(std::string_view text);
  auto operator<=>(const Digest&) const = default;
};

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> data);
  Sha256 clone() const;  // the same state, to come back to
  Digest finish();       // afterwards only destruction is allowed

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::span<const std::byte> data);
Digest sha256(std::string_view text);

}  // namespace stravinsky::codec
