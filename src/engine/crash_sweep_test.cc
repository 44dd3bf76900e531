// The whole operations, stopped at every call and recovered from every disk that a
// power cut there may leave: backup, update, undo, rollback.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "engine/disarm.h"
#include "engine/emergency.h"
#include "engine/recovery.h"
#include "engine/rollback.h"
#include "testing/crash_sweep.h"
#include "testing/engine_fixture.h"

namespace stravinsky::engine {
namespace {

using testing::CrashSweepOptions;
using testing::EngineFixture;
using testing::MemFs;
using testing::RecoveryCrashes;
using testing::Snapshot;
using testing::SweepCase;
using testing::SweepReport;

CrashSweepOptions sweep_options() {
  const char* wanted = std::getenv("STRAVINSKY_SWEEP");
  if (wanted != nullptr && std::string_view(wanted) == "full")
    return {.subset_limit = 64,
            .recovery_subset_limit = 4,
            .crash_in_recovery = RecoveryCrashes::kSampled};
  return {.subset_limit = 8,
          .recovery_subset_limit = 2,
          .crash_in_recovery = RecoveryCrashes::kNone,
          .points_max = 120};
}

// A fixture with v1 installed over a tree of the user's, and what follows on disk.
struct Prepared {
  EngineFixture fixture;
  std::unique_ptr<MemFs> disk;

