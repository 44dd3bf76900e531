#include "store/begun_update.h"

#include <gtest/gtest.h>

#include "fs/file.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using testing::outcome;

class BegunUpdateTest : public ::testing::Test {
 protected:
  BegunUpdateTest() {
    disk.make_dirs("/store");
    dir = *fs::File::open_root(disk, "/store");
  }
  testing::MemFs disk;
  fs::File dir;
  const BegunUpdate begun{.token = "00000000000000a1",
                          .version = "0.4.0",
                          .tree = "/home/\xFFu/.claude",
                          .backup = "v0.3.9.pre_update",
                          .from_version = "0.3.9",
                          .from_bundle = "0.3.9",
                          .started_ns = 1'767'886'462'000'000'000,
                          .after_sequence = 12};
};

TEST_F(BegunUpdateTest, ReadsBackAndGoes) {
  EXPECT_FALSE(*read_begun(disk, dir.fd()));
  ASSERT_EQ(outcome(write_begun(disk, dir.fd(), begun)), "ok");
  const auto read = read_begun(disk, dir.fd());
  ASSERT_EQ(outcome(read), "ok");
  ASSERT_TRUE(*read);
  EXPECT_EQ((*read)->token, begun.token);
  EXPECT_EQ((*read)->version, begun.version);
  EXPECT_EQ((*read)->tree, begun.tree);
  EXPECT_EQ((*read)->backup, begun.backup);
  EXPECT_EQ((*read)->from_version, begun.from_version);
  EXPECT_EQ((*read)->from_bundle, begun.from_bundle);
  EXPECT_EQ((*read)->started_ns, begun.started_ns);
  EXPECT_EQ((*read)->after_sequence, begun.after_sequence);
  ASSERT_EQ(outcome(remove_begun(disk, dir.fd())), "ok");
  EXPECT_FALSE(*read_begun(disk, dir.fd()));
  EXPECT_EQ(outcome(remove_begun(disk, dir.fd())), "ok");
}

TEST_F(BegunUpdateTest, WhatAnOlderVersionBeganHasNoSequence) {
  BegunUpdate older = begun;
  older.after_sequence.reset();
  ASSERT_EQ(outcome(write_begun(disk, dir.fd(), older)), "ok");
  const auto read = read_begun(disk, dir.fd());
  ASSERT_EQ(outcome(read), "ok");
  EXPECT_FALSE((*read)->after_sequence);
}

TEST_F(BegunUpdateTest, EveryFlippedBitAndEveryCutIsNoticed) {
  ASSERT_EQ(outcome(write_begun(disk, dir.fd(), begun)), "ok");
  const std::string path = "/store/recovery/begun.json";
  const std::string text = *disk.contents(path);
  for (size_t bit = 0; bit < (text.size() - 1) * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    disk.write_file(path, flipped);
    const std::string_view answer = outcome(read_begun(disk, dir.fd()));
    // One flip makes a newer format_version of it.
    ASSERT_TRUE(answer == "corrupt" || answer == "unsupported") << bit;
  }
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    disk.write_file(path, text.substr(0, size));
    ASSERT_EQ(outcome(read_begun(disk, dir.fd())), "corrupt") << size;
  }
}

}  // namespace
}  // namespace stravinsky::store
