// Scenarios 1 and 2 on the real program: killed at every call that changes the disk,
// and the command that heals killed as well.
//
// By default a sample of the calls, evenly spread; all with STRAVINSKY_SWEEP=full.
#include <csignal>

#include "sweep.h"

namespace stravinsky::e2e {
namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr int kRunsMax = 400;  // of one sweep, when it is not a full one

std::string kill_at(int call) {
  return "kill@" + std::to_string(call);
}

void sweep_kills(const SweptCommand& command, int runs_max) {
  ASSERT_GT(command.mutating_calls(), 10);
  ::testing::Test::RecordProperty("mutating_calls", command.mutating_calls());
  int killed = 0;
  for (const int call : sampled(command.mutating_calls(), runs_max)) {
    command.reset();
    const Ended run = command.run(kill_at(call));
    // Names and times differ from run to run, so the last calls may not be reached.
    if (run.exit != kKilled) {
      EXPECT_EQ(run.exit, 0) << kill_at(call) << "\n" << run.err;
      EXPECT_GT(call, command.mutating_calls() - 5) << "no kill at this call";
      continue;
    }
    ++killed;
    command.expect_no_gap(kill_at(call));
    command.expect_whole(kill_at(call) + " of " + std::to_string(command.mutating_calls()));
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(killed, 0);
}

void installed(const Home& home) {
  home.install(1);
}
void updated(const Home& home) {
  home.install(1);
  home.install(2);
}
const std::vector<std::string> kUpdate{"update", "2.0.0", "--from", "~/bundles/2"};

TEST(Scenario, 1_KilledUpdateLeavesTheOldTreeOrTheNew) {
  sweep_kills(SweptCommand(kUpdate, installed), kRunsMax);
}
TEST(Scenario, 1_KilledUndoLeavesTheOldTreeOrTheNew) {
  sweep_kills(SweptCommand({"rollback", "undo"}, updated), kRunsMax);
}
TEST(Scenario, 1_KilledBackupLeavesTheTreeAlone) {
  sweep_kills(SweptCommand({"backup", "create"}, updated), kRunsMax);
}

// The calls of an update at which a kill leaves work: the tree is neither the old nor
// the new one until somebody heals it. Apart: those that lead back, and those after
// COMMIT, where only leftovers remain.
struct Unfinished {
  std::vector<int> undecided;
  std::vector<int> committed;
};

Unfinished unfinished(const SweptCommand& command) {
  Unfinished out;
  for (int call = 1; call <= command.mutating_calls(); ++call) {
    command.reset();
    if (command.run(kill_at(call)).exit != kKilled) break;
    const Tree now = command.home().tree();
    if (now == command.before() || now == command.after()) continue;
    (void)command.other({"status"});
    const bool is_back = command.home().tree() == command.before();
    (is_back ? out.undecided : out.committed).push_back(call);
  }
  return out;
}

// Undo after a crash is about what crashed, not about the good state before it.
TEST(Scenario, 18_UndoAfterAKilledUpdateGoesNoFurtherBackThanThat) {
  const SweptCommand command(kUpdate, installed);
  const std::vector<int> undecided = unfinished(command).undecided;
  ASSERT_FALSE(undecided.empty());
  command.reset();
  ASSERT_EQ(command.run(kill_at(undecided[undecided.size() / 2])).exit, kKilled);
  const Tree torn = command.home().tree();
  const Ended planned = command.other({"rollback", "undo", "--dry-run"});
  EXPECT_EQ(planned.exit, 8) << "a plan for a tree that is healed first would be false";
  EXPECT_TRUE(same_tree(command.home().tree(), torn));
  const Ended undone = command.other({"rollback", "undo"});
  EXPECT_EQ(undone.exit, 0) << undone.err;
  EXPECT_NE(undone.err.find("taken back just now"), std::string::npos) << undone.err;
  EXPECT_TRUE(same_tree(command.home().tree(), command.before()));
  const Ended further = command.other({"rollback", "undo"});
  EXPECT_EQ(further.exit, 0) << further.err;
  EXPECT_TRUE(same_tree(command.home().tree(), {}));
}

TEST(Scenario, 2_KilledRecoveryIsRecoveredToo) {
  const SweptCommand command(kUpdate, installed);
  const Unfinished calls = unfinished(command);
  ASSERT_GT(calls.undecided.size(), 3U);
  ASSERT_FALSE(calls.committed.empty());
  // The middle of the swap; its last call, when most is to be undone; past COMMIT.
  std::vector<int> firsts{calls.undecided[calls.undecided.size() / 2], calls.undecided.back(),
                          calls.committed[calls.committed.size() / 2]};
  if (is_full_sweep()) {
    firsts = calls.undecided;
    firsts.insert(firsts.end(), calls.committed.begin(), calls.committed.end());
  }
  for (const int first : firsts) {
    // All points of a recovery, until one run ends without being killed.
    const int step = kSanitized ? 7 : 1;
    for (int second = 1;; second += step) {
      command.reset();
      ASSERT_EQ(command.run(kill_at(first)).exit, kKilled);
      const Ended healing = command.other({"status"}, kill_at(second));
      if (healing.exit != kKilled) {
        EXPECT_EQ(healing.exit, 0) << healing.err;
        ASSERT_GT(second, 3) << "recovery changes nothing?";
        break;
      }
      command.expect_no_gap(kill_at(first) + ", then recovery " + kill_at(second));
      command.expect_whole(kill_at(first) + ", then recovery " + kill_at(second));
      if (::testing::Test::HasFailure()) return;
    }
  }
}

// Leaves every file swapped and nothing decided.
void kill_in_swap(const SweptCommand& command) {
  const Unfinished calls = unfinished(command);
  ASSERT_FALSE(calls.undecided.empty());
  command.reset();
  ASSERT_EQ(command.run(kill_at(calls.undecided.back())).exit, kKilled);
}

TEST(Scenario, 2_KilledAgainAndAgainStillHeals) {
  const SweptCommand command(kUpdate, installed);
  kill_in_swap(command);
  // As often as max_recovery_attempts allows failures: a kill is none.
  for (const int call : {2, 4, 6}) (void)command.other({"status"}, kill_at(call));
  const Ended status = command.other({"status"});
  EXPECT_EQ(status.exit, 0) << status.err;
  EXPECT_TRUE(same_tree(command.home().tree(), command.before()));
}

TEST(Scenario, 4_RecoveryKeepsWhatTheUserEditedMeanwhile) {
  const SweptCommand command(kUpdate, installed);
  kill_in_swap(command);
  const Home& home = command.home();
  ASSERT_EQ(home.text(".claude/hooks/guard.sh"), package(2).front().second);
  home.file(".claude/hooks/guard.sh", hook("edited after the crash"), 0755);
  const Ended status = command.other({"status"});
  EXPECT_EQ(status.exit, 0) << status.err;
  EXPECT_TRUE(same_tree(home.tree(), command.before()));
  bool told = false;
  for (const auto& [path, what] : home.store_tree())
    if (path.starts_with("recovery/conflicts/") && what.ends_with(hook("edited after the crash")))
      told = (status.out + status.err).find(path) != std::string::npos;
  EXPECT_TRUE(told) << status.out << status.err;
  home.install(2);
}

TEST(Scenario, 18_UndoAfterAFailedUndoUndoesTheRightThing) {
  const SweptCommand command({"rollback", "undo"}, [](const Home& home) {
    home.install(1);
    home.install(2);
    home.install(3);
  });
  for (const int call : sampled(command.mutating_calls(), 12)) {
    command.reset();
    (void)command.run(kill_at(call));
    (void)command.other({"status"});
    const bool undone = command.home().tree() == command.after();
    const Ended again = command.other({"rollback", "undo"});
    ASSERT_EQ(again.exit, 0) << kill_at(call) << again.err;
    const std::string guard = command.home().text(".claude/hooks/guard.sh");
    EXPECT_EQ(guard, package(undone ? 1 : 2).front().second) << kill_at(call);
  }
}

TEST(KillSweep, AJournalDamagedInTheMiddleAsksForAHuman) {
  const SweptCommand command(kUpdate, installed);
  kill_in_swap(command);
  const Home& home = command.home();
  std::string journal;
  for (const auto& [path, what] : home.store_tree())
    if (path.starts_with("recovery/tx/") && path.ends_with("/journal") &&
        path.find("/done/") == std::string::npos)
      journal = home.store(path);
  ASSERT_FALSE(journal.empty());
  std::string bytes = home.text(journal);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  home.file(journal, bytes, 0600);
  const Tree now = home.tree();
  const Ended refused = command.run({});
  EXPECT_EQ(refused.exit, 8) << refused.err;
  EXPECT_TRUE(same_tree(home.tree(), now));
  EXPECT_EQ(home.text(journal), bytes) << "kept as it is";
}

}  // namespace
}  // namespace stravinsky::e2e
