// update finish, where it goes back: what it says is so, and what it says comes back does.
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kBegun = "recovery/begun.json";

void begin(const Home& home) {
  home.install(1);
  home.expect(0, {"update", "begin", "2.0.0"});
}

void begin_and_install(const Home& home) {
  begin(home);
  home.files(".claude", package(2));
  home.erase(".claude/commands/watch.md");
}

std::string trail(const Home& home) {
  std::string out;
  const auto log = home.expect(0, {"audit", "log", "--json"}).json();
  for (const auto& event : log["events"]) out += event["event_type"].get<std::string>() + " ";
  return out;
}

TEST(InstallerBack, AWayBackMeanwhileEndsTheBegunUpdate) {
  const std::vector<std::vector<std::string>> ways{{"rollback", "to", "v1.0.0.pre_update"},
                                                   {"rollback", "undo"}};
  for (const auto& way : ways) {
    const Home home;
    begin_and_install(home);
    home.expect(0, way);
    const Tree back = home.tree();
    const auto was = home.expect(0, {"status", "--json"}).json()["current_version"];
    const Ended finished = home.expect(1, {"update", "finish", "2.0.0"});
    EXPECT_THAT(finished.out, Not(HasSubstr("successful")));
    EXPECT_THAT(finished.err, HasSubstr("taken back meanwhile by transaction "));
    EXPECT_THAT(finished.err, HasSubstr("v1.0.0.pre_update"));
    EXPECT_TRUE(same_tree(home.tree(), back));
    EXPECT_EQ(home.expect(0, {"status", "--json"}).json()["current_version"], was);
    EXPECT_FALSE(home.exists(home.store(kBegun)));
    EXPECT_TRUE(home.exists(home.store("hold.json")));
    EXPECT_THAT(trail(home), HasSubstr("UPDATE_FAILED"));
    home.expect(5, {"update", "finish", "2.0.0"});
    home.expect(0, {"audit", "verify"});
  }
}

TEST(InstallerBack, FailedAfterAnUndoDoesNotUndoIt) {
  const Home home;
  begin(home);
  home.expect(0, {"rollback", "undo"});
  const Tree undone = home.tree();
  EXPECT_THAT(home.expect(1, {"update", "finish", "2.0.0", "--failed"}).err,
              HasSubstr("taken back meanwhile"));
  EXPECT_TRUE(same_tree(home.tree(), undone));
}

TEST(InstallerBack, AWayBackOfBeforeEndsNothing) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"rollback", "undo"});
  home.expect(0, {"update", "begin", "2.0.0"});
  home.files(".claude", package(2));
  EXPECT_THAT(home.expect(0, {"update", "finish", "2.0.0"}).out, HasSubstr("Update successful"));
}

TEST(InstallerBack, NothingIsAdoptedMeanwhile) {
  const Home home;
  begin(home);
  const Ended refused = home.expect(4, {"adopt", "1.0.0", "--from", home.bundle("1")});
  EXPECT_THAT(refused.err, AllOf(HasSubstr("is not finished"), HasSubstr("Nothing was changed."),
                                 HasSubstr("update finish 2.0.0")));
}

