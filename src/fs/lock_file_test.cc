#include "fs/lock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/fake_clock.h"
#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::fs {
namespace {

using testing::FakeClock;
using ::testing::HasSubstr;
using testing::outcome;
using testing::TempDir;

const RelPath kLock = RelPath::of("lock");

// Frees a lock after some sleeps, as another process would.
class FreeingClock final : public Clock {
 public:
  FreeingClock(std::optional<LockFile>& held, int64_t after_ms)
      : held_(held), after_ms_(after_ms) {}
  int64_t now_ns() const override { return inner_.now_ns(); }
  int64_t monotonic_ns() const override { return inner_.monotonic_ns(); }
  void sleep_ms(int64_t duration_ms) override {
    inner_.sleep_ms(duration_ms);
    if (inner_.slept_ms() >= after_ms_) held_.reset();
  }
  int64_t slept_ms() const { return inner_.slept_ms(); }

 private:
  FakeClock inner_;
  std::optional<LockFile>& held_;
  int64_t after_ms_;
};

TEST(LockFile, HolderIsKnownWhileItHolds) {
  TempDir temp;
  FakeClock clock;
  EXPECT_EQ(*current_owner(temp.fs(), temp.dir(), kLock), std::nullopt);  // never taken
  {
    const auto lock = LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 0, "process 12");
    ASSERT_TRUE(lock) << lock.error().to_string();
    EXPECT_EQ(*current_owner(temp.fs(), temp.dir(), kLock), "process 12");
  }
  EXPECT_EQ(*current_owner(temp.fs(), temp.dir(), kLock), std::nullopt);
  EXPECT_EQ(temp.get("lock"), "process 12\n");  // the file stays
  EXPECT_EQ(temp.fs().stat(temp.dir(), kLock)->mode, 0600U);
  EXPECT_EQ(clock.slept_ms(), 0);
}

TEST(LockFile, AFailureNamesTheWholePath) {
  TempDir temp;
  FakeClock clock;
  ASSERT_TRUE(temp.fs().make_dir(temp.dir(), kLock, 0700));
  const auto lock = LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 0, "process 12");
  ASSERT_EQ(outcome(lock), "wrong_type");
  EXPECT_EQ(lock.error().path, *temp.fs().path_of(temp.dir()) + "/lock");
}

TEST(LockFile, SecondHolderWaitsAndThenNamesTheFirst) {
  TempDir temp;
  FakeClock clock;
  const auto first = LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 0, "process 12\x1b[2J");
  ASSERT_TRUE(first);
  const auto second = LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 5000, "process 13");
  ASSERT_EQ(outcome(second), "locked");
  EXPECT_EQ(clock.slept_ms(), 5000);
  EXPECT_EQ(second.error().to_string(),
            "lock: another process holds the lock (process 12\\x1b[2J)");
  EXPECT_FALSE(second.error().remedy.empty());
  EXPECT_EQ(temp.get("lock"), "process 12\x1b[2J\n");
}

TEST(LockFile, WaitsUntilTheHolderIsGone) {
  TempDir temp;
  FakeClock idle;
  std::optional<LockFile> held;
  FreeingClock clock(held, 100);
  held.emplace(
      *LockFile::acquire(temp.fs(), temp.dir(), kLock, idle, 0, "a holder with a long name"));
  const auto second = LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 5000, "second");
  ASSERT_TRUE(second) << second.error().to_string();
  EXPECT_EQ(clock.slept_ms(), 100);
  EXPECT_EQ(temp.get("lock"), "second\n");  // nothing of the longer text is left
}

TEST(LockFile, MovedLockIsHeldOnce) {
  TempDir temp;
  FakeClock clock;
  auto first = LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 0, "one");
  ASSERT_TRUE(first);
  std::optional<LockFile> moved(std::move(*first));
  EXPECT_EQ(*current_owner(temp.fs(), temp.dir(), kLock), "one");
  moved.reset();
  EXPECT_EQ(*current_owner(temp.fs(), temp.dir(), kLock), std::nullopt);
}

TEST(LockFile, LinkAtTheNameIsRefused) {
  TempDir temp;
  FakeClock clock;
  temp.put("victim", "untouched");
  temp.put_link("lock", "victim");
  EXPECT_EQ(outcome(LockFile::acquire(temp.fs(), temp.dir(), kLock, clock, 0, "x")), "wrong_type");
  EXPECT_EQ(temp.get("victim"), "untouched");
}

TEST(LockFile, OneDirectoryReachedByTwoPathsIsOneLock) {
  TempDir temp;
  FakeClock clock;
  temp.put_dir("tree");
  temp.put_link("alias", "tree");
  {
    const auto first = LockFile::acquire_dir(temp.fs(), temp.path() + "/tree", clock, 0);
    ASSERT_TRUE(first) << first.error().to_string();
    const auto second = LockFile::acquire_dir(temp.fs(), temp.path() + "/alias", clock, 20);
    ASSERT_EQ(outcome(second), "locked");
    EXPECT_THAT(second.error().to_string(), HasSubstr(temp.path() + "/alias"));
    EXPECT_TRUE(LockFile::acquire_dir(temp.fs(), temp.path(), clock, 0));  // another directory
  }
  EXPECT_TRUE(LockFile::acquire_dir(temp.fs(), temp.path() + "/alias", clock, 0));
  EXPECT_EQ(outcome(LockFile::acquire_dir(temp.fs(), temp.path() + "/absent", clock, 0)),
            "not_found");
}

}  // namespace
}  // namespace stravinsky::fs
