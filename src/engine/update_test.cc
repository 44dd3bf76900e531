#include <gtest/gtest.h>

#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

FileAction action_of(const OperationResult& result, const std::string& path) {
  for (const FileReport& file : result.files)
    if (file.path == path) return file.action;
  ADD_FAILURE() << path << " is not in the report";
  return FileAction::kAdd;
}

TEST(Update, FirstUpdateAddsAndReplacesAndDeletesNothing) {
  EngineFixture e;
  e.file("hooks/mine.py", "mine\n").file("hooks/a.py", "old\n");
  e.bundle("v1", {{"hooks/a.py", "new\n"}, {"commands/x/y.md", "y\n"}});
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kDone);
  EXPECT_EQ(result->from_version, "unknown");
  EXPECT_EQ(result->to_version, "v1");
  EXPECT_EQ(e.contents("hooks/mine.py"), "mine\n");
  EXPECT_EQ(e.contents("hooks/a.py"), "new\n");
  EXPECT_EQ(e.contents("commands/x/y.md"), "y\n");
  EXPECT_EQ(action_of(*result, "~/.claude/hooks/a.py"), FileAction::kReplaceTheirs);
  EXPECT_EQ(action_of(*result, "~/.claude/commands/x/y.md"), FileAction::kAdd);
  EXPECT_EQ(e.broken_rules(e.disk()), std::vector<std::string>());
}

TEST(Update, KnownBaseReplacesDeletesAndKeepsWhatTheUserTouched) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a1\n"},
                  {"hooks/b.py", "b1\n"},
                  {"hooks/c.py", "c1\n"},
                  {"commands/d/e.md", "e1\n"},
                  {"commands/gone.md", "g1\n"}});
  e.bundle("v2", {{"hooks/a.py", "a2\n"},
                  {"hooks/b.py", "b2\n"},
                  {"hooks/u.py", "theirs\n"},
                  {"commands/gone.md", "g2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/b.py", "edited\n").file("hooks/u.py", "user's own\n");
  e.disk().remove("/home/u/.claude/commands/gone.md");
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "a2\n");
  EXPECT_EQ(e.contents("hooks/b.py"), "edited\n");
  EXPECT_EQ(e.contents("hooks/c.py"), "<absent>");
  EXPECT_EQ(e.contents("hooks/u.py"), "user's own\n");
  EXPECT_EQ(e.contents("commands/gone.md"), "<absent>");
  EXPECT_FALSE(e.tree().contains("/home/u/.claude/commands/d"));
  EXPECT_TRUE(e.tree().contains("/home/u/.claude/commands"));
  EXPECT_EQ(action_of(*result, "~/.claude/hooks/b.py"), FileAction::kConflict);
  EXPECT_EQ(action_of(*result, "~/.claude/hooks/u.py"), FileAction::kConflict);
  EXPECT_EQ(action_of(*result, "~/.claude/commands/gone.md"), FileAction::kKeepMine);
  EXPECT_EQ(action_of(*result, "~/.claude/hooks/c.py"), FileAction::kDelete);
}

TEST(Update, AnotherPackageDeletesNothingOfTheFirst) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a\n"}}).bundle("v2", {{"hooks/b.py", "b\n"}});
  e.disk().write_file("/bundles/v1/package.json", R"({"name": "one", "version": "1"})");
  e.disk().write_file("/bundles/v2/package.json", R"({"name": "two", "version": "2"})");
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "a\n");
  EXPECT_EQ(e.contents("hooks/b.py"), "b\n");
}

TEST(Update, APackageIsRememberedBehindOthers) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a1\n"}, {"hooks/b.py", "b1\n"}, {"commands/two.md", "2\n"}});
  e.bundle("v2", {{"hooks/other.py", "o\n"}});
  e.bundle("v3", {{"hooks/a.py", "a3\n"}, {"hooks/b.py", "b3\n"}});
  e.disk().write_file("/bundles/v1/package.json", R"({"name": "one", "version": "1"})");
  e.disk().write_file("/bundles/v2/package.json", R"({"name": "two", "version": "2"})");
  e.disk().write_file("/bundles/v3/package.json", R"({"name": "one", "version": "3"})");
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  e.file("hooks/a.py", "edited\n");
  ASSERT_EQ(outcome(e.update("v3")), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "edited\n") << "the user's edit";
  EXPECT_EQ(e.contents("hooks/b.py"), "b3\n");
  EXPECT_EQ(e.contents("commands/two.md"), "<absent>") << "the new version lacks it";
  EXPECT_EQ(e.contents("hooks/other.py"), "o\n") << "the other package's";
  // Undone, it is no base any more; redone, it is again.
  ASSERT_EQ(outcome(e.undo()), "ok");
  ASSERT_EQ(outcome(e.redo()), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  EXPECT_EQ(e.contents("hooks/b.py"), "b3\n");
}

