#include "codec/sha256.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace stravinsky::codec {
namespace {

// Known answers of FIPS 180-4's example documents.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')).hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesEqualTheWhole) {
  const std::string text(1000, 'x');
  for (const size_t cut : {0U, 1U, 63U, 64U, 65U, 999U, 1000U}) {
    Sha256 hash;
    hash.update(as_byte_span(text).first(cut));
    hash.update(as_byte_span(text).subspan(cut));
    EXPECT_EQ(hash.finish(), sha256(text)) << cut;
  }
}

TEST(Sha256, CloneGoesItsOwnWay) {
  Sha256 hash;
  hash.update(as_byte_span("ab"));
  Sha256 copy = hash.clone();
  copy.update(as_byte_span("X"));
  hash.update(as_byte_span("c"));
  EXPECT_EQ(hash.finish(), sha256("abc"));
  EXPECT_EQ(copy.finish(), sha256("abX"));
}

TEST(Sha256, HexIsReversibleAndStrict) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(Digest::from_hex(digest.hex()), digest);
  EXPECT_FALSE(Digest::from_hex(digest.hex().substr(2)));
  EXPECT_FALSE(Digest::from_hex(digest.hex() + "00"));
  EXPECT_FALSE(Digest::from_hex("G" + digest.hex().substr(1)));
  EXPECT_FALSE(Digest::from_hex(""));
}

}  // namespace
}  // namespace stravinsky::codec
