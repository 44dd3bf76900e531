// The audit log under power cuts, kills and failing calls: after any of them, and
// a recovery, the chain is whole and holds every event that was acknowledged.

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "fs/file.h"
#include "store/audit_log.h"
#include "testing/audit_fixture.h"
#include "testing/crash_sweep.h"
#include "testing/fake_clock.h"
#include "testing/seeded_random.h"

namespace stravinsky::store {
namespace {

using testing::FaultFs;
using testing::FaultKind;
using testing::MemFs;
using testing::SweepCase;

// Opens the store anew, as a new process does.
template <typename Use>
Status with_log(fs::FileSystem& fs, uint64_t seed, Use use) {
  testing::FakeClock clock;
  testing::SeededRandom random(seed);
  ASSIGN_OR_RETURN(const fs::File store, fs::File::open_root(fs, "/store"));
  AuditLog log(fs, store.fd(), clock, random, {"alice", "host"});
  return use(log);
}

Status append(fs::FileSystem& fs, const std::string& notes, uint64_t seed = 2) {
  return with_log(fs, seed, [&](AuditLog& log) -> Status {
    RETURN_IF_ERROR(log.append(testing::audit_event(notes)));
    return {};
  });
}

Status recover(fs::FileSystem& fs) {
  return with_log(fs, 3, [](AuditLog& log) { return log.recover(); });
}

std::unique_ptr<MemFs> empty_store() {
  auto fs = std::make_unique<MemFs>();
  fs->make_dirs("/store", 0700);
  return fs;
}

std::unique_ptr<MemFs> store_with_two_events() {
  auto fs = empty_store();
  EXPECT_TRUE(append(*fs, "old 1", 1));
  EXPECT_TRUE(append(*fs, "old 2", 1));
  return fs;
}

std::unique_ptr<MemFs> store_with_a_torn_tail() {
  auto fs = store_with_two_events();
  const std::string text = fs->contents(testing::kAuditLogPath).value_or("");
  fs->remove(testing::kAuditLogPath);
  fs->write_file(testing::kAuditLogPath, text + std::string(700, '\0'), 0600);
  return fs;
}

// The rules; expected are the acknowledged events in their order.
std::vector<std::string> broken_rules(MemFs& fs, const std::vector<std::string>& expected) {
  std::vector<std::string> broken;
  const auto look = [&](AuditLog& log) -> Status {
    ASSIGN_OR_RETURN(const AuditVerdict verdict, log.verify());
    if (!verdict.ok()) broken.push_back("not whole: " + verdict.message);
    ASSIGN_OR_RETURN(const AuditPage page, log.query({}));
    std::vector<std::string> found;
    for (const auto& record : page.events) {
      const bool healed = record.event.type == model::AuditEventType::kAuditHealed;
      if (!healed) found.insert(found.begin(), record.event.notes);
    }
    std::vector<std::string> unique = found;
    std::ranges::sort(unique);
    if (std::ranges::adjacent_find(unique) != unique.end()) broken.emplace_back("an event twice");
    auto next = found.begin();
    for (const std::string& notes : expected) {
      next = std::find(next, found.end(), notes);
      if (next == found.end()) {
        broken.push_back("lost: " + notes);
        break;
      }
    }
    return {};
  };
  if (const Status looked = with_log(fs, 4, look); !looked) {
    broken.push_back(looked.error().to_string());
  }
  return broken;
}

// The log is whole, and goes on.
std::vector<std::string> violations(MemFs& fs, std::vector<std::string> expected) {
  std::vector<std::string> broken = broken_rules(fs, expected);
  const auto copy = fs.crashed(
      {.kept = std::vector<bool>(fs.pending_count(), true), .data = testing::DataFate::kAll});
  if (const Status appended = append(*copy, "later", 5); !appended) {
    broken.push_back("cannot go on: " + appended.error().to_string());
    return broken;
  }
  expected.emplace_back("later");
  std::ranges::move(broken_rules(*copy, expected), std::back_inserter(broken));
  return broken;
}

SweepCase one_append(std::unique_ptr<MemFs> (*initial)(), std::vector<std::string> old) {
  return {.make_initial = initial,
          .operation = [](fs::FileSystem& fs) { return append(fs, "new"); },
          .recover = recover,
          .violations =
              [old](MemFs& after, bool acknowledged) {
                std::vector<std::string> expected = old;
                if (acknowledged) expected.emplace_back("new");
                return violations(after, expected);
              }};
}

const std::vector<std::string> kOld = {"old 1", "old 2"};

TEST(AuditLogCrash, FirstAppend) {
  const auto report = run_crash_sweep(one_append(empty_store, {}),
                                      {.crash_in_recovery = testing::RecoveryCrashes::kEveryPoint});
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_GT(report.images, 10U);
}

TEST(AuditLogCrash, AppendToALog) {
  const auto report = run_crash_sweep(one_append(store_with_two_events, kOld),
                                      {.crash_in_recovery = testing::RecoveryCrashes::kEveryPoint});
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(AuditLogCrash, AppendThatHeals) {
  const auto report = run_crash_sweep(one_append(store_with_a_torn_tail, kOld),
                                      {.crash_in_recovery = testing::RecoveryCrashes::kEveryPoint});
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(AuditLogCrash, EveryFailingCall) {
  for (const auto& sweep_case :
       {one_append(empty_store, {}), one_append(store_with_two_events, kOld),
        one_append(store_with_a_torn_tail, kOld)}) {
    const auto report = run_errno_sweep(sweep_case);
    EXPECT_TRUE(report.is_clean()) << report.to_string();
  }
}

// One append meets the error, the next one in the same system does not: what a
// failed sync dropped must not be built upon.
TEST(AuditLogCrash, AppendAfterOneThatFailed) {
  SweepCase sweep_case = one_append(store_with_two_events, kOld);
  sweep_case.operation = [](fs::FileSystem& fs) {
    (void)append(fs, "failed");
    return append(fs, "new");
  };
  const auto report = run_errno_sweep(sweep_case);
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

// The process is killed at every call, and another one appends before the power
// goes: what the first one left unsynced must not be built upon either.
TEST(AuditLogCrash, AppendAfterAKill) {
  for (const auto initial : {empty_store, store_with_two_events, store_with_a_torn_tail}) {
    const auto disk = initial();
    FaultFs counted(*disk, {});
    ASSERT_TRUE(append(counted, "killed"));
    for (uint64_t at = 1; at <= counted.mutating_count(); ++at) {
      SweepCase sweep_case =
          one_append(initial, initial == empty_store ? std::vector<std::string>() : kOld);
      sweep_case.operation = [at](fs::FileSystem& fs) {
        FaultFs killed(fs, {.kind = FaultKind::kStop, .at = at});
        (void)append(killed, "killed");
        return append(fs, "new");
      };
      const auto report = run_crash_sweep(
          sweep_case, {.subset_limit = 16, .crash_in_recovery = testing::RecoveryCrashes::kNone});
      ASSERT_TRUE(report.is_clean()) << "killed at " << at << ": " << report.to_string();
    }
  }
}

// Killed between a failed sync and the clean-up after it: the event is in the
// cache, clean, and not on the disk.
std::unique_ptr<MemFs> store_with_a_dropped_event() {
  const auto counted = store_with_two_events();
  FaultFs counting(*counted, {});
  EXPECT_TRUE(append(counting, "killed"));
  const auto calls = counting.calls();
  const auto sync = std::ranges::find(calls, testing::Op::kSync);
  auto fs = store_with_two_events();
  FaultFs failing(*fs, {.kind = FaultKind::kFailFromOn,
                        .at = static_cast<uint64_t>(sync - calls.begin()) + 1,
                        .sys_errno = EIO});
  EXPECT_FALSE(append(failing, "killed"));
  return fs;
}

TEST(AuditLogCrash, AppendAfterAKillAtAFailedSync) {
  const auto report = run_crash_sweep(one_append(store_with_a_dropped_event, kOld),
                                      {.crash_in_recovery = testing::RecoveryCrashes::kEveryPoint});
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

}  // namespace
}  // namespace stravinsky::store