TEST(Update, WithoutNamesBundlesThatShareNoFileAreTwoPackages) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a\n"}}).bundle("v2", {{"hooks/b.py", "b\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "a\n");
}

TEST(Update, ALinkOfTheUsersIsNotReplacedByAFile) {
  EngineFixture e;
  e.disk().write_file("/home/u/dot/a.py", "mine, kept elsewhere\n");
  e.disk().make_dirs("/home/u/.claude/hooks");
  e.disk().symlink("../../dot/a.py", "/home/u/.claude/hooks/a.py");
  e.bundle("v1", {{"hooks/a.py", "theirs\n"}, {"hooks/b.py", "b\n"}});
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(action_of(*result, "~/.claude/hooks/a.py"), FileAction::kConflict);
  EXPECT_EQ(e.contents("hooks/b.py"), "b\n");
  EXPECT_EQ(e.disk().contents("/home/u/dot/a.py"), "mine, kept elsewhere\n");
  ASSERT_EQ(result->kept.size(), 1U) << "the new one is at hand";
  EXPECT_EQ(e.disk().contents(std::string(EngineFixture::kStore) + "/" + result->kept[0].kept_at),
            "theirs\n");
}

TEST(Update, ADamagedBaseIsNoLeaveToReplaceEdits) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a1\n"}}).bundle("v2", {{"hooks/a.py", "a2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/a.py", "edited\n");
  const std::string manifest = std::string(EngineFixture::kStore) + "/bundles/1/manifest.json";
  ASSERT_TRUE(e.disk().contents(manifest));
  e.disk().write_file(manifest, "{}", 0600);
  EXPECT_EQ(outcome(e.update("v2")), "corrupt");
  EXPECT_EQ(e.contents("hooks/a.py"), "edited\n");
}

TEST(Undo, TakesAFileThatOnlySettingsNameAndItsDirectoryAway) {
  EngineFixture e;
  e.bundle("v1", {{"x/y/g.sh", "#!/bin/sh\n"},
                  {"settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
                    "command": "sh ~/.claude/x/y/g.sh"}]}]}})"}});
  e.disk().make_dirs(EngineFixture::kTree);
  const auto before = e.tree();
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(e.contents("x/y/g.sh"), "#!/bin/sh\n");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  ASSERT_EQ(outcome(e.redo()), "ok");
  e.file("x/mine.txt", "mine\n");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("x/y/g.sh"), "<absent>");
  EXPECT_EQ(e.contents("x/mine.txt"), "mine\n");
}

TEST(Update, SettingsAreMergedAndKeepTheirBytes) {
  EngineFixture e;
  e.file("settings.json", "{\n\t\"model\": \"x\"\n}\n");
  e.bundle("v1", {{"settings.json", R"({"model": "other", "cleanupPeriodDays": 30})"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  EXPECT_EQ(e.contents("settings.json"),
            "{\n\t\"model\": \"x\",\n\t\"cleanupPeriodDays\": 30\n}\n");
}

TEST(Update, ADanglingHookIsRefusedBeforeAnythingChanges) {
  EngineFixture e;
  e.file("hooks/a.py", "a\n");
  e.bundle("v1", {{"hooks/b.py", "b\n"},
                  {"settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
                    "command": "python3 ~/.claude/hooks/missing.py"}]}]}})"}});
  const auto before = e.tree();
  EXPECT_EQ(outcome(e.update("v1")), "checks_refused");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
}

TEST(Update, WithoutChecksBeforeABrokenUpdateTakesItselfBack) {
  EngineFixture e;
  e.variable("STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false").file("hooks/a.py", "a\n");
  e.bundle("v1", {{"hooks/a.py", "new\n"},
                  {"settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
                    "command": "python3 ~/.claude/hooks/missing.py"}]}]}})"}});
  const auto before = e.tree();
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kRolledBack);
  ASSERT_TRUE(result->failure);
  EXPECT_EQ(result->failure->code, ErrorCode::kChecksRefused);
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  EXPECT_EQ(e.broken_rules(e.disk()), std::vector<std::string>());
  // Nothing says "already installed": the next try tries again.
  const auto again = e.update("v1");
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(again->outcome, Outcome::kRolledBack);
}

