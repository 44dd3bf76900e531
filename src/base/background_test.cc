#include "base/background.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace stravinsky {
namespace {

TEST(Background, RunsInAThreadOfItsOwn) {
  auto answer = start_work(RunsIn::kBackground, [] { return std::this_thread::get_id(); });
  EXPECT_NE(answer.get(), std::this_thread::get_id());
}

TEST(Background, RunsInTheCallerWhenAskedTo) {
  auto answer = start_work(RunsIn::kCaller, [] { return std::this_thread::get_id(); });
  EXPECT_EQ(answer.get(), std::this_thread::get_id());
}

// In a child, which becomes a user whose limit is used up: root has none.
TEST(Background, RunsInTheCallerWhenThereIsNoThread) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become a user who may start nothing";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit one{.rlim_cur = 1, .rlim_max = 1};
    constexpr uid_t kNobody = 65534;
    if (setrlimit(RLIMIT_NPROC, &one) != 0 || setuid(kNobody) != 0) _exit(2);
    auto answer = start_work(RunsIn::kBackground, [] { return std::this_thread::get_id(); });
    _exit(answer.get() == std::this_thread::get_id() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace stravinsky
