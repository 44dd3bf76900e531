// CrashChoice: what a power cut leaves of the changes that were not yet durable.
// The fault model it chooses from stands in testing/mem_fs.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace stravinsky::testing {

// What becomes of file contents that were written and not synced.
enum class DataFate {
  kNone,   // the last synced contents
  kAll,    // everything that was written
  kTorn,   // half of what differs, the rest as it was
  kNul,    // the new length, NUL bytes where it differs
  kMixed,  // one of the four for each file, by the seed
};

struct CrashChoice {
  std::vector<bool> kept = {};  // one for each pending change of names; a missing one is lost
  DataFate data = DataFate::kNone;
  uint64_t seed = 0;  // of kMixed

  // "kept 1011, data torn": enough to replay the choice.
  std::string to_string() const;
  auto operator<=>(const CrashChoice&) const = default;
};

enum class DirtyData { kAbsent, kPresent };

// Every subset of pending_count changes with every fate, while there are at most
// limit subsets. Beyond that: none, all, each one missing, each one alone, each
// prefix, and random ones up to limit.
std::vector<CrashChoice> crash_choices(size_t pending_count, DirtyData dirty, size_t limit,
                                       Random& random);

// 64 random bits.
uint64_t draw(Random& random);

}  // namespace stravinsky::testing
