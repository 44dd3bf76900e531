// What `stravinsky check` looks at round the trees, and that it changes nothing.
#include "engine/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "checks/environment_checks.h"
#include "engine/tree_views.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::outcome;

const std::string kTree = EngineFixture::kTree;
const std::string kStore = EngineFixture::kStore;

Result<CheckReport> check_of(EngineFixture& e, const std::string& bundle = {}) {
  SessionRequest session_request;
  session_request.mode = RunMode::kDryRun;
  auto session = e.open(e.disk(), std::move(session_request));
  if (!session) return std::move(session).error();
  CheckRequest request;
  if (!bundle.empty()) {
    UpdateRequest update;
    update.source = "/bundles/" + bundle;
    update.version = bundle;
    request.update = update;
  }
  return check(**session, request);
}

// "blocking disk.space"
std::vector<std::string> rules(EngineFixture& e, const std::string& bundle = {}) {
  const testing::Snapshot before = e.disk().snapshot("/");
  const auto report = check_of(e, bundle);
  EXPECT_EQ(difference(before, e.disk().snapshot("/")), "") << "a check changes nothing";
  if (!report) return {report.error().to_string()};
  std::vector<std::string> all;
  for (const checks::Finding& finding : report->findings)
    all.push_back(std::string(severity_name(finding.severity)) + " " + finding.rule);
  return all;
}

TEST(Check, FreshHomeHasNothingToSay) {
  EngineFixture e;
  EXPECT_THAT(rules(e), IsEmpty());
  e.file("commands/a.md", "---\ndescription: x\n---\n");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "one")), "ok");
  EXPECT_THAT(rules(e), IsEmpty());
  const auto report = check_of(e);
  EXPECT_EQ(report->file_count, 1U);
  EXPECT_TRUE(report->disk_space_bytes);
  EXPECT_THAT(report->failed_checks(), IsEmpty());
}

TEST(Check, LiveTreeIsJudgedAsIfItWereNew) {
  EngineFixture e;
  e.file("settings.json", "{,}");
  EXPECT_THAT(rules(e), ElementsAre("blocking settings.syntax"));
  EXPECT_THAT(check_of(e)->failed_checks(), ElementsAre("settings"));
  EXPECT_TRUE(check_of(e)->is_refused());
}

TEST(Check, BundleOnlyBlocksForWhatItMakesWorse) {
  EngineFixture e;
  e.file("settings.local.json", "{,}").file("hooks/a.py", "1\n");
  e.bundle("v1", {{"commands/a.md", "---\ndescription: x\n---\n"}});
  EXPECT_THAT(rules(e, "v1"), ElementsAre("warning settings.syntax"));
  e.bundle("v2", {{"settings.json", R"({"hooks":{"Stop":[{"hooks":[{"type":"command",
      "command":"python3 ~/.claude/hooks/gone.py"}]}]}})"}});
  EXPECT_THAT(rules(e, "v2"), Contains("blocking hook.missing"));
  const auto report = check_of(e, "v2");
  EXPECT_EQ(report->to_version, "v2");
  ASSERT_EQ(report->files.size(), 1U);
  EXPECT_EQ(report->files[0].action, FileAction::kAdd);
  EXPECT_EQ(outcome(check_of(e, "v3")), "not_found");
}

TEST(Check, WhatWouldRefuseAnUpdateIsAFinding) {
  EngineFixture e;
  e.file("settings.json", "{,}").bundle("v1", {{"settings.json", "{\"model\":\"x\"}"}});
  EXPECT_THAT(rules(e, "v1"), Contains("blocking update.refused"));
}

TEST(Check, RoomIsMeasuredAgainstTheTreeAndTheThreshold) {
  EngineFixture e;
  e.file("hooks/a.md", "a\n");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "one")), "ok");
  e.disk().set_free(1'000'000, 1000);
  EXPECT_THAT(rules(e), ElementsAre("blocking disk.space"));
  e.disk().set_free(1'000'000'000, 1);
  EXPECT_THAT(rules(e), ElementsAre("blocking disk.inodes"));
}

TEST(Check, RightsAreLookedAtOneByOne) {
  EngineFixture e;
  e.file("hooks/a.md", "a\n").file("hooks/b.md", "b\n").file("commands/c.md", "c\n");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "one")), "ok");
  e.disk().set_mode(kTree + "/hooks/a.md", 0000);
  e.disk().set_immutable(kTree + "/hooks/b.md", true);
  e.disk().set_mode(kTree + "/commands", 0555);
  e.disk().set_owner(kTree + "/commands/c.md", 0, 0);
  e.disk().set_mode(kStore + "/backups", 0500);
  const auto found = rules(e);
  for (const char* rule : {"blocking permission.unreadable", "blocking permission.immutable",
                           "blocking permission.not_writable", "warning permission.owner",
                           "blocking permission.store"})
    EXPECT_THAT(found, Contains(rule));
  EXPECT_THAT(check_of(e)->failed_checks(), ElementsAre("permissions"));
}

TEST(Check, WritersAndOtherRunsAreTold) {
  EngineFixture e;
  e.file("hooks/a.md", "a\n");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "one")), "ok");
  const auto hooks = fs::File::open_root(e.disk(), kTree + "/hooks");
  const auto writer =
      fs::File::open(e.disk(), hooks->fd(), fs::RelPath::of("a.md"), fs::OpenMode::kReadWrite);
  ASSERT_EQ(outcome(writer), "ok");
  EXPECT_THAT(rules(e), ElementsAre("warning lock.writer"));
  auto other = e.open(e.disk());
  ASSERT_EQ(outcome((*other)->begin_writing()), "ok");
  EXPECT_THAT(rules(e), ElementsAre("warning lock.held", "warning lock.writer"));
}

