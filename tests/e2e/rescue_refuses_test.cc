// What recovery/rescue.sh refuses, before it has changed anything.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "rescue.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

class RescueRefuses : public Rescue {
 protected:
  void SetUp() override {
    Rescue::SetUp();
    if (IsSkipped()) return;
    break_tree();
    before_ = trees();
  }
  // The exit code, what it says, and that nothing was changed.
  void expect_refusal(int exit, const std::vector<std::string>& args, const std::string& told,
                      const RunOptions& options = {}) const {
    const Ended done = expect(exit, args, options);
    EXPECT_THAT(done.err, HasSubstr(told));
    EXPECT_THAT(done.err, HasSubstr("Nothing was changed."));
    EXPECT_TRUE(same_tree(trees(), before_));
    EXPECT_EQ(home_.names(home_.store("recovery/aside")), std::vector<std::string>());
    expect_no_litter();
  }
  std::string sum_of(const std::string& bytes) const {
    return home_.run_program({"sha256sum"}, {.input = bytes}).out.substr(0, 64);
  }
  // Replaces text in the manifest, which says what it says about itself again.
  void rewrite_manifest(const std::string& what, const std::string& with) const {
    std::string text = home_.text(in_backup("manifest.json"));
    const size_t at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
    const size_t digest = text.find("\"digest\":\"");
    constexpr size_t kMemberBytes = 10 + 64 + 2;
    text.erase(digest, kMemberBytes);
    text.insert(digest, "\"digest\":\"" + sum_of(text) + "\",");
    home_.file(in_backup("manifest.json"), text, 0600);
  }

  Tree before_;
};

