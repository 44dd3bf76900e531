#include "store/latest.h"

#include <gtest/gtest.h>

#include "fs/file.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using testing::outcome;

TEST(Latest, ReadsBackAndIsRefusedWhenCut) {
  testing::MemFs disk;
  disk.make_dirs("/store", 0700);
  const auto store = fs::File::open_root(disk, "/store");
  ASSERT_TRUE(store);
  EXPECT_FALSE(read_latest(disk, store->fd()).value().has_value());
  Latest latest;
  latest.trees["/home/u/.claude"] = {.version = "0.3.9", .bundle = "0.3.9.1"};
  latest.newest_backup = "v0.3.9.pre_update";
  latest.undo = {"0123456789abcdef"};
  latest.redo = {"fedcba9876543210"};
  ASSERT_TRUE(write_latest(disk, store->fd(), latest));
  const auto back = read_latest(disk, store->fd());
  ASSERT_TRUE(back && *back);
  EXPECT_EQ((*back)->trees, latest.trees);
  EXPECT_EQ((*back)->at("/other").version, "unknown");
  EXPECT_EQ((*back)->newest_backup, "v0.3.9.pre_update");
  EXPECT_EQ((*back)->undo, latest.undo);
  EXPECT_EQ((*back)->redo, latest.redo);

  const std::string good = disk.contents("/store/backups/latest.json").value();
  for (size_t size = 0; size + 1 < good.size(); ++size) {  // the last byte is a line feed
    disk.write_file("/store/backups/latest.json", good.substr(0, size), 0600);
    EXPECT_EQ(outcome(read_latest(disk, store->fd())), "corrupt") << size;
  }
}

TEST(Latest, ANewerFormatIsRefused) {
  testing::MemFs disk;
  disk.write_file("/store/backups/latest.json", R"({"format_version":2})", 0600);
  const auto store = fs::File::open_root(disk, "/store");
  EXPECT_EQ(outcome(read_latest(disk, store->fd())), "unsupported");
}

}  // namespace
}  // namespace stravinsky::store
