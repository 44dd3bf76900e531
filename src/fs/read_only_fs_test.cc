#include "fs/read_only_fs.h"

#include <gtest/gtest.h>

#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::fs {
namespace {

using testing::outcome;
using testing::TempDir;

TEST(ReadOnlyFs, EveryChangeIsRefusedAndNothingChanges) {
  TempDir temp;
  temp.put("file", "kept");
  temp.put_dir("sub");
  ReadOnlyFs fs(temp.fs());
  const Fd dir = temp.dir();
  const RelPath file = RelPath::of("file");
  const RelPath name = RelPath::of("new");
  // A descriptor that could write, so that the decorator is what refuses.
  const auto writable = File::open(temp.fs(), dir, file, OpenMode::kReadWrite);
  const Fd fd = writable->fd();
  EXPECT_EQ(outcome(fs.open(dir, file, OpenMode::kReadWrite, 0600)), "permission");
  EXPECT_EQ(outcome(fs.open(dir, name, OpenMode::kCreateExclusive, 0600)), "permission");
  EXPECT_EQ(outcome(fs.open(dir, name, OpenMode::kOpenOrCreate, 0600)), "permission");
  EXPECT_EQ(outcome(fs.write(fd, 0, as_byte_span("x"))), "permission");
  EXPECT_EQ(outcome(fs.copy_range(fd, 0, fd, 4, 4)), "permission");
  EXPECT_EQ(outcome(fs.truncate(fd, 0)), "permission");
  EXPECT_EQ(outcome(fs.make_dir(dir, name, 0700)), "permission");
  EXPECT_EQ(outcome(fs.make_symlink("x", dir, name)), "permission");
  EXPECT_EQ(outcome(fs.hard_link(dir, file, dir, name)), "permission");
  for (const auto mode : {RenameMode::kReplace, RenameMode::kNoReplace, RenameMode::kExchange}) {
    EXPECT_EQ(outcome(fs.rename(dir, file, dir, name, mode)), "permission");
  }
  EXPECT_EQ(outcome(fs.unlink(dir, file)), "permission");
  EXPECT_EQ(outcome(fs.remove_dir(dir, RelPath::of("sub"))), "permission");
  EXPECT_EQ(outcome(fs.set_attributes(fd, {.mode = 0777, .owner = {}, .mtime_ns = {}})),
            "permission");
  EXPECT_EQ(outcome(fs.set_xattrs(fd, {{"user.a", "b"}})), "permission");
  EXPECT_EQ(fs.unlink(dir, file).error().to_string(), "file: dry run");

  EXPECT_EQ(temp.get("file"), "kept");
  EXPECT_EQ(temp.fs().stat(dir, file)->mode, 0600U);
  EXPECT_TRUE(temp.fs().get_xattrs(fd)->empty());
  EXPECT_EQ(temp.fs().list(dir)->size(), 2U);
}

TEST(ReadOnlyFs, ReadingWorks) {
  TempDir temp;
  temp.put("file", "kept");
  temp.put_link("link", "file");
  ReadOnlyFs fs(temp.fs());
  const auto root = File::open_root(fs, temp.path());
  ASSERT_TRUE(root);
  EXPECT_EQ(*read_file(fs, root->fd(), RelPath::of("file"), 100), "kept");
  EXPECT_EQ(*fs.read_link(root->fd(), RelPath::of("link")), "file");
  EXPECT_EQ(fs.list(root->fd())->size(), 2U);
  EXPECT_EQ(outcome(fs.space(root->fd())), "ok");
  EXPECT_EQ(outcome(fs.try_lock(root->fd(), LockMode::kShared)), "ok");
  EXPECT_EQ(*fs.path_of(root->fd()), temp.path());
  const auto file = File::open(fs, root->fd(), RelPath::of("file"), OpenMode::kRead);
  EXPECT_EQ(outcome(fs.get_xattrs(file->fd())), "ok");
  EXPECT_FALSE(*fs.has_writer(file->fd()));
}

}  // namespace
}  // namespace stravinsky::fs
