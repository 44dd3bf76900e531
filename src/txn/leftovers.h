// Leftovers: removes what a finished transaction left under its reserved names.
//
// A node that is the change's before- or after-image, or what a removal that was
// cut off has left of it, is removed: the one is in the backup and the journal, the
// other was ours. Anything else was written by
// somebody else, late, through a file that was open: it is copied to
// recovery/conflicts/<txid>/ and made durable there before it is removed.
#pragma once

#include <vector>

#include "base/error.h"
#include "model/change_plan.h"
#include "txn/context.h"
#include "txn/targets.h"

namespace stravinsky::txn {

// What may stand under the reserved names.
enum class LeftoverKind {
  kOnlyStages,  // no target was touched: all of it is ours, half-built or not
  kDisplaced,   // nodes of the user's may be among it
};

// Idempotent; syncs the directories.
Result<std::vector<Kept>> remove_leftovers(const TransactionContext& context,
                                           const model::ChangePlan& plan, const Targets& targets,
                                           LeftoverKind kind);

}  // namespace stravinsky::txn
