// Packages that install by themselves: update begin, their own writing, update finish.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What an installer does: copies over, deletes, asks nobody.
void install_by_itself(const Home& home, const Files& files) {
  home.files(".claude", files);
  home.erase(".claude/commands/watch.md");
}

std::string types(const Home& home) {
  std::string out;
  const auto log = home.expect(0, {"audit", "log", "--json"}).json();
  for (const auto& event : log["events"]) out += event["event_type"].get<std::string>() + " ";
  return out;
}

TEST(Installer, WhatItDidIsCheckedRecordedAndCanBeUndone) {
  const Home home;
  home.install(1);
  home.file(".claude/commands/own.md", "mine\n");
  const Tree before = home.tree();
  const Ended begun = home.expect(0, {"update", "begin", "2.0.0", "--json"});
  EXPECT_EQ(begun.json()["backup_created"], "v1.0.0.pre_update");
  EXPECT_EQ(begun.json()["from_version"], "1.0.0");
  EXPECT_TRUE(same_tree(home.tree(), before));
  install_by_itself(home, package(2));
  const Tree after = home.tree();
  const Ended finished = home.expect(0, {"update", "finish", "2.0.0"});
  EXPECT_THAT(finished.out, HasSubstr("Update successful: v1.0.0 -> v2.0.0"));
  EXPECT_THAT(finished.out, HasSubstr("commands/watch.md"));
  EXPECT_TRUE(same_tree(home.tree(), after));
  EXPECT_THAT(home.expect(0, {"status"}).out, HasSubstr("v2.0.0"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_THAT(home.expect(0, {"status"}).out, HasSubstr("v1.0.0"));
  home.expect(0, {"rollback", "redo"});
  EXPECT_TRUE(same_tree(home.tree(), after));
  EXPECT_THAT(types(home), HasSubstr("UPDATE_SUCCESS UPDATE_START BACKUP_CREATED"));
  home.expect(0, {"audit", "verify"});
  home.expect(0, {"backup", "verify", "--all"});
}

TEST(Installer, WhatIsBrokenIsTakenBack) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.expect(0, {"update", "begin", "v2.0.0"});
  install_by_itself(home, package_with_missing_hook());
  const Ended finished = home.expect(1, {"update", "finish", "v2.0.0"});
  EXPECT_THAT(finished.err, HasSubstr("Update Failed - Automatic Rollback Completed"));
  EXPECT_THAT(finished.err, HasSubstr("absent.sh"));
  EXPECT_THAT(finished.err, HasSubstr("v1.0.0"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_THAT(types(home), HasSubstr("AUTO_ROLLBACK_SUCCESS BACKUP_CREATED UPDATE_FAILED"));
  EXPECT_TRUE(home.exists(home.store("hold.json"))) << "the package must not copy it again";
  // As if it had never been: the update to 1.0.0 is what undo takes back.
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Installer, OneThatFailedIsTakenBackWithItsWords) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.expect(0, {"update", "begin", "2.0.0"});
  home.file(".claude/hooks/guard.sh", "half a fi");
  const Ended finished =
      home.expect(1, {"update", "finish", "2.0.0", "--failed", "--error", "disk quota", "--json"});
  EXPECT_EQ(finished.json()["auto_rolled_back"], true);
  EXPECT_EQ(finished.json()["rolled_back_to"], "v1.0.0");
  EXPECT_THAT(finished.json()["failures"][0].get<std::string>(), HasSubstr("disk quota"));
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Installer, SwitchedOffRollbackLeavesItAndSaysSo) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.expect(0, {"update", "begin", "2.0.0"});
  install_by_itself(home, package_with_broken_hook());
  const Tree broken = home.tree();
  const Ended finished = home.expect(1, {"update", "finish", "2.0.0"},
                                     {.env = {{"STRAVINSKY_AUTO_ROLLBACK", "false"}}});
  EXPECT_THAT(finished.err, HasSubstr("rollback undo"));
  EXPECT_TRUE(same_tree(home.tree(), broken));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Installer, AnUnfinishedOneIsToldByEveryCommandAndStopsAnother) {
  const Home home;
  home.install(1);
  home.expect(5, {"update", "finish", "2.0.0"});
  home.expect(0, {"update", "begin", "2.0.0"});
  const Tree begun = home.tree();
  EXPECT_THAT(home.expect(0, {"status"}).err, HasSubstr("stravinsky update finish 2.0.0 --failed"));
  EXPECT_THAT(home.expect(0, {"backup", "list"}).err, HasSubstr("2.0.0 was begun"));
  EXPECT_THAT(home.expect(4, {"update", "begin", "3.0.0"}).err, HasSubstr("2.0.0"));
  EXPECT_THAT(home.expect(4, {"update", "3.0.0", "--from", home.bundle("3")}).err,
              HasSubstr("not finished"));
  EXPECT_THAT(home.expect(2, {"update", "finish", "3.0.0"}).err, HasSubstr("2.0.0"));
  EXPECT_TRUE(same_tree(home.tree(), begun));
  // The ways back stay open.
  home.expect(0, {"backup", "create"});
  home.expect(0, {"update", "finish", "2.0.0"});
  EXPECT_THAT(home.expect(0, {"status"}).err, Not(HasSubstr("begun")));
}

TEST(Installer, AFirstInstallationIsGuardedToo) {
  const Home home;
  home.expect(0, {"update", "begin", "1.0.0"});
  home.files(".claude", package(1));
  home.expect(0, {"update", "finish", "1.0.0"});
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Installer, TheExampleInPythonDoesAllOfIt) {
  const Home home;
  home.install(1);
  home.dir("bin");
  home.link("bin/stravinsky", STRAVINSKY_BINARY);
  const std::string path = home.at("bin") + ":/usr/local/bin:/usr/bin:/bin";
  const auto guarded = [&](const std::string& version, const std::string& script) {
    return home.run_program({"python3", STRAVINSKY_SOURCE "/docs/examples/guarded_install.py",
                             version, "sh", "-c", script},
                            {.env = {{"PATH", path}}});
  };
  const Tree before = home.tree();
  EXPECT_EQ(guarded("2.0.0", "echo half > .claude/hooks/guard.sh; exit 7").exit, 7);
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_EQ(guarded("2.0.0", "cp -r bundles/missing/.claude .").exit, 1);
  EXPECT_TRUE(same_tree(home.tree(), before));
  const Ended good = guarded("2.0.0", "cp -r bundles/2/.claude .");
  EXPECT_EQ(good.exit, 0) << good.err;
  EXPECT_TRUE(home.exists(".claude/hooks/audit.sh"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Installer, WithoutRoomOrWithoutAVersionNothingBegins) {
  const Home home;
  home.install(1);
  home.expect(2, {"update", "begin"});
  home.expect(2, {"update", "begin", "not a version"});
  home.expect(10, {"update", "begin", "2.0.0"},
              {.env = {{"STRAVINSKY_SAFETY_DISK_SPACE_THRESHOLD_MB", "100000000"}}});
  EXPECT_THAT(types(home), HasSubstr("UPDATE_BLOCKED"));
  home.expect(5, {"update", "finish", "2.0.0"});
  home.expect(2, {"update"});
}

}  // namespace
}  // namespace stravinsky::e2e
