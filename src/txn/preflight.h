// Preflight: refuses a transaction that could not be carried out, before it
// writes anything.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "model/change_plan.h"
#include "txn/context.h"
#include "txn/targets.h"

namespace stravinsky::txn {

// What was seen at each change's name, by which apply tells whether the node it
// displaced is the one that was looked at.
struct Preflight {
  std::vector<uint64_t> inodes;       // 0 where absent
  std::vector<std::string> warnings;  // hard links, owners that will change
};

// Refuses: a special file, an immutable file, a mount point, a directory that this
// user may not change (kPermission, kWrongType); a read-only file system (kPermission); too few
// free bytes or inodes (kNoSpace, with the numbers); a file that stays open for writing elsewhere
// (kLocked); a link that leads somewhere else now, a directory that is gone (kChanged).
Result<Preflight> run_preflight(const TransactionContext& context, const model::ChangePlan& plan,
                                const Targets& targets);

}  // namespace stravinsky::txn
