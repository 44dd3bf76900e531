// Clock: the only way to the time, so that tests can hold, jump and turn it back.
#pragma once

#include <cstdint>

namespace stravinsky {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since 1970-01-01T00:00:00Z. May go backwards.
  virtual int64_t now_ns() const = 0;
  // Nanoseconds since some point in the past. Never goes backwards.
  virtual int64_t monotonic_ns() const = 0;
  virtual void sleep_ms(int64_t duration_ms) = 0;
};

// The machine's clock.
Clock& system_clock();

}  // namespace stravinsky