  Prepared() {
    fixture.file("hooks/a.py", "user a\n", 0755).file("commands/k.md", "k\n");
    fixture.file("settings.json", "{\"model\": \"m\"}\n");
    fixture.bundle("v1", {{"hooks/a.py", "a1\n"},
                          {"hooks/both.py", "1\n"},
                          {"hooks/lines.py", "1\n2\n3\n4\n"},
                          {"commands/old.md", "o\n"}});
    fixture.bundle("v2", {{"hooks/a.py", "a2\n"},
                          {"hooks/both.py", "2\n"},
                          {"hooks/lines.py", "1\n2\n3\n4 of v2\n"},
                          {"skills/s/SKILL.md", "s\n"},
                          {"settings.json", "{\"cleanupPeriodDays\": 3}"}});
    EXPECT_TRUE(fixture.update("v1"));
    fixture.file("hooks/both.py", "mine\n").file("hooks/lines.py", "1 of mine\n2\n3\n4\n");
    fixture.disk().sync_everything();
  }
  std::unique_ptr<MemFs> fresh() { return fixture.disk().crashed({}); }
};

Status status_of(const Result<OperationResult>& result) {
  if (!result) return result.error();
  if (result->failure) return *result->failure;
  return {};
}

// operation on the prepared disk; after it the tree is the old or the new one.
SweepReport sweep(Prepared& prepared, const std::function<Status(fs::FileSystem&)>& operation) {
  EngineFixture& e = prepared.fixture;
  const Snapshot old_tree = e.tree();
  const auto done = prepared.fresh();
  const Status completed = operation(*done);
  EXPECT_TRUE(completed) << completed.error().to_string();
  const Snapshot new_tree = done->snapshot(EngineFixture::kTree);
  SweepCase sweep_case;
  sweep_case.make_initial = [&] { return prepared.fresh(); };
  sweep_case.operation = operation;
  sweep_case.recover = [&](fs::FileSystem& fs) { return e.recover(fs); };
  sweep_case.violations = [&](MemFs& after, bool acknowledged) {
    std::vector<std::string> broken = e.broken_rules(after);
    const Snapshot tree = after.snapshot(EngineFixture::kTree);
    const std::string from_new = testing::difference(new_tree, tree);
    const std::string from_old = testing::difference(old_tree, tree);
    if (!from_new.empty() && (acknowledged || !from_old.empty()))
      broken.push_back(acknowledged ? "acknowledged, but: " + from_new
                                    : "neither: from old " + from_old + " from new " + from_new);
    return broken;
  };
  return run_crash_sweep(sweep_case, sweep_options());
}

TEST(EngineCrashSweep, Backup) {
  Prepared prepared;
  const SweepReport report =
      sweep(prepared, [&](fs::FileSystem& fs) { return prepared.fixture.back_up(fs, "by-hand"); });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_GT(report.points, 20U);
}

TEST(EngineCrashSweep, Update) {
  Prepared prepared;
  const SweepReport report = sweep(
      prepared, [&](fs::FileSystem& fs) { return status_of(prepared.fixture.update(fs, "v2")); });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_GT(report.points, 50U);
}

TEST(EngineCrashSweep, Undo) {
  Prepared prepared;
  const SweepReport report =
      sweep(prepared, [&](fs::FileSystem& fs) { return status_of(prepared.fixture.undo(fs)); });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(EngineCrashSweep, Rollback) {
  Prepared prepared;
  const SweepReport report = sweep(prepared, [&](fs::FileSystem& fs) {
    return status_of(prepared.fixture.rollback_to("unknown", &fs));
  });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

// Success is only ever reported for what is there; failure leaves the old tree, or
// the new one where the error says that recovery decides.
// A session of its own for each run, and something to bring back.
SweepReport sweep_recovery(const std::function<Result<OperationResult>(Session&)>& operation) {
  Prepared prepared;
  EngineFixture& e = prepared.fixture;
  EXPECT_TRUE(e.back_up(e.disk(), "good"));
  e.file("hooks/a.py", "worse\n").file("hooks/more.py", "more\n");
  e.file("settings.json", "{\"hooks\": {\"Stop\": []}, \"model\": \"m\"}\n");
  e.disk().remove(std::string(EngineFixture::kTree) + "/commands");
  e.disk().sync_everything();
  return sweep(prepared, [&](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const auto session, e.open(fs));
    return status_of(operation(*session));
  });
}

TEST(EngineCrashSweep, RecoverDirectory) {
  const SweepReport report = sweep_recovery([](Session& session) {
    return recover_directory(session, {.path = "~/.claude/hooks", .version_or_id = "good"});
  });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(EngineCrashSweep, RecoverFile) {
  const SweepReport report = sweep_recovery([](Session& session) {
    return recover_file(session, {.path = "~/.claude/commands/k.md", .version_or_id = "good"});
  });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(EngineCrashSweep, Emergency) {
  const SweepReport report = sweep_recovery([](Session& session) -> Result<OperationResult> {
    ASSIGN_OR_RETURN(EmergencyResult result, emergency(session, {.pick = "good", .reason = ""}));
    return std::move(*result.restored);
  });
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(EngineCrashSweep, Disarm) {
  const SweepReport report = sweep_recovery(disarm);
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

TEST(EngineErrnoSweep, UpdateTellsTheTruth) {
  Prepared prepared;
  EngineFixture& e = prepared.fixture;
  const Snapshot old_tree = e.tree();
  const auto done = prepared.fresh();
  ASSERT_TRUE(e.update(*done, "v2"));
  const Snapshot new_tree = done->snapshot(EngineFixture::kTree);
  SweepCase sweep_case;
  sweep_case.make_initial = [&] { return prepared.fresh(); };
  // A directory that could not be read is told of, and what is in it stays.
  const std::string stays = "+ " + std::string(EngineFixture::kTree) + "/commands/old.md\n";
  bool is_told = false;
  sweep_case.operation = [&](fs::FileSystem& fs) {
    const auto result = e.update(fs, "v2");
    is_told = result && std::ranges::any_of(result->warnings, [](const std::string& warning) {
                return warning.find("is not in the backup") != std::string::npos;
              });
    return status_of(result);
  };
  sweep_case.recover = [&](fs::FileSystem& fs) { return e.recover(fs); };
  sweep_case.violations = [&](MemFs& after, bool acknowledged) -> std::vector<std::string> {
    const Snapshot tree = after.snapshot(EngineFixture::kTree);
    const std::string from_new = testing::difference(new_tree, tree);
    const std::string from_old = testing::difference(old_tree, tree);
    if (is_told && from_new == stays) return {};
    if (acknowledged && !from_new.empty()) return {"acknowledged, but: " + from_new};
    if (!from_new.empty() && !from_old.empty()) return {"neither: " + from_old};
    return {};
  };
  const char* wanted = std::getenv("STRAVINSKY_SWEEP");
  const bool full = wanted != nullptr && std::string_view(wanted) == "full";
  const SweepReport report = run_errno_sweep(sweep_case, {.runs_max = full ? UINT64_MAX : 400});
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

}  // namespace
}  // namespace stravinsky::engine
