// Two at once: one waits or fails clean, and the record stays whole.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <thread>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

const Variables kWithoutWaiting{{"STRAVINSKY_SAFETY_LOCK_TIMEOUT_SECONDS", "0"}};

// Holds a lock as a running stravinsky does.
class Holder {
 public:
  explicit Holder(const std::string& path, int flags = O_RDWR)
      : fd_(open(path.c_str(), flags | O_CLOEXEC)) {
    EXPECT_GE(fd_, 0) << path;
    EXPECT_EQ(flock(fd_, LOCK_EX | LOCK_NB), 0) << path;
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { close(fd_); }
  void write_owner(std::string_view text) const {
    EXPECT_EQ(ftruncate(fd_, 0), 0);
    EXPECT_EQ(pwrite(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

 private:
  int fd_;
};

TEST(Lock, SecondWriterIsRefusedAndToldByWhom) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  const Holder holder(home.store("lock"));
  holder.write_owner("process 4242 since 2026-01-08T15:34:22Z");
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"update", "2.0.0", "--from", home.bundle("2")},
        std::vector<std::string>{"rollback", "undo"},
        std::vector<std::string>{"backup", "create"}}) {
    const Ended refused = home.expect(6, args, {.env = kWithoutWaiting});
    EXPECT_THAT(refused.err, HasSubstr("4242")) << args[0];
  }
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.expect(0, {"status"}, {.env = kWithoutWaiting});  // reading goes on
  home.expect(0, {"backup", "list"}, {.env = kWithoutWaiting});
}

TEST(Lock, TwoStoresCannotWorkOnOneTree) {
  const Home home;
  home.install(1);
  const Holder holder(home.at(".claude"), O_RDONLY | O_DIRECTORY);
  home.expect(6, {"update", "2.0.0", "--from", home.bundle("2"), "--root", home.at("other-store")},
              {.env = kWithoutWaiting});
}

TEST(Lock, ALockFileLeftByADeadProcessIsNoLock) {
  const Home home;
  home.install(1);
  home.file(home.store("lock"), "process 1 since 1970-01-01T00:00:00Z", 0600);
  home.expect(0, {"update", "2.0.0", "--from", home.bundle("2")}, {.env = kWithoutWaiting});
}

TEST(Scenario, 15_ManyAtOnceLeaveTheChainWhole) {
  const Home home;
  home.install(1);
  const Tree one = home.tree();
  home.install(2);
  const Tree two = home.tree();
  constexpr int kThreads = 4;
  const int rounds = kSanitized ? 2 : 5;
  std::vector<std::thread> threads;
  std::vector<std::vector<int>> exits(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        const std::vector<std::string> args =
            t == 0   ? std::vector<std::string>{"rollback", i % 2 == 0 ? "undo" : "redo"}
            : t == 1 ? std::vector<std::string>{"update", "2.0.0", "--from", home.bundle("2")}
            : t == 2 ? std::vector<std::string>{"backup", "create"}
                     : std::vector<std::string>{"status"};
        exits[t].push_back(
            home.run(args, {.env = {{"STRAVINSKY_SAFETY_LOCK_TIMEOUT_SECONDS", "30"}}}).exit);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t t = 1; t < kThreads; ++t)
    for (const int exit : exits[t]) EXPECT_EQ(exit, 0) << "thread " << t;
  // Redo finds nothing when an update came between.
  for (const int exit : exits[0]) EXPECT_THAT(exit, ::testing::AnyOf(0, 5));
  EXPECT_TRUE(same_tree(home.tree(), one) || same_tree(home.tree(), two));
  home.expect(0, {"audit", "verify"});
  home.expect(0, {"backup", "verify", "--all"});
}

}  // namespace
}  // namespace stravinsky::e2e
