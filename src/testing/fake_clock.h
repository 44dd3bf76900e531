// FakeClock: time that moves only when a test or a sleep moves it.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace stravinsky::testing {

class FakeClock final : public Clock {
 public:
  // 2026-01-08T15:34:22Z
  static constexpr int64_t kStartNs = 1'767'886'462'000'000'000;

  explicit FakeClock(int64_t now_ns = kStartNs) : now_ns_(now_ns) {}

  int64_t now_ns() const override { return now_ns_; }
  int64_t monotonic_ns() const override { return monotonic_ns_; }
  // Returns at once; both times have moved on.
  void sleep_ms(int64_t duration_ms) override {
    slept_ms_ += duration_ms;
    advance_ms(duration_ms);
  }

  void advance_ms(int64_t duration_ms) {
    now_ns_ += duration_ms * 1'000'000;
    monotonic_ns_ += duration_ms * 1'000'000;
  }
  // The wall clock jumps, back too; the monotonic one does not.
  void set_now_ns(int64_t now_ns) { now_ns_ = now_ns; }
  int64_t slept_ms() const { return slept_ms_; }

 private:
  std::atomic<int64_t> now_ns_;
  std::atomic<int64_t> monotonic_ns_ = 1'000'000'000;
  std::atomic<int64_t> slept_ms_ = 0;
};

}  // namespace stravinsky::testing
