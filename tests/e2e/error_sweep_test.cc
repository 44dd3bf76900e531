// Scenarios 7 and 17 on the real program: each call fails once, with each errno of
// note. Whatever happens then, the exit code tells the truth.
#include "sweep.h"

namespace stravinsky::e2e {
namespace {

// How many calls a run makes, reading ones too: the first at which it no longer
// matters that every later one fails.
int all_calls(const SweptCommand& command) {
  const auto is_over = [&](int call) {
    command.reset();
    const Ended run = command.run("errno:EIO@" + std::to_string(call) + "+");
    return run.exit == 0 && command.home().tree() == command.after();
  };
  int low = command.mutating_calls();
  int high = low * 2;
  while (!is_over(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (is_over(middle) ? high : low) = middle;
  }
  return high;
}

void sweep_errors(const SweptCommand& command, const std::string& error, int runs_max) {
  ASSERT_GT(command.mutating_calls(), 10);
  int failed = 0;
  for (const int call : sampled(all_calls(command), runs_max)) {
    command.reset();
    const std::string fault = "errno:" + error + "@" + std::to_string(call);
    const Ended run = command.run(fault);
    const Tree now = command.home().tree();
    if (run.exit == 0) {
      // Done means done, though litter may wait for the next command after a warning.
      command.expect_whole(fault);
      EXPECT_TRUE(same_tree(command.home().tree(), command.after())) << fault << run.out;
    } else {
      ++failed;
      EXPECT_LT(run.exit, 128) << fault << "\n" << run.err;
      EXPECT_FALSE(run.out.empty() && run.err.empty()) << fault;
      if (run.exit == 8) {
        const Ended resumed = command.other({"status"});
        EXPECT_EQ(resumed.exit, 0) << fault << "\n" << resumed.err;
      } else {
        EXPECT_TRUE(same_tree(now, command.before())) << fault << "\n" << run.out << run.err;
      }
      command.expect_whole(fault);
    }
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(failed, 0);
}

void installed(const Home& home) {
  home.install(1);
}
void updated(const Home& home) {
  home.install(1);
  home.install(2);
}

class ErrorSweep : public ::testing::TestWithParam<const char*> {};

TEST_P(ErrorSweep, OfAnUpdate) {
  sweep_errors(SweptCommand({"update", "2.0.0", "--from", "~/bundles/2"}, installed), GetParam(),
               90);
}
TEST_P(ErrorSweep, OfAnUndo) {
  sweep_errors(SweptCommand({"rollback", "undo"}, updated), GetParam(), 70);
}
TEST_P(ErrorSweep, OfABackup) {
  sweep_errors(SweptCommand({"backup", "create"}, updated), GetParam(), 40);
}

INSTANTIATE_TEST_SUITE_P(Errno, ErrorSweep, ::testing::Values("ENOSPC", "EIO", "EACCES"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace stravinsky::e2e
