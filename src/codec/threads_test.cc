#include "codec/threads.h"

#include <gtest/gtest.h>

#include <atomic>

namespace stravinsky::codec {
namespace {

TEST(Threads, EachRunsTheWorkAndIsJoined) {
  std::atomic<int> runs = 0;
  {
    const Threads threads(3, [&] { ++runs; });
    EXPECT_EQ(threads.count(), 3);
  }
  EXPECT_EQ(runs, 3);
}

TEST(Threads, NoneIsFine) {
  for (const int count : {0, -1}) EXPECT_EQ(Threads(count, [] { FAIL(); }).count(), 0);
}

}  // namespace
}  // namespace stravinsky::codec
