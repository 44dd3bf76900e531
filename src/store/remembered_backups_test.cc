#include "store/remembered_backups.h"

#include <gtest/gtest.h>

#include "base/units.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using testing::outcome;

constexpr int64_t kThenNs = 1'700'000'000 * kNanosPerSecond;
constexpr int64_t kLaterNs = kThenNs + 10 * kNanosPerSecond;

fs::Stat file_of(uint64_t inode) {
  fs::Stat stat;
  stat.inode = inode;
  stat.size_bytes = 1000;
  stat.mtime_ns = kThenNs;
  stat.ctime_ns = kThenNs + 1;
  return stat;
}

BackupInfo info_of(const std::string& id) {
  return {.id = id,
          .sequence = 7,
          .kind = model::BackupKind::kPreRollback,
          .type = model::BackupType::kIncremental,
          .version = *model::Version::parse("1.2.3"),
          .time_ns = kThenNs + 5,
          .pinned = true,
          .size_bytes = 4096,
          .files_count = 74,
          .user_root = "/home/u/\xff\"\n/.claude",
          .project_root = "",
          .version_of = "/home/u"};
}

class RememberedBackupsTest : public ::testing::Test {
 protected:
  RememberedBackupsTest() {
    disk.make_dirs("/store/recovery");
    dir = *fs::File::open_root(disk, "/store");
  }
  Status save(RememberedBackups& known, int64_t now_ns = kLaterNs) {
    return known.save(disk, dir.fd(), now_ns, [&](const std::string& id) { return id != "gone"; });
  }
  RememberedBackups read() {
    RememberedBackups known;
    known.load(disk, dir.fd());
    return known;
  }
  std::string text() const { return disk.contents("/store/recovery/backups.list").value_or(""); }

  testing::MemFs disk;
  fs::File dir;
};

TEST_F(RememberedBackupsTest, ReadsBackEveryFact) {
  RememberedBackups known;
  known.put(file_of(1), info_of("a"));
  ASSERT_EQ(outcome(save(known)), "ok");
  const auto found = read().find("a", file_of(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "a");
  EXPECT_EQ(found->sequence, 7U);
  EXPECT_EQ(found->kind, model::BackupKind::kPreRollback);
  EXPECT_EQ(found->type, model::BackupType::kIncremental);
  EXPECT_EQ(found->version.str(), "1.2.3");
  EXPECT_EQ(found->time_ns, kThenNs + 5);
  EXPECT_TRUE(found->pinned);
  EXPECT_EQ(found->size_bytes, 4096U);
  EXPECT_EQ(found->files_count, 74U);
  EXPECT_EQ(found->user_root, "/home/u/\xff\"\n/.claude");
  EXPECT_EQ(found->project_root, "");
  EXPECT_EQ(found->version_of, "/home/u");
}

TEST_F(RememberedBackupsTest, AnotherFileOfThatNameIsNotIt) {
  RememberedBackups known;
  known.put(file_of(1), info_of("a"));
  ASSERT_EQ(outcome(save(known)), "ok");
  const RememberedBackups later = read();
  EXPECT_TRUE(later.find("a", file_of(1)));
  EXPECT_FALSE(later.find("b", file_of(1)));
  EXPECT_FALSE(later.find("a", file_of(2)));
  fs::Stat stat = file_of(1);
  stat.size_bytes += 1;
  EXPECT_FALSE(later.find("a", stat));
  stat = file_of(1);
  stat.mtime_ns += 1;
  EXPECT_FALSE(later.find("a", stat));
  stat = file_of(1);
  stat.ctime_ns += 1;
  EXPECT_FALSE(later.find("a", stat));
}

TEST_F(RememberedBackupsTest, WhatIsYoungOrGoneIsNotKept) {
  RememberedBackups known;
  known.put(file_of(1), info_of("a"));
  known.put(file_of(2), info_of("gone"));
  fs::Stat young = file_of(3);
  young.ctime_ns = kLaterNs - kNanosPerSecond / 2;
  known.put(young, info_of("young"));
  ASSERT_EQ(outcome(save(known)), "ok");
  const RememberedBackups later = read();
  EXPECT_TRUE(later.find("a", file_of(1)));
  EXPECT_FALSE(later.find("gone", file_of(2)));
  EXPECT_FALSE(later.find("young", young));
}

TEST_F(RememberedBackupsTest, NothingNewIsNotWritten) {
  RememberedBackups known;
  ASSERT_EQ(outcome(save(known)), "ok");
  EXPECT_EQ(text(), "");
  known.put(file_of(1), info_of("a"));
  ASSERT_EQ(outcome(save(known)), "ok");
  disk.write_file("/store/recovery/backups.list", text(), 0600);
  const auto before = disk.snapshot("/store");
  RememberedBackups later = read();
  ASSERT_EQ(outcome(save(later)), "ok");
  EXPECT_EQ(testing::difference(before, disk.snapshot("/store")), "");
}

TEST_F(RememberedBackupsTest, DamageOfAnyByteCountsForNothing) {
  RememberedBackups known;
  known.put(file_of(1), info_of("a"));
  ASSERT_EQ(outcome(save(known)), "ok");
  const std::string good = text();
  ASSERT_TRUE(read().find("a", file_of(1)));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    disk.write_file("/store/recovery/backups.list", bad, 0600);
    if (i == good.find('\n')) continue;  // what parts the digest from the rest says nothing
    EXPECT_FALSE(read().find("a", file_of(1))) << i;
    disk.write_file("/store/recovery/backups.list", good.substr(0, i), 0600);
    EXPECT_FALSE(read().find("a", file_of(1))) << i;
  }
}

}  // namespace
}  // namespace stravinsky::store
