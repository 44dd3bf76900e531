// Sweeps over transactions: the cases, and the sweep that kills instead of
// cutting the power.
//
// After a power cut the disk is all there is. After a kill the next process sees
// what the dead one wrote although nothing of it may be durable yet; if it builds
// on that and then the power goes, the disk may hold its work and not what that
// rests on. So the kill sweep stops the operation at a call, recovers on the same
// volatile image, cuts the power at a call of the recovery, and recovers again.
// What the first recovery has told the user about the outcome must still be true.
#pragma once

#include <memory>

#include "testing/crash_sweep.h"
#include "testing/txn_fixture.h"

namespace stravinsky::testing {

inline constexpr const char* kDotfiles = "/home/u/dotfiles";

// The file systems that are swept.
inline const MemFsOptions kOrdinary = {};
inline const MemFsOptions kPlainRenameOnly = {.has_exchange = false, .has_no_replace = false};
inline const MemFsOptions kLooseDirectorySync = {.directory_sync_suffices = false};

// A change of every kind in one plan: a hook replaced, one added in a new directory,
// a file that becomes a directory, settings replaced, settings behind a link on a
// second anchor, a file and a tree deleted.
std::unique_ptr<TxnFixture> make_mixed(const MemFsOptions& options = {});

// t outlives the case.
SweepCase sweep_case(TxnFixture& t, StopAfter last = StopAfter::kFinish);

struct KillSweepOptions {
  size_t subset_limit = 8;           // as in crash_choices
  uint64_t points_max = UINT64_MAX;  // kills, evenly spread
  uint64_t cuts_max = 8;             // power cuts in each recovery, evenly spread
};
SweepReport run_kill_sweep(TxnFixture& t, StopAfter last, const KillSweepOptions& options = {});

// A user who saves hooks/a.py, durably, just before a mutating call of the
// transaction: at every call. The power goes `distance` calls later; 0: not at all.
// Their bytes must be at the leaf or set aside; all else is the old or the new tree.
// Left out: a save between the last look and the call that it was for.
enum class Saving { kInPlace, kByRename, kThroughOldDescriptor };
inline constexpr uint64_t kToTheEnd = 1'000'000;  // the power goes when all is done
SweepReport run_meddling_sweep(TxnFixture& t, Saving saving,
                               const std::vector<uint64_t>& distances);

}  // namespace stravinsky::testing
