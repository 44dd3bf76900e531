// The scenarios that admired systems failed at, seen from outside. 1, 2, 3 and 7 are
// in the sweeps, 15 in lock_test, 20 in json_test, 23 in names_test, 24 in reader_test.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

std::string everything(const Ended& run) {
  return run.out + run.err;
}

TEST(Scenario, 3_WithoutAJournalNoFileChanges) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  // Where transactions would be recorded stands something else.
  home.copy(".stravinsky/rollback/recovery/tx", "kept");
  home.erase(home.store("recovery/tx"));
  home.file(home.store("recovery/tx"), "in the way\n", 0600);
  const Ended refused = home.run({"update", "2.0.0", "--from", home.bundle("2")});
  EXPECT_NE(refused.exit, 0);
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.erase(home.store("recovery/tx"));
  home.copy("kept", home.store("recovery/tx"));
  home.mode(home.store("recovery/tx"), 0700);
  home.install(2);
}

TEST(Scenario, 5_FailureBeforeTheFirstChangeTouchesNothing) {
  const Home home;
  home.install(1);
  struct stat before{};
  ASSERT_EQ(lstat(home.at(".claude/hooks/guard.sh").c_str(), &before), 0);
  home.expect(3, {"update", "2.0.0", "--from", home.bundle("missing")});
  struct stat after{};
  ASSERT_EQ(lstat(home.at(".claude/hooks/guard.sh").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(before.st_ctim.tv_sec, after.st_ctim.tv_sec);
  EXPECT_EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
}

TEST(Scenario, 6_RollbackRemovesWhatTheUpdateCreatedIfUnchanged) {
  const Home home;
  home.install(1);
  home.install(2);
  home.file(".claude/commands/deep/mine.md", "beside what the update made\n");
  home.expect(0, {"rollback", "to", "v1.0.0"});
  EXPECT_FALSE(home.exists(".claude/hooks/audit.sh"));
  EXPECT_FALSE(home.exists(".claude/commands/deep/plan.md"));
  EXPECT_EQ(home.text(".claude/commands/deep/mine.md"), "beside what the update made\n");
}

TEST(Scenario, 9_ModesEmptyDirectoriesAndLinksComeBack) {
  const Home home;
  home.files(".claude", package(1));
  home.mode(".claude/hooks/guard.sh", 0500);
  home.mode(".claude/agents/planner.md", 0444);
  home.dir(".claude/skills/empty", 0750);
  home.link(".claude/commands/alias.md", "watch.md");
  home.link(".claude/commands/dangling.md", "nowhere");
  const Tree before = home.tree();
  struct stat root_before{};
  ASSERT_EQ(stat(home.home().c_str(), &root_before), 0);
  home.expect(0, {"backup", "create", "--label", "good"});
  home.install(2);
  home.erase(".claude/skills");
  home.erase(".claude/commands/alias.md");
  home.erase(".claude/commands/dangling.md");
  home.mode(".claude/agents/planner.md", 0644);
  home.expect(0, {"rollback", "to", "good"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  struct stat root_after{};
  ASSERT_EQ(stat(home.home().c_str(), &root_after), 0);
  EXPECT_EQ(root_before.st_mode, root_after.st_mode) << "ancestors are not touched";
}

TEST(Scenario, 10_PlantedLinksAreNotFollowedOut) {
  const Scratch outside;
  outside.file("victim.sh", "theirs\n");
  outside.file("directory/search.md", "theirs\n");
  const Tree before = outside.tree("");
  {
    const Home home;
    home.link(".claude/hooks/guard.sh", outside.at("victim.sh"));
    home.link(".claude/commands/str", outside.at("directory"));
    (void)home.run({"update", "1.0.0", "--from", home.bundle("1")});
    EXPECT_TRUE(same_tree(outside.tree(""), before));
    (void)home.run({"rollback", "undo"});
    EXPECT_TRUE(same_tree(outside.tree(""), before));
  }
  {
    // Planted after the backup: going back must not write through it either.
    const Home home;
    home.install(1);
    home.expect(0, {"backup", "create", "--label", "good"});
    home.erase(".claude/commands/str");
    home.link(".claude/commands/str", outside.at("directory"));
    home.erase(".claude/hooks/guard.sh");
    home.link(".claude/hooks/guard.sh", outside.at("victim.sh"));
    (void)home.run({"rollback", "to", "good"});
    EXPECT_TRUE(same_tree(outside.tree(""), before));
  }
}

TEST(Scenario, 11_ABadStoreFileIsFoundAndDoesNotSpread) {
  const Home home;
  home.files(".claude", package(1));
  home.expect(0, {"backup", "create", "--label", "one"});
  const std::string archive = home.store("backups/one/commands.tar.gz");
  std::string bytes = home.text(archive);
  bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 4);
  home.file(archive, bytes, 0600);
  // Nothing of the tree changed, so a copy of the bad archive would be the easy way.
  home.expect(0, {"backup", "create", "--label", "two"});
  home.expect(7, {"backup", "verify", "one"});
  home.expect(0, {"backup", "verify", "two"});
}

TEST(Scenario, 16_AWriterThatNeverStopsLosesNothing) {
  const Home home;
  home.install(1);
  std::atomic<bool> stop = false;
  std::atomic<int> last = 0;
  const auto settings = [](int n) {
    return "{\n  \"model\": \"number-" + std::to_string(n) + "\"\n}\n";
  };
  // As an editor or a running session saves: a new file renamed over the old one.
  std::thread writer([&] {
    for (int n = 1; !stop; ++n) {
      home.file(".claude/settings.json", settings(n));
      last = n;
    }
  });
  std::vector<int> exits;
  for (int i = 0; i < (kSanitized ? 4 : 12); ++i)
    exits.push_back(home.run({"update", std::to_string(2 + i % 2), "--from",
                              home.bundle(std::to_string(2 + i % 2))})
                        .exit);
  stop = true;
  writer.join();
  const std::string mark = "number-" + std::to_string(last);
  bool found = home.text(".claude/settings.json").find(mark) != std::string::npos;
  for (const auto& [path, what] : home.store_tree())
    found =
        found || (path.starts_with("recovery/conflicts/") && what.find(mark) != std::string::npos);
  EXPECT_TRUE(found) << "the last save is lost";
  for (const int exit : exits) EXPECT_THAT(exit, ::testing::AnyOf(0, 1, 4, 6));
  EXPECT_EQ(home.litter(), std::vector<std::string>());
  home.expect(0, {"audit", "verify"});
  home.expect(0, {"backup", "verify", "--all"});
}

TEST(Scenario, 16_BackupsOfAMovingTreeVerify) {
  const Home home;
  home.install(1);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int n = 1; !stop; ++n)
      home.file(".claude/hooks/guard.sh", hook(std::string(static_cast<size_t>(n % 5000), 'x')),
                0755);
  });
  for (int i = 0; i < 5; ++i) (void)home.run({"backup", "create"});
  stop = true;
  writer.join();
  home.expect(0, {"backup", "verify", "--all"});
  home.expect(0, {"backup", "create"});
}