INSTANTIATE_TEST_SUITE_P(RescueIn, RescueRefuses, ::testing::Values("dash", "busybox"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(RescueRefuses, WhatIsNotThereOrNotMeant) {
  expect_refusal(5, {"restore", "nope"}, "there is no backup nope");
  expect_refusal(2, {"restore", "../one"}, "not the name of a backup");
  expect_refusal(2, {"restore"}, "which backup");
  expect_refusal(2, {"destroy", "one"}, "destroy");
  expect_refusal(2, {"restore", "one", "two"}, "restore");
  expect_refusal(2, {"restore", "one", "--exact"}, "--exact");
  expect_refusal(5, {"undo", "20260108T153422Z"}, "there is no");
  expect_refusal(2, {"undo", "../../backups"}, "which time");
}

TEST_P(RescueRefuses, ADamagedBackupAndRestoresWhatIsSoundOfIt) {
  flip_a_byte(in_backup("hooks.tar.gz"));
  expect_refusal(7, {"restore", "one"}, "hooks.tar.gz of one is not what was written");
  expect_refusal(7, {"restore", "one", "--force"}, "hooks.tar.gz");
  expect_refusal(7, {"file", "one", "hooks/guard.sh"}, "hooks.tar.gz");
  expect(0, {"file", "one", "commands"});
  EXPECT_EQ(home_.text(".claude/commands/str/search.md"), "c");
}

TEST_P(RescueRefuses, ADamagedManifest) {
  flip_a_byte(in_backup("manifest.json"));
  expect_refusal(7, {"restore", "one"}, "the manifest of one is not what was written");
  home_.copy(home_.store("backups/one"), home_.store("backups/renamed"));
  home_.erase(in_backup("manifest.json"));
  expect_refusal(7, {"restore", "one"}, "no manifest.json");
}

TEST_P(RescueRefuses, AManifestThatIsThatOfAnotherBackup) {
  home_.copy(home_.store("backups/one"), home_.store("backups/renamed"));
  expect_refusal(7, {"restore", "renamed"}, "not what was written");
}

TEST_P(RescueRefuses, ANewerFormat) {
  rewrite_manifest("\"format_version\":1,", "\"format_version\":2,");
  expect_refusal(1, {"restore", "one"}, "has format 2, and this script knows format 1");
  expect_refusal(1, {"verify", "one"}, "has format 2");
}

TEST_P(RescueRefuses, AMemberThatLeadsOutOfTheTree) {
  home_.file("evil/in/hooks/x.sh", "x");
  home_.file("evil/planted.md", "planted");
  const std::string archive = in_backup("hooks.tar.gz");
  const std::string old = sum_of(home_.text(archive));
  ASSERT_EQ(home_
                .run_program(
                    {"tar", "-C", home_.at("evil/in"), "-czPf", archive, "hooks", "../planted.md"})
                .exit,
            0);
  rewrite_manifest(old, sum_of(home_.text(archive)));
  home_.erase("evil");
  expect_refusal(7, {"restore", "one"}, "leads out of the tree");
}

TEST_P(RescueRefuses, ALinkThatLeadsOutOfTheHome) {
  const std::string outside = home_.at("../outside");
  home_.copy("dotfiles/skills", outside);
  home_.link(".claude/skills", outside);
  before_ = trees();
  expect_refusal(1, {"restore", "one"}, "a link leads out of your home");
  EXPECT_FALSE(home_.exists(outside + "/x/SKILL.md"));
  expect(0, {"restore", "one", "--force"});
  EXPECT_EQ(home_.text(outside + "/x/SKILL.md"), "k");
  EXPECT_TRUE(home_.is_link(".claude/skills"));
}

TEST_P(RescueRefuses, ToWorkBehindAnInterruptedOperation) {
  home_.file(home_.store("recovery/tx/0123456789abcdef/journal"), "", 0600);
  expect_refusal(8, {"restore", "one"}, "stravinsky recovery resume");
  expect(0, {"restore", "one", "--force"});
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard"));
}

TEST_P(RescueRefuses, ToWorkBesideAnotherCommand) {
  if (paste("flock --help").exit != 0) GTEST_SKIP() << "there is no flock in " << GetParam();
  for (const std::string& held : {home_.store("lock"), home_.at(".claude")}) {
    const int lock = open(held.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(flock(lock, LOCK_EX | LOCK_NB), 0);
    expect_refusal(6, {"restore", "one"}, "another command is at work");
    close(lock);
  }
  expect(0, {"restore", "one"});
}

TEST_P(RescueRefuses, TheTreeOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a tree to another user";
  ASSERT_EQ(chown(home_.at(".claude").c_str(), 12345, 12345), 0);
  expect_refusal(9, {"restore", "one"}, "belongs to user 12345");
}

// A PATH of busybox without what it takes away.
TEST(RescueTools, WithoutSha256NothingIsRestoredUnlessItIsMeant) {
  const Home home;
  home.install(1);
  home.expect(0, {"backup", "create", "--label", "one"});
  if (home.run_program({"busybox", "true"}).exit != 0) GTEST_SKIP() << "busybox is not installed";
  for (const char* one : {"cat", "chmod", "cmp", "cp", "date", "grep", "gzip", "id", "ls", "mkdir",
                          "mv", "readlink", "rm", "rmdir", "sed", "sh", "sort", "tar", "tr"})
    home.link("bin/" + std::string(one), "/bin/busybox");
  const RunOptions options{.env = {{"PATH", home.at("bin")}}};
  const auto rescue = [&](const std::string& arguments) {
    return home.run_program(
        {home.at("bin/sh"), "-c", "sh " + home.store("recovery/rescue.sh") + arguments}, options);
  };
  home.file(".claude/hooks/guard.sh", "changed");
  EXPECT_EQ(rescue(" restore one").exit, 1);
  EXPECT_THAT(rescue(" verify one").err, HasSubstr("nothing can be verified"));
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), "changed");
  const Ended forced = rescue(" restore one --force");
  EXPECT_EQ(forced.exit, 0) << forced.err;
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("guard of version 1"));
}

}  // namespace
}  // namespace stravinsky::e2e
