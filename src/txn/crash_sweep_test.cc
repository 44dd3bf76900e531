// Every place where the power can go or the process be killed, every call that can
// fail, every moment at which a user can save.
//
// STRAVINSKY_SWEEP=full goes deeper: more subsets, every point of every recovery.
#include <gtest/gtest.h>

#include <cstdlib>

#include "testing/meddling_fs.h"
#include "testing/txn_sweep.h"

namespace stravinsky::txn {
namespace {

using testing::kLooseDirectorySync;
using testing::kOrdinary;
using testing::kPlainRenameOnly;
using testing::kToTheEnd;
using testing::make_mixed;
using testing::MemFsOptions;
using testing::RecoveryCrashes;
using testing::Saving;
using testing::StopAfter;
using testing::sweep_case;
using testing::SweepReport;
using testing::TxnFixture;

bool is_full() {
  const char* how = std::getenv("STRAVINSKY_SWEEP");
  return how != nullptr && std::string_view(how) == "full";
}

void expect_clean(const SweepReport& report) {
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_GT(report.points, 50U);
  ::testing::Test::RecordProperty("images", static_cast<int>(report.images));
  if (std::getenv("STRAVINSKY_SWEEP") != nullptr) std::printf("%s", report.to_string().c_str());
}

testing::CrashSweepOptions depth(RecoveryCrashes in_recovery) {
  if (is_full())
    return {.subset_limit = 256,
            .recovery_subset_limit = 16,
            .crash_in_recovery = RecoveryCrashes::kEveryPoint};
  return {.subset_limit = 8, .recovery_subset_limit = 2, .crash_in_recovery = in_recovery};
}

void crash_sweep(const MemFsOptions& options, StopAfter last, RecoveryCrashes in_recovery) {
  const auto t = make_mixed(options);
  expect_clean(run_crash_sweep(sweep_case(*t, last), depth(in_recovery)));
}

const MemFsOptions kNoExchange = {.has_exchange = false};
const MemFsOptions kTwoDevices = {.second_device = testing::kDotfiles};

// --- power cuts

TEST(CrashSweep, AnUpdateIsAllOrNothing) {
  crash_sweep(kOrdinary, StopAfter::kFinish, RecoveryCrashes::kEveryPoint);
}
TEST(CrashSweep, ARollBackIsComplete) {
  crash_sweep(kOrdinary, StopAfter::kRollBack, RecoveryCrashes::kSampled);
}
TEST(CrashSweep, WithoutExchange) {
  crash_sweep(kNoExchange, StopAfter::kFinish, RecoveryCrashes::kSampled);
  crash_sweep(kNoExchange, StopAfter::kRollBack, RecoveryCrashes::kSampled);
}
TEST(CrashSweep, WithPlainRenameOnly) {
  crash_sweep(kPlainRenameOnly, StopAfter::kFinish, RecoveryCrashes::kSampled);
  crash_sweep(kPlainRenameOnly, StopAfter::kRollBack, RecoveryCrashes::kSampled);
}
TEST(CrashSweep, WhereADirectorySyncDoesNotSuffice) {
  crash_sweep(kLooseDirectorySync, StopAfter::kFinish, RecoveryCrashes::kSampled);
  crash_sweep(kLooseDirectorySync, StopAfter::kRollBack, RecoveryCrashes::kSampled);
}
TEST(CrashSweep, OnTwoDevices) {
  crash_sweep(kTwoDevices, StopAfter::kFinish, RecoveryCrashes::kSampled);
  crash_sweep(kTwoDevices, StopAfter::kRollBack, RecoveryCrashes::kSampled);
}

// --- kills, and then a power cut while the next process recovers

void kill_sweep(const MemFsOptions& options, StopAfter last) {
  const auto t = make_mixed(options);
  testing::KillSweepOptions depth;
  if (is_full()) depth = {.subset_limit = 64, .cuts_max = UINT64_MAX};
  expect_clean(run_kill_sweep(*t, last, depth));
}

TEST(KillSweep, WhatRecoveryTellsStaysTrue) {
  kill_sweep(kOrdinary, StopAfter::kFinish);
  kill_sweep(kOrdinary, StopAfter::kRollBack);
}
TEST(KillSweep, WithPlainRenameOnly) {
  kill_sweep(kPlainRenameOnly, StopAfter::kFinish);
}
TEST(KillSweep, WhereADirectorySyncDoesNotSuffice) {
  kill_sweep(kLooseDirectorySync, StopAfter::kFinish);
}

// --- errors

void errno_sweep(const MemFsOptions& options, StopAfter last) {
  const auto t = make_mixed(options);
  expect_clean(run_errno_sweep(sweep_case(*t, last)));
}

TEST(ErrnoSweep, NoErrorIsSwallowed) {
  errno_sweep(kOrdinary, StopAfter::kFinish);
}
TEST(ErrnoSweep, NorDuringARollBack) {
  errno_sweep(kOrdinary, StopAfter::kRollBack);
}
TEST(ErrnoSweep, NorWithPlainRenameOnly) {
  errno_sweep(kPlainRenameOnly, StopAfter::kFinish);
}
TEST(ErrnoSweep, NorWhereADirectorySyncDoesNotSuffice) {
  errno_sweep(kLooseDirectorySync, StopAfter::kFinish);
}

// --- users

void meddling_sweep(const MemFsOptions& options, Saving saving) {
  const auto t = make_mixed(options);
  std::vector<uint64_t> distances = {0, 1, 2, 5, 12, kToTheEnd};
  if (is_full()) distances = {0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 40, kToTheEnd};
  expect_clean(run_meddling_sweep(*t, saving, distances));
}

TEST(MeddlingSweep, AUserWhoSavesInPlaceKeepsTheirBytes) {
  meddling_sweep(kOrdinary, Saving::kInPlace);
  meddling_sweep(kPlainRenameOnly, Saving::kInPlace);
}
TEST(MeddlingSweep, AUserWhoSavesByRenameKeepsTheirBytes) {
  meddling_sweep(kOrdinary, Saving::kByRename);
  meddling_sweep(kPlainRenameOnly, Saving::kByRename);
}
TEST(MeddlingSweep, AUserWhoSavesThroughAnOldDescriptorKeepsTheirBytes) {
  meddling_sweep(kOrdinary, Saving::kThroughOldDescriptor);
  meddling_sweep(kPlainRenameOnly, Saving::kThroughOldDescriptor);
}

// --- readers

// At every instant: a name of both trees is there, and settings name no absent hook.
void watch(TxnFixture& t, StopAfter last) {
  const auto disk = t.fresh_disk();
  uint64_t looks = 0;
  const auto look = [&](const testing::MeddlingFs::Upcoming& upcoming) {
    ++looks;
    const auto now = t.tree(*disk);
    for (const auto& [path, node] : t.old_tree()) {
      if (t.new_tree().contains(path)) {
        EXPECT_TRUE(now.contains(path)) << path << " is absent before call " << upcoming.number;
      }
    }
    const std::string settings = *disk->contents(std::string(testing::kDotfiles) + "/claude.json");
    const bool is_new = settings.find("lib/b") != std::string::npos;
    const std::string hook = is_new ? "hooks/lib/b.py" : "hooks/gone.py";
    EXPECT_NE(t.contents(*disk, hook), "<absent>")
        << "settings name an absent hook at " << upcoming.number;
  };
  testing::MeddlingFs watched(*disk, look);
  (void)t.update_until(watched, last);
  look({});
  if (last == StopAfter::kApply) {
    testing::MeddlingFs recovering(*disk, look);
    EXPECT_TRUE(t.recover(recovering));
    look({});
  }
  EXPECT_GT(looks, 60U);
}

TEST(Readers, NeverMissANameOrSeeSettingsThatNameAnAbsentHook) {
  const auto t = make_mixed({});
  for (const StopAfter last : {StopAfter::kFinish, StopAfter::kRollBack, StopAfter::kApply})
    watch(*t, last);
}

}  // namespace
}  // namespace stravinsky::txn