TEST(Scenario, 19_NothingWaitsForATerminal) {
  const Home home;
  home.install(1);
  home.install(2);
  const Variables confirm{{"STRAVINSKY_SAFETY_REQUIRE_MANUAL_CONFIRMATION_FOR_ROLLBACK", "true"}};
  const Tree before = home.tree();
  const Ended refused = home.run({"rollback", "undo"}, {.env = confirm});
  EXPECT_NE(refused.exit, 0);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.expect(0, {"rollback", "undo", "--yes"}, {.env = confirm});
}

TEST(Scenario, 20_OutputNamesTheStateItGoesTo) {
  const Home home;
  home.install(1);
  EXPECT_THAT(home.install(2).out, HasSubstr("v2.0.0"));
  const Ended undo = home.expect(0, {"rollback", "undo"});
  EXPECT_THAT(undo.out, HasSubstr("From: v2.0.0"));
  EXPECT_THAT(undo.out, HasSubstr("To:   v1.0.0"));
  EXPECT_THAT(undo.out, HasSubstr("stravinsky rollback redo")) << "how to take it back";
}

TEST(Scenario, 21_SettingsThatDoNotParse) {
  const Home home;
  home.install(1);
  const std::string broken = "{\n  \"model\": \"opus\",\n  \"hooks\": {,}\n}\n";
  home.file(".claude/settings.json", broken);
  home.expect(0, {"backup", "create", "--label", "broken"});
  EXPECT_EQ(home.text(home.store("backups/broken/settings.json")), broken);
  const Tree before = home.tree();
  const Ended refused = home.expect(3, {"update", "2.0.0", "--from", home.bundle("2")});
  EXPECT_THAT(everything(refused), HasSubstr("settings.json"));
  EXPECT_THAT(everything(refused), HasSubstr("3")) << "the line";
  EXPECT_TRUE(same_tree(home.tree(), before));
  // And the way back is never blocked by it.
  home.expect(0, {"rollback", "undo"});
  home.expect(0, {"rollback", "to", "broken"});
  EXPECT_EQ(home.text(".claude/settings.json"), broken);
}

