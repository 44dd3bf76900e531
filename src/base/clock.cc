#include "base/clock.h"

#include <ctime>

#include "base/units.h"

namespace stravinsky {
namespace {

int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * kNanosPerSecond + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  int64_t now_ns() const override { return read_clock(CLOCK_REALTIME); }
  int64_t monotonic_ns() const override { return read_clock(CLOCK_MONOTONIC); }
  void sleep_ms(int64_t duration_ms) override {
    timespec rest{.tv_sec = duration_ms / 1000, .tv_nsec = (duration_ms % 1000) * 1'000'000};
    while (nanosleep(&rest, &rest) != 0) {
    }
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace stravinsky
