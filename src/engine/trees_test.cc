// One store, several trees: what belongs to one is never done to another.

#include <gtest/gtest.h>

#include "engine/rollback.h"
#include "engine/take_backup.h"
#include "engine/trail.h"
#include "engine/updater.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

struct TwoProjects : public ::testing::Test {
  TwoProjects() {
    e.bundle("v1", {{"hooks/a.py", "v1\n"}});
    e.disk().write_file("/home/u/p1/.claude/hooks/a.py", "p1 private\n");
    e.disk().write_file("/home/u/p2/.claude/hooks/a.py", "v1\n");
    e.disk().make_dirs("/home/u/p3/.claude");
    e.disk().sync_everything();
  }
  std::unique_ptr<Session> in(const std::string& project) {
    SessionRequest request;
    request.project = "/home/u/" + project;
    auto session = e.open(e.disk(), std::move(request));
    EXPECT_TRUE(session);
    return std::move(*session);
  }
  Result<OperationResult> update_project(const std::string& project) {
    return update(*in(project),
                  {.version = "1", .source = "/bundles/v1", .scope = model::Scope::kProject});
  }
  std::string hook_of(const std::string& project) {
    return e.disk().contents("/home/u/" + project + "/.claude/hooks/a.py").value_or("<absent>");
  }
  EngineFixture e;
};

TEST_F(TwoProjects, UndoInOneLeavesTheOtherAlone) {
  ASSERT_EQ(outcome(update_project("p1")), "ok");
  EXPECT_EQ(outcome(undo(*in("p2"))), "not_found");
  EXPECT_EQ(hook_of("p2"), "v1\n");
  EXPECT_EQ(outcome(e.undo()), "not_found");  // outside of every project
  ASSERT_EQ(outcome(undo(*in("p1"))), "ok");
  EXPECT_EQ(hook_of("p1"), "p1 private\n");
}

TEST_F(TwoProjects, ABaseOfOneIsNoBaseOfTheOther) {
  ASSERT_EQ(outcome(update_project("p1")), "ok");
  ASSERT_EQ(outcome(update_project("p3")), "ok");
  EXPECT_EQ(hook_of("p3"), "v1\n");
}

TEST(Rollback, OfAVersionMeansABackupOfThisTree) {
  EngineFixture e;
  e.file("hooks/a.py", "ours\n").bundle("v1", {{"hooks/b.py", "b\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "ours")), "ok");
  e.disk().make_dirs("/home/u/other");
  e.variable("CLAUDE_CONFIG_DIR", "/home/u/other");
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "theirs")), "ok");
  e.variable("CLAUDE_CONFIG_DIR", "");
  e.file("hooks/a.py", "broken\n");
  ASSERT_EQ(outcome(e.rollback_to("v1")), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "ours\n");
  EXPECT_EQ(outcome(e.rollback_to("theirs")), "conflict") << "an id is itself";
}

TEST_F(TwoProjects, AProjectsVersionIsNotTheUsers) {
  ASSERT_EQ(outcome(update_project("p1")), "ok");
  ASSERT_EQ(outcome(create_backup(*in("p1"), {.tree = "/home/u/p1/.claude"})), "ok");
  EXPECT_EQ(outcome(e.rollback_to("v1", nullptr)), "ok") << "as an id it can be named";
  e.bundle("v2", {{"hooks/user.py", "2\n"}}).bundle("v3", {{"hooks/user.py", "3\n"}});
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  ASSERT_EQ(outcome(e.update("v3")), "ok");
  ASSERT_EQ(
      outcome(update(*in("p3"),
                     {.version = "2", .source = "/bundles/v1", .scope = model::Scope::kProject})),
      "ok");
  ASSERT_EQ(
      outcome(update(*in("p3"),
                     {.version = "3", .source = "/bundles/v2", .scope = model::Scope::kProject})),
      "ok");
  ASSERT_EQ(outcome(e.rollback_to("v2")), "ok");
  EXPECT_EQ(e.contents("hooks/user.py"), "2\n");
}

