#include "engine/status.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/recovery.h"
#include "engine/rollback.h"
#include "engine/updater.h"
#include "model/store_layout.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

std::unique_ptr<Session> open(EngineFixture& e, RunMode mode) {
  SessionRequest request;
  request.mode = mode;
  auto session = e.open(e.disk(), std::move(request));
  EXPECT_EQ(outcome(session), "ok");
  return std::move(*session);
}

StatusReport status_of(EngineFixture& e, RunMode mode = RunMode::kReal) {
  auto report = read_status(*open(e, mode));
  EXPECT_EQ(outcome(report), "ok");
  return report ? std::move(*report) : StatusReport();
}

TEST(Status, WithoutAStoreThereIsNothing) {
  EngineFixture e;
  const StatusReport report = status_of(e, RunMode::kDryRun);  // makes no store
  EXPECT_EQ(report.current_version, "unknown");
  EXPECT_EQ(report.backups, 0U);
  EXPECT_FALSE(report.last_event);
  EXPECT_FALSE(report.is_inconsistent());
}

TEST(Status, TellsVersionHistoryAndHold) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}}).bundle("v2", {{"hooks/a.py", "2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  ASSERT_EQ(outcome(e.undo()), "ok");
  const StatusReport report = status_of(e);
  EXPECT_EQ(report.current_version, "v1");
  EXPECT_EQ(report.held_version, "1");
  EXPECT_EQ(report.undo, 1U);
  EXPECT_EQ(report.redo, 1U);
  EXPECT_EQ(report.backups, 3U);
  EXPECT_EQ(report.newest_backup, "v2.pre_rollback");
  ASSERT_TRUE(report.last_event);
  EXPECT_EQ(report.last_event->type, "UNDO");
  EXPECT_EQ(report.last_event->status, "success");
  EXPECT_TRUE(report.drift.empty());
  EXPECT_EQ(report.warnings, std::vector<std::string>());
}

TEST(Status, NamesWhatChangedSinceTheLastTransaction) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"},
                  {"hooks/b.py", "1\n"},
                  {"hooks/c.py", "1\n"},
                  {"commands/d.md", "1\n"}});
  e.bundle("v2", {{"hooks/a.py", "2\n"}, {"hooks/b.py", "2\n"}, {"hooks/c.py", "2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  e.file("hooks/a.py", "edited\n").file("commands/d.md", "again\n").file("hooks/own.py", "own\n");
  e.disk().remove(std::string(EngineFixture::kTree) + "/hooks/b.py");
  std::vector<std::string> drift;
  for (const Drift& one : status_of(e).drift) drift.push_back(one.path + ": " + one.what);
  std::ranges::sort(drift);
  EXPECT_EQ(drift, (std::vector<std::string>{"~/.claude/commands/d.md: is there again",
                                             "~/.claude/hooks/a.py: changed",
                                             "~/.claude/hooks/b.py: deleted"}));
}

TEST(Status, IsToldEvenWhenPartsAreDamaged) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  const std::string store = EngineFixture::kStore;
  e.disk().remove(store + "/backups/unknown.pre_update/manifest.json");
  const StatusReport report = status_of(e);
  EXPECT_EQ(report.current_version, "v1");
  ASSERT_EQ(report.warnings.size(), 1U);
  EXPECT_NE(report.warnings.front().find("unknown.pre_update"), std::string::npos);
}

// Undo stops at it as well, so what lies behind it is no way back.
TEST(Status, ARecordThatCannotBeReadEndsTheWayBack) {
  EngineFixture e;
  for (const char* version : {"v1", "v2", "v3"}) {
    e.bundle(version, {{"hooks/a.py", version}});
    ASSERT_EQ(outcome(e.update(version)), "ok");
  }
  const auto latest = open(e, RunMode::kReal)->latest();
  ASSERT_EQ(outcome(latest), "ok");
  ASSERT_EQ(latest->undo.size(), 3U);
  e.disk().remove(std::string(EngineFixture::kStore) + "/" +
                  model::layout::done_transaction(latest->undo[1]).str() + "/journal");
  const StatusReport report = status_of(e);
  EXPECT_EQ(report.undo, 1U);
  EXPECT_EQ(report.warnings.size(), 1U);
}

// What undo, rollback and recovery say where nothing was ever done.
TEST(WithoutAStore, TheWayBackFindsNothingAndDoesNotCrash) {
  EngineFixture e;
  const auto session = open(e, RunMode::kDryRun);
  EXPECT_EQ(outcome(undo(*session)), "not_found");
  EXPECT_EQ(outcome(redo(*session)), "not_found");
  EXPECT_EQ(outcome(rollback_to(*session, {.version_or_id = "v1"})), "not_found");
  EXPECT_EQ(outcome(recover_file(*session, {.path = "~/.claude/hooks/a.py", .version_or_id = ""})),
            "not_found");
}

TEST(DryRun, OfAFirstInstallationPlansItAndMakesNothing) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}});
  e.disk().remove(EngineFixture::kTree);
  const uint64_t before = e.disk().fingerprint();
  const auto planned =
      update(*open(e, RunMode::kDryRun), {.version = "1", .source = "/bundles/v1"});
  ASSERT_EQ(outcome(planned), "ok");
  EXPECT_EQ(planned->outcome, Outcome::kPlanned);
  ASSERT_EQ(planned->files.size(), 1U);
  EXPECT_EQ(planned->files.front().path, "~/.claude/hooks/a.py");
  EXPECT_EQ(e.disk().fingerprint(), before);
}

}  // namespace
}  // namespace stravinsky::engine