TEST(Check, DamagedBackupsAreFoundAndNotTouched) {
  EngineFixture e;
  e.file("hooks/a.md", "a\n").file("settings.json", "{}");
  for (const char* label : {"one", "two", "three"})
    ASSERT_EQ(outcome(e.back_up(e.disk(), label)), "ok");
  e.disk().write_file(kStore + "/backups/one/manifest.json", "{");
  EXPECT_THAT(rules(e), ElementsAre("warning backup.manifest"));
  e.variable("STRAVINSKY_BACKUP_SPOT_CHECK_PERCENTAGE", "100");
  e.disk().write_file(kStore + "/backups/two/settings.json", "{ }", 0600);
  e.disk().remove(kStore + "/backups/three/settings.json");
  EXPECT_THAT(rules(e), ElementsAre("warning backup.manifest", "warning backup.corrupt",
                                    "warning backup.corrupt"));
}

TEST(Check, SampleIsNeverEmptyAndMayQuarantine) {
  EngineFixture e;
  e.file("settings.json", "{}");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "one")), "ok");
  e.disk().write_file(kStore + "/backups/one/settings.json", "{ }", 0600);
  auto session = e.open(e.disk());
  const auto list = (*session)->backups().list();
  std::vector<std::string> moved;
  const auto findings = checks::check_backups(
      (*session)->backups(), *list, (*session)->environment().random,
      {.percentage = 1, .quarantine = [&](const std::string& id, const std::string& reason) {
         moved.push_back(id + ": " + reason.substr(0, 13));
         return (*session)->backups().quarantine(id, reason);
       }});
  ASSERT_EQ(outcome(findings), "ok");
  ASSERT_EQ(findings->size(), 1U);
  EXPECT_THAT(moved, ElementsAre("one: it is damaged"));
  EXPECT_EQ(findings->front().remedy, "It was moved to quarantine/one.");
  EXPECT_TRUE((*session)->backups().list()->backups.empty());
}

TEST(Check, EditedTreeKnowsWhereItWasEdited) {
  EngineFixture e;
  const auto session = e.open(e.disk());
  const LiveView live((*session)->fs(), (*session)->roots(), (*session)->hook_roots(), nullptr);
  const auto path = [](const char* text) {
    return model::LogicalPath{model::Scope::kUser, fs::RelPath::of(text)};
  };
  Edits edits;
  edits.emplace(path("commands/str/a.md"), Edit{});
  const EditedView next(live, edits);
  EXPECT_FALSE(checks::is_untouched(path("commands/str/a.md"), next, &live));
  EXPECT_TRUE(checks::is_untouched(path("commands/str/b.md"), next, &live));
  EXPECT_TRUE(checks::is_untouched(path("commands/str/b.md"), live, &next)) << "after the update";
  EXPECT_FALSE(checks::is_untouched(path("commands/str/b.md"), live, nullptr));
  EXPECT_FALSE(checks::is_untouched(path("commands/str/b.md"), live, &live)) << "nobody knows";
  EXPECT_FALSE(checks::is_untouched_beneath(model::Scope::kUser, "commands", next, &live));
  EXPECT_TRUE(checks::is_untouched_beneath(model::Scope::kUser, "skills", next, &live));
  EXPECT_TRUE(checks::is_untouched_beneath(model::Scope::kProject, "commands", next, &live));
}

TEST(Check, CapacityIsCountedInBackupsOfTheNewestSize) {
  store::BackupList list;
  EXPECT_THAT(*checks::check_capacity(list, {}), IsEmpty());
  list.backups.push_back({.id = "a", .size_bytes = 100});
  EXPECT_THAT(*checks::check_capacity(list, {.versions_max = 10, .size_max_bytes = 1000}),
              IsEmpty());
  const auto small = checks::check_capacity(list, {.versions_max = 10, .size_max_bytes = 350});
  ASSERT_EQ(small->size(), 1U);
  EXPECT_EQ(small->front().rule, "capacity.size");
  EXPECT_EQ(small->front().message, "backups of 100 bytes each: only 3 of 10 fit into 350 bytes");
  const auto full = checks::check_capacity(list, {.versions_max = 1, .size_max_bytes = 1000});
  ASSERT_EQ(full->size(), 1U);
  EXPECT_EQ(full->front().rule, "capacity.full");
}

TEST(Check, LiveSessionsOfThisUserAreTold) {
  EngineFixture e;
  const auto process = [&](const std::string& pid, const std::string& comm,
                           const std::string& cmdline) {
    e.disk().write_file("/proc/" + pid + "/comm", comm + "\n");
    e.disk().write_file("/proc/" + pid + "/cmdline", cmdline);
  };
  using namespace std::string_literals;
  process("7", "claude", "claude");
  process("8", "node", "node\0/usr/local/bin/claude\0--continue\0"s);
  process("9", "node", "node\0/srv/app.js\0"s);
  process("10", "claude-helper", "claude-helper");
  process("11", "claude", "claude");
  e.disk().set_owner("/proc/11", 0, 0);
  e.disk().make_dirs("/proc/sys");
  const auto report = check_of(e);
  ASSERT_EQ(outcome(report), "ok");
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings[0].rule, "session.live");
  EXPECT_EQ(report->findings[0].severity, checks::Severity::kInformation);
  EXPECT_EQ(report->findings[0].message, "2 Claude Code sessions are running (process 7, 8)");
}

}  // namespace
}  // namespace stravinsky::engine
