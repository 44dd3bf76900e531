// What the user made, changed or deleted stays theirs; what an update replaces can be
// had back.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

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
  // By its name and with its mode, and the place is told.
  const std::vector<std::string> transactions =
      home.names(".stravinsky/rollback/recovery/conflicts");
  ASSERT_EQ(transactions.size(), 1U);
  const std::string copy = "recovery/conflicts/" + transactions[0] + "/hooks/guard.sh";
  EXPECT_EQ(home.text(".stravinsky/rollback/" + copy), hook("edited after the update"));
  EXPECT_EQ(home.mode_of(".stravinsky/rollback/" + copy), 0755U);
  EXPECT_THAT(undo.out + undo.err, HasSubstr(copy));
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

// Every kind of change there is: the plan of the dry run is what the run then does.
TEST(Keep, DryRunSaysWhatTheRunDoesAndChangesNothing) {
  const Home home;
  home.file(".claude/hooks/unknown.sh", hook("of nobody knows whom"), 0755);
  Files first = package(1);
  first.emplace_back("hooks/lines.sh", "#!/bin/bash\n# 1\n# 2\n# 3\n# 4\nexit 0\n");
  Files second = package(2);
  second.emplace_back("hooks/lines.sh", "#!/bin/bash\n# 1\n# 2\n# 3\n# four\nexit 0\n");
  second.emplace_back("hooks/unknown.sh", hook("of version 2"));
  home.make_bundle("first", first);
  home.make_bundle("second", second);
  const auto planned_and_done = [&](const std::string& version, const std::string& bundle) {
    const Tree tree = home.tree();
    const Tree store = home.store_tree();
    const std::vector<std::string> command = {"update", version, "--from", home.bundle(bundle),
                                              "--json"};
    std::vector<std::string> dry = command;
    dry.emplace_back("--dry-run");
    const nlohmann::json plan = home.expect(0, dry).json();
    EXPECT_TRUE(same_tree(home.tree(), tree));
    EXPECT_TRUE(same_tree(home.store_tree(), store));
    const nlohmann::json done = home.expect(0, command).json();
    std::map<std::string, std::string> actions;
    EXPECT_EQ(plan["files"].size(), done["files"].size());
    for (size_t i = 0; i < done["files"].size(); ++i) {
      nlohmann::json promised = plan["files"][i];
      nlohmann::json kept = done["files"][i];
      actions[kept["path"].get<std::string>()] = kept["action"].get<std::string>();
      // Only the run has a backup that the command can name.
      if (!kept["command"].get<std::string>().empty()) {
        EXPECT_TRUE(kept["command"].get<std::string>().starts_with(
            promised["command"].get<std::string>() + " "));
      }
      for (nlohmann::json* one : {&promised, &kept}) {
        one->erase("command");
        one->erase("status");
      }
      EXPECT_EQ(promised, kept);
    }
    return actions;
  };
  planned_and_done("1.0.0", "first");
  home.file(".claude/hooks/guard.sh", hook("my own guard"), 0755);  // conflict
  home.file(".claude/hooks/lines.sh", "#!/bin/bash\n# one\n# 2\n# 3\n# 4\nexit 0\n", 0755);
  home.erase(".claude/commands/str/search.md");  // stays deleted
  home.file(".claude/settings.json",
            "{ \"model\": \"m\"," + home.text(".claude/settings.json").substr(1));  // merged
  const auto actions = planned_and_done("2.0.0", "second");
  EXPECT_EQ(actions.at("~/.claude/hooks/guard.sh"), "conflict");
  EXPECT_EQ(actions.at("~/.claude/hooks/unknown.sh"), "conflict");
  EXPECT_EQ(actions.at("~/.claude/hooks/lines.sh"), "merge");
  EXPECT_EQ(actions.at("~/.claude/settings.json"), "merge");
  EXPECT_EQ(actions.at("~/.claude/hooks/audit.sh"), "add");
  EXPECT_EQ(actions.at("~/.claude/agents/planner.md"), "change");
  EXPECT_EQ(actions.at("~/.claude/commands/watch.md"), "delete");
  EXPECT_EQ(actions.at("~/.claude/commands/str/search.md"), "keep");
}

}  // namespace
}  // namespace stravinsky::e2e
