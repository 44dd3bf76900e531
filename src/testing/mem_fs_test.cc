#include "testing/mem_fs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <thread>

#include "base/strings.h"
#include "fs/file.h"
#include "testing/seeded_random.h"

namespace stravinsky::testing {
namespace {

using fs::Fd;
using fs::OpenMode;
using fs::RelPath;
using fs::RenameMode;
using fs::SyncKind;

RelPath rel(std::string_view text) {
  return RelPath::of(text);
}

// A disk with the durable file /d/x of the bytes "old", and "/d" open.
class MemFsTest : public ::testing::Test {
 protected:
  explicit MemFsTest(MemFsOptions options = {}) : disk(std::move(options)) {
    disk.write_file("/d/x", "old");
    disk.make_dirs("/e");
    disk.sync_everything();
    d = disk.open_root("/d").value();
    e = disk.open_root("/e").value();
  }

  Fd create(std::string_view name, std::string_view bytes) {
    const Fd fd = disk.open(d, rel(name), OpenMode::kCreateExclusive, 0600).value();
    EXPECT_TRUE(disk.write(fd, 0, as_byte_span(bytes)));
    return fd;
  }
  void rename(std::string_view from, std::string_view to, RenameMode mode = RenameMode::kReplace) {
    ASSERT_TRUE(disk.rename(d, rel(from), d, rel(to), mode));
  }
  std::unique_ptr<MemFs> cut(std::vector<bool> kept, DataFate fate = DataFate::kNone) const {
    return disk.crashed({.kept = std::move(kept), .data = fate});
  }
  // What /d/x may hold after a cut now; "absent" among it.
  std::set<std::string> possible_x() const {
    SeededRandom random(1);
    std::set<std::string> found;
    for (const CrashChoice& choice : disk.crash_choices(256, random)) {
      found.insert(disk.crashed(choice)->contents("/d/x").value_or("absent"));
    }
    return found;
  }
  void sync(Fd fd, SyncKind kind = SyncKind::kFull) { ASSERT_TRUE(disk.sync(fd, kind)); }

