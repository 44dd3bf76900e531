// SeededRandom: randomness that a seed replays (splitmix64). Not for secrets.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/random.h"

namespace stravinsky::testing {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  void fill(std::span<std::byte> out) override {
    const std::scoped_lock lock(mutex_);
    uint64_t number = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      if (i % sizeof number == 0) number = step();
      out[i] = static_cast<std::byte>(number & 0xffU);
      number >>= 8U;
    }
  }
  uint64_t next() {
    const std::scoped_lock lock(mutex_);
    return step();
  }
  // 0 ... bound - 1; bound is not 0.
  uint64_t below(uint64_t bound) { return next() % bound; }

 private:
  uint64_t step() {
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }

  std::mutex mutex_;
  uint64_t state_;
};

}  // namespace stravinsky::testing