TEST(Scenario, 22_TheHomeIsNoProject) {
  const Home home;
  home.files(".claude", package(1));
  home.expect(0, {"backup", "create", "--label", "home"});
  const auto manifest = nlohmann::json::parse(home.text(home.store("backups/home/manifest.json")));
  for (const auto& entry : manifest["entries"]) EXPECT_EQ(entry["scope"], "user") << entry.dump();
}

TEST(Scenario, 22_ADirectoryWithoutClaudeIsNoProject) {
  const Home home;
  home.dir("somewhere/deep");
  home.files(".claude", package(1));
  const RunOptions there{.directory = "somewhere/deep"};
  home.expect(0, {"update", "2.0.0", "--from", home.bundle("2")}, there);
  EXPECT_EQ(home.text(".claude/hooks/audit.sh"), hook("audit of version 2"));
  EXPECT_FALSE(home.exists("somewhere/deep/.claude"));
}

TEST(Scenario, 22_TwoProjectsWithTheSamePathsStayApart) {
  const Home home;
  for (const char* name : {"a", "b"}) {
    home.dir("projects/" + std::string(name) + "/.git");
    home.file("projects/" + std::string(name) + "/.claude/commands/x.md",
              "of " + std::string(name) + "\n");
  }
  const RunOptions in_a{.directory = "projects/a"};
  const RunOptions in_b{.directory = "projects/b"};
  home.expect(0, {"backup", "create", "--label", "a1"}, in_a);
  home.expect(0, {"backup", "create", "--label", "b1"}, in_b);
  home.file("projects/a/.claude/commands/x.md", "of a, later\n");
  home.file("projects/b/.claude/commands/x.md", "of b, later\n");
  // A's backup, restored from within B, must never land in B.
  (void)home.run({"rollback", "to", "a1"}, in_b);
  EXPECT_EQ(home.text("projects/b/.claude/commands/x.md"), "of b, later\n");
  home.file("projects/a/.claude/commands/x.md", "of a, later\n");
  home.expect(0, {"rollback", "to", "b1"}, in_b);
  EXPECT_EQ(home.text("projects/b/.claude/commands/x.md"), "of b\n");
  EXPECT_EQ(home.text("projects/a/.claude/commands/x.md"), "of a, later\n");
}

TEST(Scenario, 22_ALinkedWorktreeIsAProjectOfItsOwn) {
  const Home home;
  home.dir("main/.git/worktrees/side");
  home.file("main/.claude/commands/x.md", "of main\n");
  home.file("side/.git", "gitdir: " + home.at("main/.git/worktrees/side") + "\n");
  home.file("side/.claude/commands/x.md", "of side\n");
  home.dir("side/src/deep");
  const RunOptions inside{.directory = "side/src/deep"};
  home.expect(0, {"backup", "create", "--label", "side"}, inside);
  home.file("side/.claude/commands/x.md", "later\n");
  home.expect(0, {"rollback", "to", "side"}, inside);
  EXPECT_EQ(home.text("side/.claude/commands/x.md"), "of side\n");
  EXPECT_EQ(home.text("main/.claude/commands/x.md"), "of main\n");
}

TEST(Scenario, 25_RestoredFilesAreNewerThanThePackagesAndHeld) {
  const Home home;
  home.install(1);
  home.install(2);
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  for (const char* name : {"guard.sh", "audit.sh"})
    ASSERT_EQ(utimensat(AT_FDCWD, home.at(".claude/hooks/" + std::string(name)).c_str(), old, 0),
              0);
  const time_t start = time(nullptr);
  home.expect(0, {"rollback", "undo"});
  struct stat st{};
  ASSERT_EQ(stat(home.at(".claude/hooks/guard.sh").c_str(), &st), 0);
  EXPECT_GE(st.st_mtim.tv_sec, start);
  const std::string hold = home.text(home.store("hold.json"));
  EXPECT_THAT(hold, HasSubstr("1.0.0"));
  EXPECT_THAT(hold, HasSubstr("hooks/guard.sh"));
  // A package that copies "if newer" leaves it alone.
  home.run_program({"cp", "-ru", home.bundle("2") + "/.claude/.", home.at(".claude")});
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), package(1).front().second);
  home.install(3);
  EXPECT_FALSE(home.exists(home.store("hold.json"))) << "an update ends it";
}

}  // namespace
}  // namespace stravinsky::e2e
