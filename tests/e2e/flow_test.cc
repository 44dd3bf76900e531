// Whole ways there and back: backup, update, rollback, undo, redo.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Flow, BackupUpdateRollback) {
  const Home home;
  home.files(".claude", package(1));
  const Tree before = home.tree();
  home.expect(0, {"backup", "create", "--label", "v1.0.0"});
  home.install(2);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), package(2).front().second);
  EXPECT_FALSE(same_tree(home.tree(), before));
  const Ended back = home.expect(0, {"rollback", "to", "v1.0.0"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_THAT(back.out, HasSubstr("Rollback successful!"));
  EXPECT_THAT(back.out, HasSubstr("Created backup:"));
  EXPECT_THAT(back.out, HasSubstr("estart Claude Code"));
}

TEST(Flow, UpdateOverNothingInstallsAndUndoLeavesNothing) {
  const Home home;
  home.erase(".claude");
  home.install(1);
  for (const auto& [path, bytes] : package(1)) EXPECT_EQ(home.text(".claude/" + path), bytes);
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Flow, RepeatedUndoWalksBackAndRedoWalksForward) {
  const Home home;
  std::vector<Tree> trees{home.tree()};
  for (const int version : {1, 2, 3}) {
    home.install(version);
    trees.push_back(home.tree());
  }
  for (const size_t at : {2U, 1U, 0U}) {
    home.expect(0, {"rollback", "undo"});
    EXPECT_TRUE(same_tree(home.tree(), trees[at])) << "after the undo to " << at;
  }
  const Ended none = home.expect(5, {"rollback", "undo"});
  EXPECT_THAT(none.err, HasSubstr("No previous version available"));
  for (const size_t at : {1U, 2U, 3U}) {
    home.expect(0, {"rollback", "redo"});
    EXPECT_TRUE(same_tree(home.tree(), trees[at])) << "after the redo to " << at;
  }
  home.expect(5, {"rollback", "redo"});
  EXPECT_TRUE(same_tree(home.tree(), trees[3]));
}

TEST(Flow, UndoOnAFreshHomeFindsNothing) {
  const Home home;
  const Ended none = home.expect(5, {"rollback", "undo"});
  EXPECT_THAT(none.err, HasSubstr("No previous version available"));
}

TEST(Flow, AnUpdateAfterAnUndoEndsTheRedo) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"rollback", "undo"});
  home.install(3);
  home.expect(5, {"rollback", "redo"});
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), package(1).front().second);
}

TEST(Flow, RollbackToAnyVersionAndUndoOfThat) {
  const Home home;
  home.install(1);
  const Tree first = home.tree();
  home.install(2);
  home.install(3);
  const Tree third = home.tree();
  home.expect(0, {"rollback", "to", "1.0.0"});  // without v as well
  EXPECT_TRUE(same_tree(home.tree(), first));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), third));
}

TEST(Flow, SameUpdateTwiceHasNothingToDo) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.install(1);
  EXPECT_TRUE(same_tree(home.tree(), before));
  // And the nothing is not something to undo.
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Flow, RecoverOneFile) {
  const Home home;
  home.install(1);
  home.install(2);
  const std::string good = home.text(".claude/commands/str/search.md");
  home.file(".claude/commands/search.md", "another of the same name\n");
  home.expect(0, {"backup", "create"});
  home.file(".claude/commands/str/search.md", "broken by hand\n");
  const Ended back = home.expect(0, {"recovery", "file", "~/.claude/commands/str/search.md"});
  EXPECT_EQ(home.text(".claude/commands/str/search.md"), good);
  EXPECT_EQ(home.text(".claude/commands/search.md"), "another of the same name\n");
  EXPECT_THAT(back.out, HasSubstr("File recovered: ~/.claude/commands/str/search.md"));
  EXPECT_THAT(back.out, HasSubstr("Source: backup"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.text(".claude/commands/str/search.md"), "broken by hand\n");
}

TEST(Flow, EveryOperationIsOnRecordAndTheChainHolds) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"rollback", "undo"});
  home.expect(0, {"rollback", "redo"});
  home.expect(0, {"backup", "create"});
  home.expect(3, {"update", "2.1.0", "--from", home.bundle("missing")});
  home.expect(0, {"audit", "verify"});
  const std::string log = home.text(home.store("audit/operations.log"));
  for (const char* type :
       {"UPDATE_START", "UPDATE_SUCCESS", "UPDATE_BLOCKED", "UNDO", "REDO", "BACKUP_CREATED"})
    EXPECT_THAT(log, HasSubstr("\"event_type\":\"" + std::string(type) + "\"")) << type;
  // One byte of it changed, and it says so.
  std::string forged = log;
  forged[forged.find("2.0.0")] = '9';
  home.file(home.store("audit/operations.log"), forged, 0600);
  home.expect(7, {"audit", "verify"});
}

TEST(Flow, EveryBackupVerifiesAndHasAnArchiveThatTarReads) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"backup", "verify", "--all"});
  home.expect(0, {"backup", "create", "--label", "by-hand"});
  home.dir("unpacked");
  const Ended tar = home.run_program({"tar", "xzf", home.store("backups/by-hand/hooks.tar.gz"),
                                      "-C", home.at("unpacked"), "hooks"});
  EXPECT_EQ(tar.exit, 0) << tar.err;
  EXPECT_TRUE(same_tree(home.tree("unpacked/hooks"), home.tree(".claude/hooks")));
}

TEST(Flow, StoreIsForItsOwnerAlone) {
  const Home home;
  home.install(1);
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.mode_of(home.store()), 0700U);
  for (const auto& [path, what] : home.store_tree()) {
    const std::string mode = what.substr(what.find(' ') + 1, 4);
    const bool is_run = what.starts_with("dir") || path == "recovery/rescue.sh";
    EXPECT_EQ(mode, is_run ? "0700" : "0600") << path;
  }
  home.mode(home.store(), 0755);
  const Ended refused = home.expect(9, {"backup", "create"});
  EXPECT_THAT(refused.err, HasSubstr("chmod"));
}

TEST(Flow, ConfigDirectoryOfClaudeIsHonoured) {
  const Home home;
  home.dir("elsewhere/claude");
  const RunOptions options{.env = {{"CLAUDE_CONFIG_DIR", home.at("elsewhere/claude")}}};
  // Its hooks are named by the directory's own path.
  Files files = package(1);
  std::erase_if(files, [](const auto& one) { return one.first == "settings.json"; });
  home.expect(0, {"update", "1.0.0", "--from", home.make_bundle("plain", files)}, options);
  EXPECT_EQ(home.text("elsewhere/claude/hooks/log.sh"), files[1].second);
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Flow, StoreRootCanBeElsewhere) {
  const Home home;
  home.expect(0, {"update", "1", "--from", home.bundle("1"), "--root", home.at("my store")});
  EXPECT_TRUE(home.exists("my store/backups"));
  EXPECT_FALSE(home.exists(".stravinsky"));
  home.expect(0, {"rollback", "undo"},
              {.env = {{"STRAVINSKY_ROLLBACK_HOME", home.at("my store")}}});
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Flow, BundleMayBeAnArchive) {
  const Home home;
  const Ended tar =
      home.run_program({"tar", "czf", home.at("package.tgz"), "-C", home.bundle("1"), ".claude"});
  ASSERT_EQ(tar.exit, 0) << tar.err;
  home.expect(0, {"update", "1.0.0", "--from", "~/package.tgz"});
  for (const auto& [path, bytes] : package(1)) EXPECT_EQ(home.text(".claude/" + path), bytes);
}

}  // namespace
}  // namespace stravinsky::e2e
