// Random: the only way to randomness, so that a seed replays a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace stravinsky {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
  // count bytes as 2*count lower-case hexadecimal digits.
  std::string hex(size_t count);
};

// The kernel's random numbers (getrandom).
Random& system_random();

}  // namespace stravinsky
