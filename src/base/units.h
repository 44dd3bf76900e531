// How many of one unit make another.
#pragma once

#include <cstdint>

namespace stravinsky {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kMillisPerSecond = 1'000;
inline constexpr uint64_t kBytesPerMegabyte = 1'000'000;  // as disks are sold, and config.json says

}  // namespace stravinsky