  MemFs disk;
  Fd d{};
  Fd e{};
};

using Set = std::set<std::string>;

TEST_F(MemFsTest, RenameWithoutFileSyncMayLeaveAnEmptyOrTornFile) {
  create("tmp", "newnew");
  rename("tmp", "x");
  sync(d);
  EXPECT_EQ(possible_x(), (Set{"", "new", "newnew", std::string(6, '\0')}));
}

TEST_F(MemFsTest, RenameWithoutDirectorySyncMayLeaveTheOldName) {
  sync(create("tmp", "new"));
  rename("tmp", "x");
  EXPECT_EQ(possible_x(), (Set{"old", "new"}));
}

TEST_F(MemFsTest, FileSyncAndDirectorySyncLeaveOnlyTheNew) {
  sync(create("tmp", "new"));
  rename("tmp", "x");
  sync(d);
  EXPECT_EQ(disk.pending_count(), 0U);
  EXPECT_EQ(possible_x(), Set{"new"});
}

TEST_F(MemFsTest, FileSyncDoesNotKeepTheName) {
  sync(create("new", "1"));
  EXPECT_FALSE(cut({false})->contents("/d/new"));
  EXPECT_EQ(cut({true})->contents("/d/new"), "1");
}

TEST_F(MemFsTest, AnySubsetOfChangesMayArrive) {
  create("a", "");
  create("b", "");
  ASSERT_EQ(disk.pending_count(), 2U);
  const auto image = cut({false, true});
  EXPECT_FALSE(image->contents("/d/a"));
  EXPECT_TRUE(image->contents("/d/b"));
}

TEST_F(MemFsTest, ExchangeIsAtomic) {
  sync(create("tmp", "new"));
  sync(d);
  rename("tmp", "x", RenameMode::kExchange);
  EXPECT_EQ(cut({false})->contents("/d/x"), "old");
  EXPECT_EQ(cut({false})->contents("/d/tmp"), "new");
  EXPECT_EQ(cut({true})->contents("/d/x"), "new");
  EXPECT_EQ(cut({true})->contents("/d/tmp"), "old");
}

TEST_F(MemFsTest, RenameBetweenDirectoriesIsDurableWithEither) {
  for (const Fd synced : {d, e}) {
    disk.write_file("/d/move", "1");
    disk.sync_everything();
    ASSERT_TRUE(disk.rename(d, rel("move"), e, rel("moved"), RenameMode::kReplace));
    sync(synced);
    EXPECT_FALSE(cut({})->contents("/d/move"));
    EXPECT_EQ(cut({})->contents("/e/moved"), "1");
    disk.remove("/e/moved");
    disk.sync_everything();
  }
}

TEST_F(MemFsTest, AnOlderChangeDoesNotComeBackOverALaterDurableOne) {
  create("tmp", "");                                                           // in d
  ASSERT_TRUE(disk.rename(d, rel("tmp"), e, rel("y"), RenameMode::kReplace));  // d and e
  sync(e);
  sync(d);
  EXPECT_FALSE(cut({})->contents("/d/tmp"));
  EXPECT_TRUE(cut({})->contents("/e/y"));
}

TEST_F(MemFsTest, UnlinkIsPendingToo) {
  ASSERT_TRUE(disk.unlink(d, rel("x")));
  EXPECT_EQ(possible_x(), (Set{"old", "absent"}));
  sync(d);
  EXPECT_EQ(possible_x(), Set{"absent"});
}

TEST_F(MemFsTest, AppendThatIsNotSyncedKeepsTheSyncedHead) {
  const Fd fd = disk.open(d, rel("x"), OpenMode::kReadWrite, 0).value();
  ASSERT_TRUE(disk.write(fd, 3, as_byte_span("12")));
  EXPECT_EQ(possible_x(), (Set{"old", "old1", "old12", std::string("old\0\0", 5)}));
  sync(fd, SyncKind::kData);
  EXPECT_EQ(possible_x(), Set{"old12"});
}

TEST_F(MemFsTest, DataSyncDoesNotKeepTheMode) {
  const Fd fd = disk.open(d, rel("x"), OpenMode::kReadWrite, 0).value();
  ASSERT_TRUE(disk.set_attributes(fd, {.mode = 0755, .owner = {}, .mtime_ns = {}}));
  sync(fd, SyncKind::kData);
  EXPECT_EQ(cut({})->snapshot("/d/x").at("/d/x").mode, 0644U);
  sync(fd, SyncKind::kFull);
  EXPECT_EQ(cut({})->snapshot("/d/x").at("/d/x").mode, 0755U);
}

TEST_F(MemFsTest, AFailedSyncLosesThePagesForGood) {
  const Fd fd = disk.open(d, rel("x"), OpenMode::kReadWrite, 0).value();
  ASSERT_TRUE(disk.write(fd, 0, as_byte_span("new")));
  disk.forget_dirty(fd);
  sync(fd);
  EXPECT_EQ(disk.contents("/d/x"), "new");
  EXPECT_EQ(possible_x(), Set{"old"});
  ASSERT_TRUE(disk.write(fd, 1, as_byte_span("E")));
  sync(fd);
  EXPECT_EQ(disk.contents("/d/x"), "nEw");
  EXPECT_EQ(possible_x(), Set{"oEd"});
}

TEST_F(MemFsTest, SyncFileSystemKeepsEverything) {
  create("tmp", "new");
  rename("tmp", "x");
  ASSERT_TRUE(disk.sync_file_system(e));
  EXPECT_EQ(possible_x(), Set{"new"});
}

TEST_F(MemFsTest, ANewDirectoryNeedsItsOwnNameToo) {
  ASSERT_TRUE(disk.make_dir(d, rel("sub"), 0700));
  sync(disk.open(d, rel("sub/f"), OpenMode::kCreateExclusive, 0600).value());
  sync(disk.open(d, rel("sub"), OpenMode::kDirectory, 0).value());
  EXPECT_TRUE(cut({false})->snapshot("/d/sub").empty());
  EXPECT_TRUE(cut({true})->contents("/d/sub/f"));
}

TEST_F(MemFsTest, ACrashEndsDescriptorsAndLocks) {
  const Fd fd = disk.open(d, rel("x"), OpenMode::kRead, 0).value();
  ASSERT_TRUE(disk.try_lock(fd, fs::LockMode::kExclusive));
  const auto image = cut({});
  EXPECT_EQ(image->open_descriptors(), 0U);
  EXPECT_FALSE(image->stat_fd(fd));
  const Fd root = image->open_root("/d").value();
  const Fd again = image->open(root, rel("x"), OpenMode::kRead, 0).value();
  EXPECT_TRUE(image->try_lock(again, fs::LockMode::kExclusive));
}

TEST_F(MemFsTest, ImagesAreIndependent) {
  const auto image = cut({});
  image->write_file("/d/x", "other");
  EXPECT_EQ(disk.contents("/d/x"), "old");
}

TEST_F(MemFsTest, ADirectoryKeepsOneName) {
  disk.make_dirs("/d/a");
  disk.sync_everything();
  rename("a", "b");
  rename("b", "c");
  const Snapshot tree = cut({false, true})->snapshot("/d");
  EXPECT_FALSE(tree.contains("/d/a"));
  EXPECT_TRUE(tree.contains("/d/c"));
}

TEST_F(MemFsTest, FingerprintsTellDisksApart) {
  const auto image = cut({});
  EXPECT_EQ(image->fingerprint(), cut({})->fingerprint());
  image->write_file("/d/x", "olD");
  EXPECT_NE(image->fingerprint(), cut({})->fingerprint());
}

TEST_F(MemFsTest, DifferenceNamesWhatChanged) {
  const Snapshot before = disk.snapshot();
  disk.write_file("/d/x", "longer", 0600);
  disk.write_file("/d/y", "");
  disk.remove("/e");
  EXPECT_EQ(difference(before, disk.snapshot()),
            "! /d/x: bytes 3 -> 6, mode 644 -> 600,\n- /e\n+ /d/y\n");
}

TEST_F(MemFsTest, LinksAreNotFollowedExceptByOpenRoot) {
  disk.symlink("/d", "/link");
  disk.symlink("x", "/d/to_x");
  const Fd root = disk.open_root("/").value();
  EXPECT_EQ(disk.open(root, rel("link/x"), OpenMode::kRead, 0).error().code, ErrorCode::kWrongType);
  EXPECT_EQ(disk.open(d, rel("to_x"), OpenMode::kRead, 0).error().code, ErrorCode::kWrongType);
  EXPECT_EQ(disk.read_link(d, rel("to_x")).value(), "x");
  const Fd followed = disk.open_root("/e/../link").value();
  EXPECT_EQ(disk.path_of(followed).value(), "/d");
}

TEST_F(MemFsTest, RoomRunsOut) {
  disk.set_free(4, 1);
  const Fd fd = disk.open(d, rel("new"), OpenMode::kCreateExclusive, 0600).value();
  EXPECT_TRUE(disk.write(fd, 0, as_byte_span("1234")));
  EXPECT_EQ(disk.write(fd, 4, as_byte_span("5")).error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(disk.make_dir(d, rel("dir"), 0700).error().code, ErrorCode::kNoSpace);
  ASSERT_TRUE(disk.close(fd));
  ASSERT_TRUE(disk.unlink(d, rel("new")));
  EXPECT_EQ(disk.space(d).value().available_bytes, 4U);
}

TEST_F(MemFsTest, ModesAreEnforced) {
  disk.set_mode("/d/x", 0444);
  EXPECT_TRUE(disk.open(d, rel("x"), OpenMode::kRead, 0));
  EXPECT_EQ(disk.open(d, rel("x"), OpenMode::kReadWrite, 0).error().code, ErrorCode::kPermission);
  EXPECT_TRUE(*disk.may_change_names(d));
  disk.set_mode("/d", 0555);
  EXPECT_FALSE(*disk.may_change_names(d));
  EXPECT_EQ(disk.unlink(d, rel("x")).error().code, ErrorCode::kPermission);
  disk.set_mode("/d", 0755);
  disk.set_immutable("/d/x", true);
  EXPECT_EQ(disk.unlink(d, rel("x")).error().code, ErrorCode::kPermission);
}

TEST_F(MemFsTest, RenameFollowsTheRules) {
  disk.make_dirs("/d/full/sub");
  EXPECT_EQ(disk.rename(d, rel("x"), d, rel("full"), RenameMode::kReplace).error().sys_errno,
            EISDIR);
  EXPECT_EQ(
      disk.rename(d, rel("full"), d, rel("full/sub/in"), RenameMode::kReplace).error().sys_errno,
      EINVAL);
  EXPECT_EQ(disk.rename(d, rel("x"), d, rel("x"), RenameMode::kNoReplace).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(disk.rename(d, rel("x"), d, rel("no"), RenameMode::kExchange).error().code,
            ErrorCode::kNotFound);
}

TEST_F(MemFsTest, WritersAndLocksAreSeen) {
  const Fd reader = disk.open(d, rel("x"), OpenMode::kRead, 0).value();
  const Fd other = disk.open(d, rel("x"), OpenMode::kRead, 0).value();
  EXPECT_FALSE(disk.has_writer(reader).value());
  ASSERT_TRUE(disk.try_lock(reader, fs::LockMode::kShared));
  EXPECT_TRUE(disk.try_lock(other, fs::LockMode::kShared));
  EXPECT_EQ(disk.try_lock(other, fs::LockMode::kExclusive).error().code, ErrorCode::kLocked);
  ASSERT_TRUE(disk.close(reader));
  EXPECT_TRUE(disk.try_lock(other, fs::LockMode::kExclusive));
  const Fd writer = disk.open(d, rel("x"), OpenMode::kReadWrite, 0).value();
  EXPECT_TRUE(disk.has_writer(other).value());
  ASSERT_TRUE(disk.close(writer));
  EXPECT_FALSE(disk.has_writer(other).value());
}

TEST_F(MemFsTest, ThreadsDoNotLoseWrites) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int n = 0; n < 50; ++n) {
        const auto name = rel("t" + std::to_string(i) + "-" + std::to_string(n));
        const Fd fd = disk.open(d, name, OpenMode::kCreateExclusive, 0600).value();
        (void)disk.write(fd, 0, as_byte_span("1"));
        (void)disk.close(fd);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(disk.list(d).value().size(), 201U);
}

class LazyRenamesTest : public MemFsTest {
 protected:
  LazyRenamesTest() : MemFsTest({.directory_sync_suffices = false}) {}
};

TEST_F(LazyRenamesTest, OnlyTheFileSystemSyncKeepsARename) {
  sync(create("tmp", "new"));
  rename("tmp", "x");
  sync(d);
  EXPECT_EQ(possible_x(), (Set{"old", "new"}));
  EXPECT_FALSE(disk.space(d).value().directory_sync_suffices);
  ASSERT_TRUE(disk.sync_file_system(d));
  EXPECT_EQ(possible_x(), Set{"new"});
}

class TwoDevicesTest : public MemFsTest {
 protected:
  TwoDevicesTest() : MemFsTest({.second_device = "/mnt/two"}) {}
};

TEST_F(TwoDevicesTest, NothingIsRenamedOrLinkedAcross) {
  const Fd two = disk.open_root("/mnt/two").value();
  EXPECT_EQ(disk.rename(d, rel("x"), two, rel("x"), RenameMode::kReplace).error().sys_errno, EXDEV);
  EXPECT_EQ(disk.hard_link(d, rel("x"), two, rel("x")).error().sys_errno, EXDEV);
  EXPECT_NE(disk.stat_fd(two)->device, disk.stat_fd(d)->device);
  EXPECT_TRUE(disk.stat_fd(two)->mount_point);
}

TEST_F(TwoDevicesTest, FileSystemSyncIsForOneDevice) {
  disk.write_file("/mnt/two/z", "old");
  disk.sync_everything();
  disk.write_file("/mnt/two/y", "1");
  disk.write_file("/mnt/two/z", "new");
  disk.write_file("/d/y", "1");
  ASSERT_TRUE(disk.sync_file_system(d));
  EXPECT_EQ(cut({})->contents("/d/y"), "1");
  EXPECT_EQ(cut({})->contents("/mnt/two/z"), "old");
  EXPECT_FALSE(cut({})->contents("/mnt/two/y"));
}

class PoorFileSystemTest : public MemFsTest {
 protected:
  PoorFileSystemTest() : MemFsTest({.has_exchange = false, .has_no_replace = false}) {}
};

TEST_F(PoorFileSystemTest, LacksTheRenameFlags) {
  disk.write_file("/d/y", "1");
  EXPECT_EQ(disk.rename(d, rel("x"), d, rel("y"), RenameMode::kExchange).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(disk.rename(d, rel("x"), d, rel("z"), RenameMode::kNoReplace).error().code,
            ErrorCode::kUnsupported);
}

TEST(CrashChoices, FewChangesGiveEverySubsetAndFate) {
  SeededRandom random(1);
  const auto choices = crash_choices(3, DirtyData::kPresent, 8, random);
  EXPECT_EQ(std::set(choices.begin(), choices.end()).size(), 32U);
}

TEST(CrashChoices, ManyChangesGiveTheRegularOnesAndRandomOnes) {
  SeededRandom random(1);
  const auto choices = crash_choices(30, DirtyData::kPresent, 300, random);
  EXPECT_EQ(choices.size(), 300U);
  for (size_t missing = 0; missing < 30; ++missing) {
    std::vector<bool> kept(30, true);
    kept[missing] = false;
    EXPECT_TRUE(std::ranges::any_of(choices, [&](const auto& each) { return each.kept == kept; }));
  }
  SeededRandom same(1);
  EXPECT_EQ(choices, crash_choices(30, DirtyData::kPresent, 300, same));
}

}  // namespace
}  // namespace stravinsky::testing
