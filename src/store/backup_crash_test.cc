// What a power cut, a failed call or a missing sync does to a backup being made.
#include <gtest/gtest.h>

#include "base/mutant.h"
#include "fs/file.h"
#include "store/backup_store.h"
#include "testing/crash_sweep.h"
#include "testing/fake_clock.h"

namespace stravinsky::store {
namespace {

constexpr const char* kStorePlace = "/home/u/.stravinsky/rollback";

Status create(fs::FileSystem& disk, const std::string& label) {
  testing::FakeClock clock;
  ASSIGN_OR_RETURN(const StoreDir dir, StoreDir::open(disk, kStorePlace, 1000, IfAbsent::kCreate));
  ASSIGN_OR_RETURN(const Roots roots,
                   find_roots(disk, {.home = "/home/u", .working_directory = "/home/u"}));
  ASSIGN_OR_RETURN(const Snapshot snapshot, take_snapshot(disk, {.roots = roots}));
  BackupRequest request{.label = label};
  request.threads = 1;  // so that each run does the same calls
  ASSIGN_OR_RETURN(const CreatedBackup created, BackupStore(dir, clock).create(snapshot, request));
  return {};
}

Status sweep_backups(fs::FileSystem& disk) {
  testing::FakeClock clock;
  ASSIGN_OR_RETURN(const StoreDir dir, StoreDir::open(disk, kStorePlace, 1000, IfAbsent::kCreate));
  ASSIGN_OR_RETURN(const auto removed, BackupStore(dir, clock).sweep());
  return {};
}

// Backup "a" exists; "b" is made of a tree in which one file changed, so that one
// archive is linked, one is written and members are copied.
std::unique_ptr<testing::MemFs> initial_disk() {
  auto disk = std::make_unique<testing::MemFs>();
  disk->write_file("/home/u/.claude/hooks/x.py", "print(1)\n", 0755);
  disk->write_file("/home/u/.claude/hooks/y.py", "print(2)\n", 0755);
  disk->write_file("/home/u/.claude/commands/c.md", "# c\n");
  disk->write_file("/home/u/.claude/settings.json", "{}");
  EXPECT_TRUE(create(*disk, "a"));
  disk->write_file("/home/u/.claude/hooks/y.py", "print(3)\n", 0755);
  return disk;
}

std::vector<std::string> broken_backup_rules(testing::MemFs& disk, bool acknowledged) {
  std::vector<std::string> broken;
  testing::FakeClock clock;
  const auto dir = StoreDir::open(disk, kStorePlace, 1000, IfAbsent::kFail);
  if (!dir) return {"the store is gone"};
  const BackupStore store(*dir, clock);
  const auto list = store.list();
  if (!list) return {"the list cannot be read: " + list.error().to_string()};
  for (const auto& one : list->broken) broken.push_back("broken: " + one.error.to_string());
  bool has_a = false;
  bool has_b = false;
  for (const BackupInfo& info : list->backups) {
    has_a = has_a || info.id == "a";
    has_b = has_b || info.id == "b";
    const auto problems = store.verify(info.id, VerifyDepth::kFull, 1);
    if (!problems || !problems->empty()) broken.push_back(info.id + " does not verify");
  }
  if (!has_a) broken.push_back("the old backup is gone");
  if (acknowledged && !has_b) broken.push_back("the acknowledged backup is gone");
  for (const auto& [path, node] : disk.snapshot(std::string(kStorePlace) + "/backups"))
    if (path.ends_with(".partial") && node.type == fs::NodeType::kDirectory)
      broken.push_back("litter: " + path);
  return broken;
}

testing::SweepCase backup_sweep_case() {
  return {.make_initial = initial_disk,
          .operation = [](fs::FileSystem& disk) { return create(disk, "b"); },
          .recover = sweep_backups,
          .violations = broken_backup_rules};
}

TEST(BackupCrash, APowerCutLeavesAWholeBackupOrNone) {
  const testing::SweepReport report = testing::run_crash_sweep(backup_sweep_case());
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_GT(report.points, 20U);
}

TEST(BackupCrash, AFailedCallLeavesAWholeBackupOrNone) {
  const testing::SweepReport report = testing::run_errno_sweep(backup_sweep_case());
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

#ifdef STRAVINSKY_FAULT_POINTS
TEST(BackupCrash, EachMissingSyncIsNoticed) {
  for (const char* mutant :
       {"backup_file_not_synced", "backup_directory_not_synced", "backup_publication_not_synced"}) {
    set_mutant(mutant);
    EXPECT_FALSE(testing::run_crash_sweep(backup_sweep_case()).is_clean()) << mutant;
    set_mutant("");
  }
}
#endif

}  // namespace
}  // namespace stravinsky::store
