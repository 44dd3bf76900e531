// A world that is not as it should be: signals, limits, links that lead away, files that
// nobody may read, a store whose derived files are damaged. What is told, and what works
// all the same.
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// --- signals

// An interpreter that sends a signal to whoever asks for its version, which every
// operation does before it changes anything.
RunOptions with_signal(const Home& home, const std::string& name) {
  home.file("bin/python3", "#!/bin/sh\nkill -" + name + " $PPID\nexit 1\n", 0755);
  return {.env = {{"PATH", home.at("bin") + ":/usr/bin:/bin"}}};
}

class Interrupting : public ::testing::TestWithParam<const char*> {};

TEST_P(Interrupting, TakesTheUpdateBack) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.expect(130, {"update", "2.0.0", "--from", home.bundle("2")}, with_signal(home, GetParam()));
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_EQ(home.litter(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupting, ::testing::Values("INT", "TERM", "HUP", "QUIT"),
                         [](const auto& one) { return std::string(one.param); });

class Harmless : public ::testing::TestWithParam<const char*> {};

TEST_P(Harmless, LetsTheUpdateGoOn) {
  const Home home;
  home.install(1);
  home.expect(0, {"update", "2.0.0", "--from", home.bundle("2")}, with_signal(home, GetParam()));
  EXPECT_EQ(home.text(".claude/hooks/audit.sh"), hook("audit of version 2"));
}

INSTANTIATE_TEST_SUITE_P(Signals, Harmless, ::testing::Values("ALRM", "USR1", "USR2", "XFSZ"),
                         [](const auto& one) { return std::string(one.param); });

TEST(Signals, WhatWasIgnoredStaysIgnored) {
  const Home home;
  home.install(1);
  const Ended done =
      home.run_program({"sh", "-c", "trap '' HUP; exec \"$0\" update 2.0.0 --from \"$1\"",
                        STRAVINSKY_BINARY, home.bundle("2")},
                       with_signal(home, "HUP"));
  EXPECT_EQ(done.exit, 0) << done.err;
}

// --- limits

std::string under(const std::string& limit, const std::string& command) {
  return "ulimit " + limit + " && exec " + STRAVINSKY_BINARY + " " + command;
}

TEST(Limits, AFileThatGetsTooLargeIsAnError) {
  const Home home;
  home.install(1);
  home.file(".claude/commands/large.md", std::string(200'000, 'x'));
  const Tree before = home.tree();
  const Ended failed =
      home.run_program({"bash", "-c", under("-f 1", "update 2.0.0 --from ~/bundles/2")});
  EXPECT_EQ(failed.exit, 1) << failed.out << failed.err;
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.install(2);
}

TEST(Limits, WithoutThreadsAnUpdateIsDoneByOne) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become a user who may start nothing";
  const Home home;
  home.install(1);
  constexpr uint32_t kPoorUser = 64999;
  ASSERT_EQ(home.run_program({"sh", "-c", "chown -R 64999:64999 ~ && chmod 755 ~/.."}).exit, 0);
  const Ended done = home.run_program(
      {"bash", "-c", under("-u 1", "update 2.0.0 --from ~/bundles/2")}, {.user_id = kPoorUser});
  EXPECT_LT(done.exit, 128) << done.err;
  EXPECT_THAT(done.err, Not(HasSubstr("terminate called")));
  EXPECT_THAT(done.out + done.err, Not(HasSubstr("std::")));
}

TEST(Limits, WithoutMemoryItSaysSo) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer wants all addresses";
  const Home home;
  home.install(1);
  for (int kilobytes = 60'000; kilobytes > 5'000; kilobytes -= 2'500) {
    const Ended run =
        home.run_program({"bash", "-c", under("-v " + std::to_string(kilobytes), "backup create")});
    EXPECT_LT(run.exit, 128) << kilobytes << " " << run.err;
    EXPECT_THAT(run.err, Not(HasSubstr("terminate called"))) << kilobytes;
    EXPECT_TRUE(run.exit == 0 || !run.err.empty()) << kilobytes;
  }
  home.install(2);
}

// --- links that lead away

class OutsideLink : public ::testing::Test {
 protected:
  void SetUp() override {
    home_.dir("../outside");
    ASSERT_EQ(home_.run_program({"mv", home_.at(".claude/hooks"), home_.at("../outside")}).exit, 0);
    home_.link(".claude/hooks", home_.at("../outside/hooks"));
  }
  class Installed : public Home {
   public:
    Installed() { install(1); }
  };

  const Installed home_;
};

TEST_F(OutsideLink, ABackupSaysThatItLacksWhatTheLinkLeadsTo) {
  const Ended text = home_.expect(0, {"backup", "create"});
  EXPECT_THAT(text.err, AllOf(HasSubstr("hooks is not in the backup"), HasSubstr("outside/hooks"),
                              HasSubstr("--follow-outside-links")));
  EXPECT_THAT(text.out, HasSubstr("not complete: 1 path of the tree is not in it"));
  const nlohmann::json made = home_.expect(0, {"backup", "create", "--json"}).json();
  EXPECT_EQ(made["complete"], false) << made;
  ASSERT_EQ(made["not_in_backup"].size(), 1U) << made;
  EXPECT_EQ(made["not_in_backup"][0]["reason"], "outside_link");
  EXPECT_THAT(made["not_in_backup"][0]["leads_to"].get<std::string>(), HasSubstr("outside/hooks"));
}

TEST_F(OutsideLink, FollowedItIsAllThere) {
  const Ended made = home_.expect(0, {"backup", "create", "--follow-outside-links", "--json"});
  EXPECT_EQ(made.json()["complete"], true);
  const std::string id = made.json()["id"];
  home_.file("../outside/hooks/guard.sh", hook("worse"));
  home_.expect(0, {"rollback", "to", id, "--follow-outside-links"});
  EXPECT_EQ(home_.text("../outside/hooks/guard.sh"), hook("guard of version 1"));
  EXPECT_TRUE(home_.is_link(".claude/hooks"));
}

TEST_F(OutsideLink, ARollbackSaysWhatItDidNotLookAt) {
  const std::string id = home_.expect(0, {"backup", "create", "--json"}).json()["id"];
  home_.file("../outside/hooks/guard.sh", hook("worse"));
  const Ended back = home_.expect(0, {"rollback", "to", id});
  EXPECT_THAT(back.err,
              AllOf(HasSubstr("hooks is not in the backup"), HasSubstr("--follow-outside-links")));
}

TEST_F(OutsideLink, AnUpdateOverItNamesTheLinkAndTheOption) {
  const Tree before = home_.tree();
  const Ended refused = home_.expect(4, {"update", "2.0.0", "--from", home_.bundle("2")});
  EXPECT_THAT(refused.err, AllOf(HasSubstr("outside/hooks"), HasSubstr("--follow-outside-links")));
  EXPECT_TRUE(same_tree(home_.tree(), before));
  home_.expect(0, {"update", "2.0.0", "--from", home_.bundle("2"), "--follow-outside-links"});
  EXPECT_EQ(home_.text("../outside/hooks/audit.sh"), hook("audit of version 2"));
}

// --- what nobody may read

// A home of another user than root, where modes mean something, with two versions
// installed and a file changed since.
class Unreadable : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
    program("chown -R 64999:64999 ~ && chmod 755 ~/..");
    for (const char* version : {"1", "2"})
      expect(0, {"update", version + std::string(".0.0"), "--from", home_.bundle(version)});
    backup_ = expect(0, {"backup", "create", "--json"}).json()["id"];
    const std::string kind = GetParam();
    home_.file(".claude/skills/one/SKILL.md", "mine\n");
    if (kind == "closed_directory") home_.mode(".claude/skills/one", 0);
    if (kind == "closed_file") home_.mode(".claude/skills/one/SKILL.md", 0);
    if (kind == "unsearchable_directory") home_.mode(".claude/skills/one", 0444);
    std::string deep = "~/.claude/skills/one";
    for (int i = 0; i < 300; ++i) deep += "/d";
    if (kind == "deep_directory") program("mkdir -p " + deep + " && touch " + deep + "/x");
    if (kind == "looping_link") {
      home_.link(".claude/rules", "rules");
    }
    program("chown -R 64999:64999 ~");
    if (kind == "file_of_root") {
      home_.mode(".claude/skills/one/SKILL.md", 0600);
      program("chown 0 ~/.claude/skills/one/SKILL.md");
    }
  }
  // rm -rf of the scratch is root's.
  void program(const std::string& command) const {
    const Ended run = home_.run_program({"sh", "-c", command});
    ASSERT_EQ(run.exit, 0) << run.err;
  }
  Ended expect(int exit, const std::vector<std::string>& args) const {
    return home_.expect(exit, args, {.user_id = 64999});
  }
  bool is_loop() const { return GetParam() == std::string("looping_link"); }

  const Home home_;
  std::string backup_;
};

