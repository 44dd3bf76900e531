#include "codec/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "base/strings.h"

namespace stravinsky::codec {
namespace {

// The definition in RFC 6962, section 2.1, taken literally.
Digest tree_hash(std::span<const std::string> entries) {
  if (entries.empty()) return sha256(std::string_view());
  if (entries.size() == 1) return sha256(std::string(1, '\0') + entries[0]);
  const size_t split = std::bit_floor(entries.size() - 1);
  std::string text(1, '\1');
  text += as_text(tree_hash(entries.first(split)).bytes);
  text += as_text(tree_hash(entries.subspan(split)).bytes);
  return sha256(text);
}

TEST(Merkle, RootIsTheTreeHashOfTheRfcAtEverySize) {
  MerkleFrontier frontier;
  std::vector<std::string> entries;
  EXPECT_EQ(frontier.root().hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (int i = 0; i < 70; ++i) {
    entries.push_back("entry " + std::to_string(i));
    frontier.append(as_byte_span(entries.back()));
    EXPECT_EQ(frontier.size(), entries.size());
    EXPECT_EQ(frontier.root(), tree_hash(entries)) << i;
  }
}

TEST(Merkle, RestoredFrontierGoesOnAsIfNeverStored) {
  MerkleFrontier whole;
  for (int i = 0; i < 11; ++i) whole.append(as_byte_span("x"));
  auto restored = MerkleFrontier::restore(whole.size(), whole.hashes());
  ASSERT_TRUE(restored);
  whole.append(as_byte_span("y"));
  restored->append(as_byte_span("y"));
  EXPECT_EQ(*restored, whole);
}

TEST(Merkle, RestoreRefusesAWrongNumberOfHashes) {
  EXPECT_FALSE(MerkleFrontier::restore(3, std::vector<Digest>(1)));
  EXPECT_FALSE(MerkleFrontier::restore(0, std::vector<Digest>(1)));
  EXPECT_TRUE(MerkleFrontier::restore(0, {}));
}

}  // namespace
}  // namespace stravinsky::codec