TEST(Update, AutoRollbackSwitchedOffLeavesTheNewTree) {
  EngineFixture e;
  e.variable("STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false")
      .variable("STRAVINSKY_AUTO_ROLLBACK", "false")
      .file("hooks/a.py", "a\n");
  e.bundle("v1", {{"hooks/a.py", "new\n"},
                  {"settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
                    "command": "python3 ~/.claude/hooks/missing.py"}]}]}})"}});
  const auto before = e.tree();
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kVerifyFailed);
  EXPECT_EQ(e.contents("hooks/a.py"), "new\n");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
}

TEST(Update, BrokenSettingsOfTheUserRefuseTheUpdateAndAreBackedUp) {
  EngineFixture e;
  e.file("settings.json", "{ this is not JSON");
  e.bundle("v1", {{"settings.json", R"({"model": "x"})"}});
  const auto result = e.update("v1");
  EXPECT_EQ(outcome(result), "checks_refused");
  EXPECT_EQ(e.contents("settings.json"), "{ this is not JSON");
  ASSERT_EQ(outcome(e.rollback_to("unknown")), "ok");
  EXPECT_EQ(e.contents("settings.json"), "{ this is not JSON");
}

TEST(Undo, GoesBackAndForthByteForByte) {
  EngineFixture e;
  e.file("hooks/a.py", "a\n", 0755).file("commands/k.md", "k\n");
  e.bundle("v1", {{"hooks/a.py", "a1\n"}, {"skills/s/SKILL.md", "s\n"}});
  e.bundle("v2", {{"hooks/a.py", "a2\n"}, {"commands/k.md", "k2\n"}});
  const auto first = e.tree();
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  const auto second = e.tree();
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  const auto third = e.tree();
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(testing::difference(second, e.tree()), "");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(testing::difference(first, e.tree()), "");
  EXPECT_EQ(outcome(e.undo()), "not_found");
  ASSERT_EQ(outcome(e.redo()), "ok");
  EXPECT_EQ(testing::difference(second, e.tree()), "");
  ASSERT_EQ(outcome(e.redo()), "ok");
  EXPECT_EQ(testing::difference(third, e.tree()), "");
  EXPECT_EQ(outcome(e.redo()), "not_found");
  EXPECT_EQ(e.broken_rules(e.disk()), std::vector<std::string>());
}

TEST(Undo, SetsLaterEditsAsideAndLeavesEditedAdditions) {
  EngineFixture e;
  e.file("hooks/a.py", "a\n");
  e.bundle("v1", {{"hooks/a.py", "a1\n"}, {"hooks/added.py", "x\n"}, {"hooks/plain.py", "p\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/a.py", "edited later\n").file("hooks/added.py", "mine now\n");
  const auto result = e.undo();
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "a\n");
  EXPECT_EQ(e.contents("hooks/added.py"), "mine now\n");
  EXPECT_EQ(e.contents("hooks/plain.py"), "<absent>");
  ASSERT_EQ(result->kept.size(), 1U);
  EXPECT_EQ(e.disk().contents(std::string(EngineFixture::kStore) + "/" + result->kept[0].kept_at),
            "edited later\n");
  // And undo itself can be undone, the edit included.
  ASSERT_EQ(outcome(e.redo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "edited later\n");
}

TEST(Rollback, BringsAVersionBackAndKeepsTheUsersOwnFiles) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a1\n"}})
      .bundle("v2", {{"hooks/a.py", "a2\n"}, {"hooks/b.py", "b2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  e.file("hooks/user.py", "user\n");
  const auto result = e.rollback_to("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->from_version, "v2");
  EXPECT_EQ(result->to_version, "v1");
  EXPECT_EQ(e.contents("hooks/a.py"), "a1\n");
  EXPECT_EQ(e.contents("hooks/b.py"), "<absent>");
  EXPECT_EQ(e.contents("hooks/user.py"), "user\n");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "a2\n");
  EXPECT_EQ(e.contents("hooks/b.py"), "b2\n");
}

}  // namespace
}  // namespace stravinsky::engine