TEST(Rollback, ToAVersionPassesOverBackupsOfJustThePresentTree) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a1\n"}}).bundle("v2", {{"hooks/a.py", "a2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  ASSERT_EQ(outcome(e.undo()), "ok");
  e.disk().remove("/home/u/.claude/hooks");
  ASSERT_EQ(outcome(e.back_up(e.disk(), "empty")), "ok");
  const auto result = e.rollback_to("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kDone);
  EXPECT_EQ(e.contents("hooks/a.py"), "a1\n");
  ASSERT_TRUE(result->recovered_from);
  EXPECT_EQ(result->recovered_from->backup_id, "v1.pre_update");
}

TEST(BrokenConfig, StopsUpdatesAndNoWayBack) {
  EngineFixture e;
  e.file("hooks/a.py", "mine\n").bundle("v1", {{"hooks/a.py", "a1\n"}});
  e.bundle("v2", {{"hooks/a.py", "a2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  const std::string config = std::string(EngineFixture::kStore) + "/config.json";
  e.disk().write_file(config, "{\"backup\":{", 0600);
  const auto refused = e.update("v2");
  ASSERT_EQ(outcome(refused), "usage");
  EXPECT_EQ(refused.error().path, config);
  EXPECT_EQ(e.contents("hooks/a.py"), "a1\n");
  EXPECT_EQ(outcome(e.back_up(e.disk(), "now")), "ok");
  EXPECT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "mine\n");
  EXPECT_EQ(outcome(e.redo()), "ok");
  EXPECT_EQ(outcome(e.rollback_to("now")), "ok");
}

TEST(Undo, NeedsWhatItNeedsAndNoThreshold) {
  EngineFixture e;
  e.file("hooks/a.py", "mine\n").bundle("v1", {{"hooks/a.py", "a1\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.disk().set_free(100'000, 1000);
  EXPECT_EQ(outcome(e.update("v1")), "no_space");
  EXPECT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "mine\n");
}

TEST(Trail, AsAWholeGoneIsNotEmpty) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "v1\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.disk().remove(std::string(EngineFixture::kStore) + "/audit");
  const auto session = e.open(e.disk());
  ASSERT_TRUE(session);
  const auto verdict = verify_trail(**session);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->damage, store::AuditDamage::kTruncation);
}

TEST(Rollback, LeavesAFileThatAnUndoGaveBackToTheUser) {
  EngineFixture e;
  ASSERT_TRUE(e.back_up(e.disk(), "B0"));
  e.file("commands/c.md", "own work\n");
  e.bundle("v1", {{"commands/c.md", "theirs\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.undo()), "ok");
  ASSERT_EQ(outcome(e.rollback_to("B0")), "ok");
  EXPECT_EQ(e.contents("commands/c.md"), "own work\n");
}

TEST(Undo, SetsALinkInThePlaceOfAFileAside) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n");
  e.bundle("v1", {{"hooks/a.py", "v1\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.disk().remove(std::string(EngineFixture::kTree) + "/hooks/a.py");
  e.disk().symlink("../x.py", std::string(EngineFixture::kTree) + "/hooks/a.py");
  const auto result = e.undo();
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "old\n");
  ASSERT_EQ(result->kept.size(), 1U);
}

TEST(Undo, SaysWhatIsInTheWayOfAFileThatWasADirectory) {
  EngineFixture e;
  e.file("hooks/tool", "a file\n");
  e.bundle("v1", {{"hooks/tool", "a file\n"}, {"hooks/same", "s\n"}});
  e.bundle("v2", {{"hooks/tool/z.txt", "z\n"}, {"hooks/same", "s\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  ASSERT_EQ(e.contents("hooks/tool/z.txt"), "z\n");
  e.file("hooks/tool/__pycache__/z.pyc", "q\n");
  EXPECT_EQ(outcome(e.undo()), "conflict");
  EXPECT_EQ(e.contents("hooks/tool/__pycache__/z.pyc"), "q\n");
  EXPECT_EQ(e.contents("hooks/tool/z.txt"), "z\n");
}

TEST(Update, RefusesDirectoriesNestedBeyondReason) {
  EngineFixture e;
  std::string path = "commands/";
  for (int i = 0; i < 80; ++i) path += "d/";
  e.bundle("v1", {{path + "x.md", "x\n"}});
  EXPECT_EQ(outcome(e.update("v1")), "corrupt");
}

}  // namespace
}  // namespace stravinsky::engine