TEST(InstallerBack, AnEmptiedTreeIsNoSuccess) {
  const Home home;
  begin(home);
  const Tree before = home.tree();
  home.erase(".claude");
  const Ended finished = home.expect(1, {"update", "finish", "2.0.0", "--json"});
  EXPECT_EQ(finished.json()["auto_rolled_back"], true);
  EXPECT_THAT(finished.out, HasSubstr("tree.emptied"));
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(InstallerBack, AnEmptiedComponentIsNoSuccessUnlessItWasMeant) {
  const Home home;
  begin(home);
  const Tree before = home.tree();
  home.erase(".claude/agents/planner.md");
  const Ended finished = home.expect(1, {"update", "finish", "2.0.0"});
  EXPECT_THAT(finished.err, AllOf(HasSubstr("~/.claude/agents"), HasSubstr("--removes agents")));
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.expect(2, {"update", "finish", "2.0.0", "--removes", "agnts"});
  home.expect(0, {"update", "begin", "2.0.0"});
  home.erase(".claude/agents");
  home.expect(0, {"update", "finish", "2.0.0", "--removes", "agents"});
  EXPECT_FALSE(home.exists(".claude/agents"));
}

TEST(InstallerBack, LinksModesAndDirectoriesComeBack) {
  const Home home;
  home.install(1);
  home.dir(".claude/commands/empty", 0750);
  const Tree before = home.tree();
  home.expect(0, {"update", "begin", "2.0.0"});
  home.copy(".claude/hooks", "elsewhere");
  home.file("elsewhere/guard.sh", "if\n", 0755);
  const Tree elsewhere = home.tree("elsewhere");
  home.erase(".claude/hooks");
  home.link(".claude/hooks", home.at("elsewhere"));
  home.copy(".claude/settings.json", "settings.json");
  home.erase(".claude/settings.json");
  home.link(".claude/settings.json", "../settings.json");
  home.mode(".claude/commands", 0700);
  home.mode(".claude/commands/str", 0700);
  home.erase(".claude/commands/empty");
  home.dir(".claude/agents/new/empty");
  home.dir(".claude/skills/new");
  home.expect(1, {"update", "finish", "2.0.0"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_TRUE(same_tree(home.tree("elsewhere"), elsewhere)) << "not in the tree any more";
  EXPECT_FALSE(home.exists(home.store(kBegun)));
}

TEST(InstallerBack, ALinkOfTheUsersComesBack) {
  const Home home;
  home.install(1);
  home.copy(".claude/hooks", "dotfiles/hooks");
  home.erase(".claude/hooks");
  home.link(".claude/hooks", "../dotfiles/hooks");
  home.copy(".claude/agents", "dotfiles/agents");
  home.erase(".claude/agents");
  home.link(".claude/agents", "../dotfiles/agents");
  const Tree before = home.tree();
  const Tree dotfiles = home.tree("dotfiles");
  home.expect(0, {"update", "begin", "2.0.0"});
  // Beside the link: what it leads to is as it was.
  home.erase(".claude/hooks");
  home.files(".claude", {{"hooks/guard.sh", "half"}});
  // In both: rm -rf agents/ and a directory of the installer's own.
  home.erase("dotfiles/agents/planner.md");
  home.erase(".claude/agents");
  home.files(".claude", {{"agents/other.md", "half"}});
  home.expect(1, {"update", "finish", "2.0.0", "--failed"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_TRUE(same_tree(home.tree("dotfiles"), dotfiles));
  EXPECT_FALSE(home.exists(home.store(kBegun)));
}

TEST(InstallerBack, EveryFileThatIsTakenBackIsNamedWithItsWayBack) {
  const Home home;
  begin_and_install(home);
  home.file(".claude/commands/mine.md", "my own\n");
  home.file(".claude/agents/planner.md", "my edit\n");
  const Ended finished = home.expect(1, {"update", "finish", "2.0.0", "--failed"});
  EXPECT_THAT(finished.out, AllOf(HasSubstr("deleted       ~/.claude/commands/mine.md"),
                                  HasSubstr("changed       ~/.claude/agents/planner.md"),
                                  HasSubstr("brought back  ~/.claude/commands/watch.md"),
                                  HasSubstr("deleted       ~/.claude/hooks/audit.sh")));
  EXPECT_THAT(finished.out, HasSubstr("what you changed yourself meanwhile"));
  EXPECT_THAT(finished.out, HasSubstr("is in the backup v1.0.0.pre_rollback"));
  EXPECT_THAT(finished.out, HasSubstr("stravinsky recovery file '~/.claude/"));
  EXPECT_EQ(home.text(".claude/commands/mine.md"), "<absent>");
  home.expect(0, {"recovery", "file", "~/.claude/commands/mine.md", "v1.0.0.pre_rollback"});
  EXPECT_EQ(home.text(".claude/commands/mine.md"), "my own\n");
  home.expect(0, {"recovery", "file", "~/.claude/agents/planner.md", "v1.0.0.pre_rollback"});
  EXPECT_EQ(home.text(".claude/agents/planner.md"), "my edit\n");
}

TEST(InstallerBack, WhatCannotBeReadIsRefusedBeforeTheFirstChange) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const Home home;
  home.install(1);
  const RunOptions user{.user_id = 65534};
  home.run_program({"chown", "-R", "65534:65534", home.home()});
  const Tree before = home.tree();
  home.expect(0, {"update", "begin", "2.0.0"}, user);
  home.files(".claude", package(2));
  home.run_program({"chown", "-R", "65534:65534", home.home()});
  home.mode(".claude/hooks", 0);
  const Tree installed = home.tree();
  for (const char* how : {"--failed", "--quiet"}) {
    const Ended refused = home.expect(9, {"update", "finish", "2.0.0", how}, user);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("~/.claude/hooks"), HasSubstr("chmod -R u+rwX"),
                                   HasSubstr("Nothing was changed")));
    EXPECT_TRUE(same_tree(home.tree(), installed));
    EXPECT_TRUE(home.exists(home.store(kBegun)));
  }
  home.mode(".claude/hooks", 0755);
  home.expect(1, {"update", "finish", "2.0.0", "--failed"}, user);
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(InstallerBack, WhatCouldNotBeReadBeforeEitherStandsInNobodysWay) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const Home home;
  home.install(1);
  home.file(".claude/agents/secret.md", "mine\n", 0);
  const RunOptions user{.user_id = 65534};
  home.run_program({"chown", "-R", "65534:65534", home.home()});
  const Tree before = home.tree();
  home.expect(0, {"update", "begin", "2.0.0"}, user);
  home.file(".claude/hooks/guard.sh", "half");
  home.run_program({"chown", "-R", "65534:65534", home.home()});
  home.expect(1, {"update", "finish", "2.0.0", "--failed"}, user);
  EXPECT_TRUE(same_tree(home.tree(), before));
  // The backup does not have it, so it is not taken for the installer's.
  home.expect(0, {"update", "begin", "2.0.0"}, user);
  home.mode(".claude/agents/secret.md", 0600);
  home.expect(1, {"update", "finish", "2.0.0", "--failed"}, user);
  EXPECT_EQ(home.text(".claude/agents/secret.md"), "mine\n");
}

TEST(InstallerBack, WithoutAChangeThereIsNothingToTakeBack) {
  const Home home;
  begin(home);
  const Ended finished = home.expect(0, {"update", "finish", "2.0.0"});
  EXPECT_THAT(finished.out, HasSubstr("No file changed; v2.0.0 is noted as installed."));
  EXPECT_THAT(finished.out, Not(HasSubstr("rollback undo")));
  EXPECT_THAT(finished.out, Not(HasSubstr("successful")));
  EXPECT_EQ(home.expect(0, {"status", "--json"}).json()["current_version"], "v2.0.0");
}

TEST(InstallerBack, TheDryRunNamesWhatShowsTheInstallersWork) {
  const Home home;
  begin_and_install(home);
  const Ended refused = home.expect(2, {"update", "finish", "2.0.0", "--dry-run"});
  EXPECT_THAT(refused.err, HasSubstr("stravinsky rollback to v1.0.0.pre_update --dry-run"));
  const Ended shown = home.expect(0, {"rollback", "to", "v1.0.0.pre_update", "--dry-run"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("commands/watch.md"), HasSubstr("hooks/audit.sh")));
}

TEST(InstallerBack, AdoptSaysHowToTakeItBack) {
  const Home home;
  home.install(1);
  EXPECT_THAT(home.expect(0, {"adopt", "1.5.0", "--from", home.bundle("1")}).out,
              HasSubstr("To take it back: stravinsky adopt v1.0.0 --from SOURCE"));
  const Home fresh;
  fresh.files(".claude", package(1));
  EXPECT_THAT(fresh.expect(0, {"adopt", "1.0.0", "--from", fresh.bundle("1")}).out,
              HasSubstr("stravinsky adopt VERSION --from SOURCE"));
}

}  // namespace
}  // namespace stravinsky::e2e
