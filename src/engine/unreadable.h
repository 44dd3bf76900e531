// What of the present tree is not in its backup, and what that means for a change.
//
// Nothing that could not be read is changed or deleted: its bytes could not be brought
// back. A way back to a whole version does the rest and says so; a change that is about
// single files (an update, an undo, one file) is refused, since half of it would be
// another thing.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/operation.h"
#include "store/snapshot.h"

namespace stravinsky::engine {

// One sentence for each omission, of many the first and how many there are.
std::vector<std::string> omission_warnings(const store::Snapshot& snapshot);

// What is said of a path that stands in the way because it cannot be read.
Error unreadable(const std::string& path);

// Takes from the proposal what concerns unreadable paths, or refuses it with
// kPermission; see above.
Status leave_unreadable(const store::Snapshot& snapshot, model::TransactionKind kind,
                        Proposal& proposal);

}  // namespace stravinsky::engine
