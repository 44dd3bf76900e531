// update finish, killed at every call that changes the disk.
#include <csignal>

#include "sweep.h"

namespace stravinsky::e2e {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kRunsMax = kSanitized ? 15 : 60;

void installed_by_itself(const Home& home, const Files& files) {
  home.install(1);
  home.expect(0, {"update", "begin", "2.0.0"});
  home.files(".claude", files);
  home.erase(".claude/commands/watch.md");
}

TEST(InstallerSweep, AKilledFinishCanBeFinishedAndUndone) {
  const SweptCommand command({"update", "finish", "2.0.0"},
                             [](const Home& home) { installed_by_itself(home, package(2)); });
  const Home old;
  old.install(1);
  ASSERT_GT(command.mutating_calls(), 10);
  for (const int call : sampled(command.mutating_calls(), kRunsMax)) {
    command.reset();
    if (command.run("kill@" + std::to_string(call)).exit != kKilled) continue;
    const std::string when = "kill@" + std::to_string(call);
    EXPECT_TRUE(same_tree(command.home().tree(), command.before())) << when;
    // Recorded already, or to be finished now: never lost, never twice.
    const Ended again = command.other({"update", "finish", "2.0.0"});
    EXPECT_TRUE(again.exit == 0 || again.exit == 5) << when << again.err;
    const Ended status = command.other({"status"});
    EXPECT_EQ(status.exit, 0) << when << status.err;
    EXPECT_NE(status.out.find("v2.0.0"), std::string::npos) << when << status.out;
    EXPECT_EQ(command.other({"rollback", "undo"}).exit, 0) << when;
    EXPECT_TRUE(same_tree(command.home().tree(), old.tree())) << when;
    EXPECT_EQ(command.other({"audit", "verify"}).exit, 0) << when;
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(InstallerSweep, AKilledFinishThatGoesBackLeavesOneTreeOrTheOther) {
  const SweptCommand command(
      {"update", "finish", "2.0.0", "--failed"},
      [](const Home& home) { installed_by_itself(home, package(3)); }, 1);
  for (const int call : sampled(command.mutating_calls(), kRunsMax)) {
    command.reset();
    if (command.run("kill@" + std::to_string(call)).exit != kKilled) continue;
    const std::string when = "kill@" + std::to_string(call);
    command.expect_no_gap(when);
    command.expect_whole(when);
    const Ended again = command.other({"update", "finish", "2.0.0", "--failed"});
    EXPECT_TRUE(again.exit == 1 || again.exit == 5) << when << again.err;
    EXPECT_TRUE(same_tree(command.home().tree(), command.after())) << when;
    if (::testing::Test::HasFailure()) return;
  }
}

// Killed once it has gone back, it is not asked again whether what is there is good.
TEST(InstallerSweep, AKilledAutomaticRollbackIsNeverASuccess) {
  const SweptCommand command(
      {"update", "finish", "2.0.0"},
      [](const Home& home) { installed_by_itself(home, package_with_broken_hook()); }, 1);
  int over = 0;
  for (const int call : sampled(command.mutating_calls(), kRunsMax)) {
    command.reset();
    if (command.run("kill@" + std::to_string(call)).exit != kKilled) continue;
    const std::string when = "kill@" + std::to_string(call);
    command.expect_no_gap(when);
    command.expect_whole(when);
    const bool is_back = command.home().tree() == command.after();
    const Ended again = command.other({"update", "finish", "2.0.0"});
    EXPECT_TRUE(again.exit == 1 || (again.exit == 5 && is_back)) << when << again.out << again.err;
    if (is_back && again.exit == 1) ++over;
    EXPECT_TRUE(same_tree(command.home().tree(), command.after())) << when;
    const Ended status = command.other({"status"});
    EXPECT_NE(status.out.find("v1.0.0"), std::string::npos) << when << status.out;
    EXPECT_TRUE(command.home().exists(command.home().store("hold.json"))) << when;
    EXPECT_FALSE(command.home().exists(command.home().store("recovery/begun.json"))) << when;
    size_t told = 0;
    const std::string log = command.other({"audit", "log", "--json"}).out;
    for (size_t at = 0; (at = log.find("\"AUTO_ROLLBACK_SUCCESS\"", at)) != std::string::npos; ++at)
      ++told;
    EXPECT_EQ(told, 1U) << when;
    EXPECT_EQ(log.find("UPDATE_SUCCESS\",\"version\":\"2.0.0"), std::string::npos) << when;
    if (::testing::Test::HasFailure()) return;
  }
  if (!kSanitized) {
    EXPECT_GT(over, 0);
  }
}

TEST(InstallerSweep, WhatNoTransactionHoldsComesBackAfterAKillToo) {
  Tree old;
  const SweptCommand command(
      {"update", "finish", "2.0.0", "--failed"},
      [&](const Home& home) {
        home.install(1);
        home.copy(".claude/agents", ".claude/own/agents");
        home.erase(".claude/agents");
        home.link(".claude/agents", "own/agents");
        old = home.tree();
        home.expect(0, {"update", "begin", "2.0.0"});
        home.erase(".claude/own/agents/planner.md");
        home.erase(".claude/agents");
        home.file(".claude/agents/other.md", "half");
        home.mode(".claude/commands", 0700);
      },
      1);
  EXPECT_TRUE(same_tree(command.after(), old));
  for (const int call : sampled(command.mutating_calls(), kRunsMax)) {
    command.reset();
    if (command.run("kill@" + std::to_string(call)).exit != kKilled) continue;
    const std::string when = "kill@" + std::to_string(call);
    const Ended again = command.other({"update", "finish", "2.0.0", "--failed"});
    EXPECT_TRUE(again.exit == 1 || again.exit == 5) << when << again.out << again.err;
    EXPECT_TRUE(same_tree(command.home().tree(), old)) << when << again.out << again.err;
    EXPECT_EQ(command.other({"audit", "verify"}).exit, 0) << when;
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace stravinsky::e2e
