#include "codec/ed25519.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"

namespace stravinsky::codec {
namespace {

Ed25519PrivateKey key_of(std::string_view hex) {
  std::array<std::byte, 32> seed{};
  std::ranges::copy(from_hex(hex).value(), seed.begin());
  return Ed25519PrivateKey(seed);
}

// RFC 8032, 7.1, TEST 2.
constexpr std::string_view kSeed =
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

TEST(Ed25519, AnswersTheTestVectorOfTheStandard) {
  const Ed25519PrivateKey key = key_of(kSeed);
  EXPECT_EQ(key.public_key().text(),
            "ed25519:3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(key.sign(as_byte_span("\x72"))),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519, EveryFlippedBitIsNoticed) {
  const Ed25519PrivateKey key = key_of(kSeed);
  const Ed25519Signature good = key.sign(as_byte_span("message"));
  EXPECT_TRUE(key.public_key().verifies(as_byte_span("message"), good));
  EXPECT_FALSE(key.public_key().verifies(as_byte_span("massage"), good));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Ed25519Signature bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(key.public_key().verifies(as_byte_span("message"), bad)) << bit;
  }
}

TEST(Ed25519, KeysAreWrittenAndReadBack) {
  const Ed25519PrivateKey key = key_of(kSeed);
  const auto again = Ed25519PrivateKey::parse_pem(key.pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), key.public_key());
  EXPECT_EQ(Ed25519PublicKey::parse(key.public_key().text()), key.public_key());
  EXPECT_FALSE(Ed25519PrivateKey::parse_pem("no key"));
  EXPECT_FALSE(Ed25519PublicKey::parse("ed25519:00"));
  EXPECT_FALSE(Ed25519PublicKey::parse(std::string(64, '0')));
}

}  // namespace
}  // namespace stravinsky::codec
