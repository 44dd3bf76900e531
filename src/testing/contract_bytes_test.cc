// Contract of bytes and attributes: read, write, copy, sync, modes, xattrs, locks.

#include <gmock/gmock.h>

#include "testing/contract_suite.h"

namespace stravinsky::testing {
namespace {

using fs::Advice;
using fs::File;
using fs::LockMode;
using fs::NodeType;
using fs::OpenMode;
using fs::SyncKind;

std::string read_at(fs::FileSystem& fs, const File& file, uint64_t offset, size_t size) {
  std::string bytes(size, '#');
  const auto got = fs.read(file.fd(), offset, std::as_writable_bytes(std::span(bytes)));
  if (!got) return "<" + std::string(outcome(got)) + ">";
  return bytes.substr(0, *got);
}

TEST_P(FileSystemContract, ReadIsFullExceptAtTheEnd) {
  put("file", "0123456789");
  const File file = open("file", OpenMode::kRead);
  EXPECT_EQ(read_at(fs(), file, 0, 10), "0123456789");
  EXPECT_EQ(read_at(fs(), file, 3, 4), "3456");
  EXPECT_EQ(read_at(fs(), file, 8, 100), "89");
  EXPECT_EQ(read_at(fs(), file, 10, 5), "");
  EXPECT_EQ(read_at(fs(), file, 1'000'000, 5), "");
  EXPECT_EQ(read_at(fs(), file, 0, 0), "");
}

TEST_P(FileSystemContract, WritePlacesBytesAtTheOffset) {
  put("file", "0123456789");
  const File file = open("file", OpenMode::kReadWrite);
  EXPECT_EQ(outcome(fs().write(file.fd(), 2, as_byte_span("ab"))), "ok");
  EXPECT_EQ(outcome(fs().write(file.fd(), 12, as_byte_span("z"))), "ok");
  EXPECT_EQ(outcome(fs().write(file.fd(), 0, {})), "ok");
  EXPECT_EQ(get("file"), std::string("01ab456789\0\0z", 13));
}

TEST_P(FileSystemContract, LargeFileComesBackWhole) {
  std::string bytes(2'000'003, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  put("file", bytes);
  EXPECT_EQ(get("file"), bytes);
  EXPECT_EQ(stat("file").size_bytes, bytes.size());
}

TEST_P(FileSystemContract, FileOpenedForReadingCannotBeWritten) {
  put("file", "x");
  const File file = open("file", OpenMode::kRead);
  EXPECT_NE(outcome(fs().write(file.fd(), 0, as_byte_span("y"))), "ok");
  EXPECT_EQ(get("file"), "x");
}

TEST_P(FileSystemContract, TruncateCutsAndExtends) {
  put("file", "0123456789");
  const File file = open("file", OpenMode::kReadWrite);
  EXPECT_EQ(outcome(fs().truncate(file.fd(), 4)), "ok");
  EXPECT_EQ(get("file"), "0123");
  EXPECT_EQ(outcome(fs().truncate(file.fd(), 6)), "ok");
  EXPECT_EQ(get("file"), std::string("0123\0\0", 6));
}

TEST_P(FileSystemContract, CopyRangeCopiesThatRange) {
  put("from", "0123456789");
  put("to", "abcdef");
  const File from = open("from", OpenMode::kRead);
  const File to = open("to", OpenMode::kReadWrite);
  EXPECT_EQ(outcome(fs().copy_range(from.fd(), 2, to.fd(), 3, 5)), "ok");
  EXPECT_EQ(get("to"), "abc23456");
  EXPECT_EQ(outcome(fs().copy_range(from.fd(), 0, to.fd(), 0, 0)), "ok");
  EXPECT_EQ(get("to"), "abc23456");
}

TEST_P(FileSystemContract, CopyRangeBeyondTheEndIsAnError) {
  put("from", "0123");
  put("to", "");
  const File from = open("from", OpenMode::kRead);
  const File to = open("to", OpenMode::kReadWrite);
  EXPECT_EQ(outcome(fs().copy_range(from.fd(), 2, to.fd(), 0, 5)), "changed");
}

TEST_P(FileSystemContract, SyncOfFilesAndDirectoriesSucceeds) {
  put("file", "x");
  const File file = open("file", OpenMode::kReadWrite);
  const File reader = open("file", OpenMode::kRead);
  EXPECT_EQ(outcome(fs().sync(file.fd(), SyncKind::kData)), "ok");
  EXPECT_EQ(outcome(fs().sync(file.fd(), SyncKind::kFull)), "ok");
  EXPECT_EQ(outcome(fs().sync(reader.fd(), SyncKind::kFull)), "ok");
  EXPECT_EQ(outcome(fs().sync(dir(), SyncKind::kFull)), "ok");
  EXPECT_EQ(outcome(fs().sync_file_system(dir())), "ok");
  fs().advise(file.fd(), Advice::kStartWriteback);
  fs().advise(file.fd(), Advice::kDropCache);
  EXPECT_EQ(get("file"), "x");
}

TEST_P(FileSystemContract, CloseSucceedsOnce) {
  put("file", "x");
  const auto fd = fs().open(dir(), rel("file"), OpenMode::kReadWrite);
  ASSERT_TRUE(fd);
  EXPECT_EQ(outcome(fs().close(*fd)), "ok");
  EXPECT_NE(outcome(fs().stat_fd(*fd)), "ok");
}

TEST_P(FileSystemContract, StatOfANameAndOfAnOpenFileAgree) {
  put("file", "12345", 0640);
  const File file = open("file", OpenMode::kRead);
  const auto by_fd = fs().stat_fd(file.fd());
  ASSERT_TRUE(by_fd);
  const auto by_name = stat("file");
  EXPECT_EQ(by_fd->inode, by_name.inode);
  EXPECT_EQ(by_fd->device, by_name.device);
  EXPECT_EQ(by_fd->mode, 0640U);
  EXPECT_EQ(by_fd->size_bytes, 5U);
  EXPECT_EQ(by_fd->link_count, 1U);
  EXPECT_EQ(by_fd->mtime_ns, by_name.mtime_ns);
  EXPECT_EQ(by_fd->type, NodeType::kFile);
  EXPECT_FALSE(by_fd->immutable);
  EXPECT_FALSE(by_fd->mount_point);
  EXPECT_EQ(fs().stat_fd(dir())->type, NodeType::kDirectory);
}

TEST_P(FileSystemContract, DifferentFilesHaveDifferentInodes) {
  put("a", "");
  put("b", "");
  EXPECT_NE(stat("a").inode, stat("b").inode);
  EXPECT_EQ(stat("a").device, stat("b").device);
}

TEST_P(FileSystemContract, AttributesAreSetOneByOne) {
  put("file", "x", 0600);
  const auto before = stat("file");
  const File file = open("file", OpenMode::kRead);
  EXPECT_EQ(outcome(fs().set_attributes(file.fd(), {.mode = 0751, .owner = {}, .mtime_ns = {}})),
            "ok");
  EXPECT_EQ(stat("file").mode, 0751U);
  EXPECT_EQ(stat("file").mtime_ns, before.mtime_ns);
  for (const int64_t mtime_ns : {int64_t{1'234'567'890'123'456'789}, int64_t{-1}, int64_t{0}}) {
    EXPECT_EQ(
        outcome(fs().set_attributes(file.fd(), {.mode = {}, .owner = {}, .mtime_ns = mtime_ns})),
        "ok");
    EXPECT_EQ(stat("file").mtime_ns, mtime_ns);
  }
  EXPECT_EQ(stat("file").mode, 0751U);
  EXPECT_EQ(stat("file").uid, before.uid);
}

TEST_P(FileSystemContract, OwnerIsSetBeforeTheModeSoThatSetuidStays) {
  put("file", "x", 0600);
  const auto before = stat("file");
  const File file = open("file", OpenMode::kRead);
  EXPECT_EQ(
      outcome(fs().set_attributes(
          file.fd(), {.mode = 04755, .owner = std::pair{before.uid, before.gid}, .mtime_ns = {}})),
      "ok");
  EXPECT_EQ(stat("file").mode, 04755U);
}

TEST_P(FileSystemContract, ModeOfADirectoryIsSet) {
  put_dir("sub");
  const File sub = open("sub", OpenMode::kDirectory);
  EXPECT_EQ(outcome(fs().set_attributes(sub.fd(), {.mode = 0750, .owner = {}, .mtime_ns = {}})),
            "ok");
  EXPECT_EQ(stat("sub").mode, 0750U);
}

TEST_P(FileSystemContract, WritingMovesTheModificationTime) {
  put("file", "x");
  const File file = open("file", OpenMode::kReadWrite);
  ASSERT_EQ(outcome(fs().set_attributes(file.fd(), {.mode = {}, .owner = {}, .mtime_ns = 1000})),
            "ok");
  ASSERT_EQ(outcome(fs().write(file.fd(), 0, as_byte_span("y"))), "ok");
  EXPECT_NE(stat("file").mtime_ns, 1000);
}

TEST_P(FileSystemContract, XattrsComeBackSortedWhereThereAreAny) {
  put("file", "x");
  const File file = open("file", OpenMode::kReadWrite);
  ASSERT_EQ(outcome(fs().get_xattrs(file.fd())), "ok");
  EXPECT_TRUE(fs().get_xattrs(file.fd())->empty());
  EXPECT_EQ(outcome(fs().set_xattrs(file.fd(), {})), "ok");
  const fs::Xattrs xattrs = {
      {"user.b", std::string("\0\xFF", 2)}, {"user.a", "value"}, {"user.empty", ""}};
  const auto set = fs().set_xattrs(file.fd(), xattrs);
  if (outcome(set) == "unsupported") GTEST_SKIP() << "no extended attributes here";
  ASSERT_EQ(outcome(set), "ok");
  EXPECT_THAT(*fs().get_xattrs(file.fd()),
              ::testing::ElementsAre(std::pair{"user.a", "value"},
                                     std::pair{"user.b", std::string("\0\xFF", 2)},
                                     std::pair{"user.empty", ""}));
}

TEST_P(FileSystemContract, SpaceIsThere) {
  const auto space = fs().space(dir());
  ASSERT_TRUE(space) << space.error().to_string();
  EXPECT_GT(space->available_bytes, 0U);
  EXPECT_GT(space->available_inodes, 0U);
  EXPECT_FALSE(space->read_only);
}

TEST_P(FileSystemContract, LockExcludesAnotherOpenUntilClosed) {
  put("lock", "");
  File first = open("lock", OpenMode::kReadWrite);
  const File second = open("lock", OpenMode::kReadWrite);
  EXPECT_EQ(outcome(fs().try_lock(first.fd(), LockMode::kExclusive)), "ok");
  EXPECT_EQ(outcome(fs().try_lock(first.fd(), LockMode::kExclusive)), "ok");  // already ours
  EXPECT_EQ(outcome(fs().try_lock(second.fd(), LockMode::kExclusive)), "locked");
  EXPECT_EQ(outcome(fs().try_lock(second.fd(), LockMode::kShared)), "locked");
  EXPECT_EQ(outcome(first.close()), "ok");
  EXPECT_EQ(outcome(fs().try_lock(second.fd(), LockMode::kExclusive)), "ok");
}

TEST_P(FileSystemContract, SharedLocksStandTogether) {
  put("lock", "");
  const File first = open("lock", OpenMode::kRead);
  const File second = open("lock", OpenMode::kRead);
  const File third = open("lock", OpenMode::kRead);
  EXPECT_EQ(outcome(fs().try_lock(first.fd(), LockMode::kShared)), "ok");
  EXPECT_EQ(outcome(fs().try_lock(second.fd(), LockMode::kShared)), "ok");
  EXPECT_EQ(outcome(fs().try_lock(third.fd(), LockMode::kExclusive)), "locked");
}

TEST_P(FileSystemContract, DirectoriesAreLockedToo) {
  put_dir("sub");
  const File first = open("sub", OpenMode::kDirectory);
  const File second = open("sub", OpenMode::kDirectory);
  EXPECT_EQ(outcome(fs().try_lock(first.fd(), LockMode::kExclusive)), "ok");
  EXPECT_EQ(outcome(fs().try_lock(second.fd(), LockMode::kExclusive)), "locked");
}

TEST_P(FileSystemContract, OnesOwnDirectoryMayBeChanged) {
  put_dir("sub");
  const File sub = open("sub", OpenMode::kDirectory);
  EXPECT_TRUE(*fs().may_change_names(sub.fd()));
}

TEST_P(FileSystemContract, WriterIsSeen) {
  put("file", "x");
  const File reader = open("file", OpenMode::kRead);
  EXPECT_FALSE(*fs().has_writer(reader.fd()));
  {
    const File other_reader = open("file", OpenMode::kRead);
    EXPECT_FALSE(*fs().has_writer(reader.fd()));
    const File writer = open("file", OpenMode::kReadWrite);
    EXPECT_TRUE(*fs().has_writer(reader.fd()));
  }
  EXPECT_FALSE(*fs().has_writer(reader.fd()));
}

}  // namespace
}  // namespace stravinsky::testing
