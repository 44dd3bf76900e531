// Crash and error sweeps: proof by trying every point.
//
// A case is a tree, an operation on it, a recovery and the rules of what may be
// left. The crash sweep stops the operation at every mutating call, builds the
// disks that a power cut there may leave (testing/mem_fs.h), recovers each and
// looks; it also cuts the power during the recovery, after it, and recovers
// again. The errno sweep fails every call, once and from then on, with every
// errno it can have.
//
// Equal disks are looked at once. Everything follows from the case and the seed,
// so that the line of a violation is enough to see it again (replay_crash).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fs/file_system.h"
#include "testing/fault_fs.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {

struct SweepCase {
  // The tree before; made fully durable by the sweep.
  std::function<std::unique_ptr<MemFs>()> make_initial = {};
  // The thing under test, new in each call: nothing of it outlives the call. Success
  // is the acknowledgement. It must do the same calls each time.
  std::function<Status(fs::FileSystem&)> operation = {};
  // What the next process does first. Must succeed when nothing fails.
  std::function<Status(fs::FileSystem&)> recover = {};
  // The broken rules, a sentence each. acknowledged: the operation had reported
  // success, so only the new state will do; otherwise the old one will too.
  std::function<std::vector<std::string>(MemFs& after, bool acknowledged)> violations = {};
};

enum class RecoveryCrashes {
  kNone,
  kSampled,     // a few points of each recovery
  kEveryPoint,  // all of them
};

struct CrashSweepOptions {
  size_t subset_limit = 64;          // as in crash_choices
  size_t recovery_subset_limit = 4;  // the same for crashes during recovery
  RecoveryCrashes crash_in_recovery = RecoveryCrashes::kSampled;
  uint64_t seed = 1;
  // More points than this: evenly spread ones, first and last included.
  uint64_t points_max = UINT64_MAX;
  bool stops_at_first = false;  // goes no further than the first point with a violation
};

struct ErrnoSweepOptions {
  // More runs than this: evenly spread ones.
  uint64_t runs_max = UINT64_MAX;
};

struct SweepReport {
  uint64_t points = 0;      // places where the operation was stopped, or runs with an error
  uint64_t images = 0;      // different disks that were recovered
  uint64_t recoveries = 0;  // how often recovery ran
  uint64_t violation_count = 0;
  std::vector<std::string> violations = {};  // the first kViolationsKept

  static constexpr size_t kViolationsKept = 20;
  bool is_clean() const { return violation_count == 0; }
  // The numbers in a line, then the violations.
  std::string to_string() const;
};

SweepReport run_crash_sweep(const SweepCase& sweep_case, const CrashSweepOptions& options = {});
SweepReport run_errno_sweep(const SweepCase& sweep_case, const ErrnoSweepOptions& options = {});

// The disk of one line of a crash sweep, before recovery: for a debugger.
std::unique_ptr<MemFs> replay_crash(const SweepCase& sweep_case, uint64_t point,
                                    const CrashChoice& choice);

// `count` numbers out of 1 ... last, evenly spread, both ends included.
std::vector<uint64_t> spread(uint64_t last, uint64_t count);

}  // namespace stravinsky::testing