TEST_P(Unreadable, DoesNotBarUndoAndRedo) {
  const Ended undone = expect(0, {"rollback", "undo"});
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 1"));
  EXPECT_EQ(undone.err.find("is not in the backup") == std::string::npos, is_loop()) << undone.err;
  expect(0, {"rollback", "redo"});
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 2"));
  EXPECT_TRUE(home_.exists(".claude/skills/one/SKILL.md"));
}

TEST_P(Unreadable, DoesNotBarAWholeVersion) {
  home_.file(".claude/hooks/guard.sh", hook("worse"));
  program("chown 64999:64999 ~/.claude/hooks/guard.sh");
  expect(0, {"rollback", "to", backup_});
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 2"));
  EXPECT_TRUE(home_.exists(".claude/skills/one/SKILL.md"));
  expect(0, {"rollback", "to", "1.0.0"});
  EXPECT_TRUE(home_.exists(".claude/skills/one/SKILL.md"));
}

TEST_P(Unreadable, DoesNotBarOneFile) {
  home_.file(".claude/hooks/guard.sh", hook("worse"));
  program("chown 64999:64999 ~/.claude/hooks/guard.sh");
  expect(0, {"recovery", "file", home_.at(".claude/hooks/guard.sh")});
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 2"));
}

TEST_P(Unreadable, IsAFactOfTheBackup) {
  const nlohmann::json made = expect(0, {"backup", "create", "--json"}).json();
  EXPECT_EQ(made["complete"], is_loop()) << made;
  const std::string id = made["id"];
  expect(0, {"backup", "verify", id});
  const auto manifest =
      nlohmann::json::parse(home_.text(home_.store("backups/" + id + "/manifest.json")));
  EXPECT_EQ(manifest["integrity_checks"]["all_files_readable"], is_loop());
}

