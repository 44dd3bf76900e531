// roll_back: brings every target of a plan back to its before-image.
//
// In the reverse order of applying, so that settings never name an absent hook on
// the way back either. Each change is decided by what stands at its names
// (swap.h); running it again after a crash does the rest. An error stops before
// the next ChangeOrder, never in the middle of one, and leaves the transaction to
// the next recovery.
#pragma once

#include <vector>

#include "base/error.h"
#include "model/change_plan.h"
#include "txn/context.h"
#include "txn/targets.h"

namespace stravinsky::txn {

// What could not be brought back because the user changed it stays theirs and is
// in the answer. After success every change is durable and verified. Stages are
// still there: see leftovers.h.
Result<std::vector<Kept>> roll_back(const TransactionContext& context, fs::Fd tx_dir,
                                    const model::ChangePlan& plan, const Targets& targets);

}  // namespace stravinsky::txn
