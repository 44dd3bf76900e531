// What the user made, changed or deleted stays theirs; what an update replaces can be
// had back.
#include <gmock/gmock.h>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Keep, FilesTheUserChangedStay) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("my own guard"), 0755);
  const Ended update = home.install(2);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("my own guard"));
  EXPECT_THAT(update.out, HasSubstr("hooks/guard.sh"));
  EXPECT_EQ(home.text(".claude/hooks/audit.sh"), hook("audit of version 2"));
}

TEST(Keep, FilesTheUserDeletedStayDeleted) {
  const Home home;
  home.install(1);
  home.erase(".claude/agents/planner.md");
  home.install(2);
  EXPECT_FALSE(home.exists(".claude/agents/planner.md"));
}

TEST(Keep, AFileOfTheUserWithTheNameOfANewOneIsNotTouched) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/audit.sh", hook("mine, and here first"), 0700);
  home.install(2);
  EXPECT_EQ(home.text(".claude/hooks/audit.sh"), hook("mine, and here first"));
  EXPECT_EQ(home.mode_of(".claude/hooks/audit.sh"), 0700U);
}

TEST(Keep, FilesTheNewVersionLacksGoOnlyIfUntouched) {
  const Home home;
  home.install(1);
  home.install(2);
  EXPECT_FALSE(home.exists(".claude/commands/watch.md"));
  home.expect(0, {"rollback", "undo"});
  home.file(".claude/commands/watch.md", "mine now\n");
  home.install(2);
  EXPECT_EQ(home.text(".claude/commands/watch.md"), "mine now\n");
}

TEST(Keep, WithoutAKnownBaseReplacedFilesComeBackByThePrintedCommand) {
  const Home home;
  home.file(".claude/hooks/guard.sh", hook("from some other installer"), 0755);
  home.file(".claude/hooks/own.sh", hook("own"), 0755);
  const Ended update = home.install(1);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), package(1).front().second);
  EXPECT_EQ(home.text(".claude/hooks/own.sh"), hook("own"));
  const std::string start = "stravinsky recovery file ";
  const size_t at = update.out.find(start);
  ASSERT_NE(at, std::string::npos) << update.out;
  const std::string line = update.out.substr(at, update.out.find('\n', at) - at);
  const Ended back =
      home.run_program({"sh", "-c", std::string(STRAVINSKY_BINARY) + line.substr(line.find(' '))});
  EXPECT_EQ(back.exit, 0) << line << "\n" << back.err;
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("from some other installer"));
}

TEST(Keep, ModesOfTheUserSurvive) {
  const Home home;
  home.install(1);
  home.mode(".claude/hooks/guard.sh", 0700);
  home.mode(".claude/agents/planner.md", 0440);
  home.install(2);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), package(2).front().second);
  EXPECT_EQ(home.mode_of(".claude/hooks/guard.sh"), 0700U);
  EXPECT_EQ(home.mode_of(".claude/agents/planner.md"), 0440U);
}

TEST(Keep, AnExecBitAloneIsAChange) {
  const Home home;
  home.install(1);
  home.mode(".claude/hooks/log.sh", 0644);
  home.make_bundle("1x", package(1));
  home.mode("bundles/1x/.claude/agents/planner.md", 0755);
  home.expect(0, {"update", "1.0.1", "--from", home.bundle("1x")});
  EXPECT_EQ(home.mode_of(".claude/agents/planner.md"), 0755U);
  EXPECT_EQ(home.mode_of(".claude/hooks/log.sh"), 0644U) << "the user had taken it away";
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.mode_of(".claude/agents/planner.md"), 0644U);
}

TEST(Keep, UndoSetsEditsMadeSinceAsideByName) {
  const Home home;
  home.install(1);
  home.install(2);
  home.file(".claude/hooks/guard.sh", hook("edited after the update"), 0755);  // changed by it
  home.file(".claude/hooks/audit.sh", hook("edited, created by the update"), 0755);
  home.file(".claude/hooks/log.sh", hook("edited, not part of the update"), 0755);
  home.file(".claude/notes.md", "mine\n");
  const Ended undo = home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), package(1).front().second);
  EXPECT_EQ(home.text(".claude/hooks/audit.sh"), hook("edited, created by the update"));
  EXPECT_EQ(home.text(".claude/hooks/log.sh"), hook("edited, not part of the update"));
  EXPECT_EQ(home.text(".claude/notes.md"), "mine\n");
  bool found = false;
  for (const auto& [path, what] : home.store_tree()) {
    if (!path.starts_with("recovery/conflicts/")) continue;
    if (!what.ends_with(hook("edited after the update"))) continue;
    found = true;
    EXPECT_THAT(undo.out + undo.err, HasSubstr(path)) << "the place is not told";
  }
  EXPECT_TRUE(found) << "the edit is nowhere";
}

TEST(Keep, WhatIsNeverManagedIsNeverTouched) {
  const Home home;
  const Files others{{"history.jsonl", "{}\n"},
                     {"todos/1.json", "[]\n"},
                     {"projects/x/1.jsonl", "{}\n"},
                     {"hooks/logs/today.log", "log\n"},
                     {"hooks/__pycache__/guard.pyc", "bytes\n"},
                     {".credentials.json", "secret\n"}};
  home.files(".claude", others);
  home.install(1);
  home.install(2);
  for (const auto& [path, bytes] : others) EXPECT_EQ(home.text(".claude/" + path), bytes) << path;
  for (const auto& [path, bytes] : others) home.file(".claude/" + path, "newer\n");
  home.expect(0, {"rollback", "undo"});
  for (const auto& [path, bytes] : others) EXPECT_EQ(home.text(".claude/" + path), "newer\n");
  for (const auto& [path, what] : home.store_tree())
    EXPECT_EQ(path.find(".credentials"), std::string::npos) << path;
}

TEST(Keep, DryRunSaysWhatTheRunDoesAndChangesNothing) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("my own guard"), 0755);
  const Tree tree = home.tree();
  const Tree store = home.store_tree();
  const Ended planned =
      home.expect(0, {"update", "2.0.0", "--from", home.bundle("2"), "--dry-run"});
  EXPECT_TRUE(same_tree(home.tree(), tree));
  EXPECT_TRUE(same_tree(home.store_tree(), store));
  EXPECT_THAT(planned.out, HasSubstr("hooks/audit.sh"));
}

}  // namespace
}  // namespace stravinsky::e2e