TEST_P(Unreadable, DoesNotBarAnUpdateOfOtherFiles) {
  expect(0, {"update", "3.0.0", "--from", home_.bundle("3")});
  EXPECT_TRUE(home_.exists(".claude/skills/one/SKILL.md"));
}

INSTANTIATE_TEST_SUITE_P(Things, Unreadable,
                         ::testing::Values("closed_directory", "unsearchable_directory",
                                           "closed_file", "file_of_root", "deep_directory",
                                           "looping_link"),
                         [](const auto& one) { return std::string(one.param); });

TEST(UnreadableFile, ThatTheChangeIsAboutIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const Home home;
  home.install(1);
  home.expect(0, {"backup", "create"});
  home.file(".claude/hooks/guard.sh", hook("mine"));
  home.mode(".claude/hooks/guard.sh", 0);
  ASSERT_EQ(home.run_program({"sh", "-c", "chown -R 64999:64999 ~ && chmod 755 ~/.."}).exit, 0);
  const RunOptions user{.user_id = 64999};
  const Tree before = home.tree();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"update", "2.0.0", "--from", home.bundle("2")},
        {"recovery", "file", home.at(".claude/hooks/guard.sh")}}) {
    const Ended refused = home.expect(9, command, user);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("hooks/guard.sh"), HasSubstr("chmod u+rX")));
    EXPECT_TRUE(same_tree(home.tree(), before));
  }
}

// --- places that cannot be a tree

TEST(Places, WhatCannotBeATreeIsRefused) {
  const Home home;
  for (const std::string& directory : {std::string("/"), home.home(), std::string("conf")}) {
    const Ended refused =
        home.expect(2, {"backup", "create"}, {.env = {{"CLAUDE_CONFIG_DIR", directory}}});
    EXPECT_THAT(refused.err, HasSubstr("CLAUDE_CONFIG_DIR"));
  }
  const Ended relative = home.expect(2, {"status"}, {.env = {{"CLAUDE_CONFIG_DIR", "conf"}}});
  EXPECT_THAT(relative.err, HasSubstr(home.at("conf")));
  home.expect(2, {"backup", "create", "--root", home.at(".claude/store")});
  home.expect(2, {"backup", "create"}, {.env = {{"CLAUDE_CONFIG_DIR", home.store("tree")}}});
  EXPECT_FALSE(home.exists(".claude/store"));
  EXPECT_FALSE(home.exists(Home::kStore));
}

// --- damage in the store

class DamagedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    home_.install(1);
    home_.install(2);
  }
  // Undo and update work, one of the two warns, and nothing was thrown away.
  void expect_mended(const std::string& name) const {
    const Ended undone = home_.expect(0, {"rollback", "undo"});
    EXPECT_THAT(undone.err, HasSubstr(name));
    EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 1"));
    home_.install(2);
    home_.expect(0, {"backup", "verify", "--all"});
  }

  const Home home_;
};

TEST_F(DamagedStore, AFlippedKeyOfTheSequenceStopsNothing) {
  std::string text = home_.text(home_.store("backups/sequence.json"));
  text.replace(text.find("newest"), 6, "nevest");
  home_.file(home_.store("backups/sequence.json"), text, 0600);
  expect_mended("sequence.json");
  EXPECT_EQ(home_.text(home_.store("recovery/damaged/sequence.json.1")), text);
}

TEST_F(DamagedStore, DerivedFilesThatAreNoFilesAreMovedAside) {
  for (const char* name : {"backups/sequence.json", "backups/latest.json", "hold.json"}) {
    home_.erase(home_.store(name));
    home_.file(home_.store(std::string(name) + "/mine"), "mine\n");
  }
  expect_mended("latest.json");
  for (const char* name : {"sequence.json", "latest.json", "hold.json"})
    EXPECT_EQ(home_.text(home_.store("recovery/damaged/" + std::string(name) + ".1/mine")),
              "mine\n");
}

TEST_F(DamagedStore, ALinkOrFifoInTheirPlaceIsNotFollowed) {
  home_.file("elsewhere", "mine\n");
  home_.erase(home_.store("backups/latest.json"));
  home_.link(home_.store("backups/latest.json"), home_.at("elsewhere"));
  home_.erase(home_.store("backups/sequence.json"));
  ASSERT_EQ(home_.run_program({"mkfifo", home_.store("backups/sequence.json")}).exit, 0);
  expect_mended("latest.json");
  EXPECT_EQ(home_.text("elsewhere"), "mine\n");
  EXPECT_TRUE(home_.is_link(home_.store("recovery/damaged/latest.json.1")));
}

TEST_F(DamagedStore, ALockThatIsNoFileIsNamedWithTheWayOut) {
  home_.erase(home_.store("lock"));
  home_.dir(home_.store("lock"));
  const Ended refused = home_.expect(1, {"rollback", "undo"});
  EXPECT_THAT(refused.err, HasSubstr("mv " + home_.store("lock")));
}

TEST_F(DamagedStore, OneFileComesFromABackupWhoseCopyIsSound) {
  const std::string older = home_.expect(0, {"backup", "create", "--json"}).json()["id"];
  home_.file(".claude/settings.json", "{ not json");
  home_.expect(0, {"backup", "create"});
  home_.file(".claude/settings.json", "{}\n");
  const std::string newest = home_.expect(0, {"backup", "create", "--json"}).json()["id"];
  home_.file(home_.store("backups/" + newest + "/settings.json"), "[]\n", 0600);
  home_.file(".claude/settings.json", "{ \"mine\": 1 }\n");
  const Ended back = home_.expect(0, {"recovery", "file", home_.at(".claude/settings.json")});
  EXPECT_THAT(back.out, HasSubstr(older));
  EXPECT_THAT(home_.text(".claude/settings.json"), HasSubstr("audit.sh"));
}

TEST_F(DamagedStore, AVersionWithADamagedManifestIsNotAbsent) {
  home_.expect(0, {"backup", "create", "--label", "mine"});
  home_.file(home_.store("backups/mine/manifest.json"),
             " " + home_.text(home_.store("backups/mine/manifest.json")), 0600);
  for (const char* command : {"rollback to", "backup show"}) {
    const std::string text = command;
    const size_t space = text.find(' ');
    const Ended refused = home_.expect(7, {text.substr(0, space), text.substr(space + 1), "2.0.0"});
    EXPECT_THAT(refused.err, HasSubstr("mine"));
  }
}

TEST_F(DamagedStore, WhatAKillLeftHalfWrittenIsSwept) {
  for (const char* name : {".hold.json.partial", "bundles/.9.9.9.partial/content",
                           "backups/.latest.json.partial", "recovery/.begun.json.partial"})
    home_.file(home_.store(name), "half", 0600);
  home_.expect(0, {"backup", "create"});
  for (const auto& [path, what] : home_.store_tree())
    EXPECT_EQ(path.find(".partial"), std::string::npos) << path;
}

}  // namespace
}  // namespace stravinsky::e2e
