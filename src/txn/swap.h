// Swap: the renames that put one change in place and take it back.
//
// Forward, the target's name is never absent where it exists before and after:
//   replace  exchange(leaf, stage)            the stage name holds the old node
//            where the file system cannot: link(leaf, stash), sync, rename(stage, leaf);
//            there a directory takes rename(leaf, stash), rename(stage, leaf)
//   add      rename(stage, leaf) without replacing, else link, sync, unlink
//   delete   rename(leaf, stage), likewise
//
// Back, what was done is read from what stands at the names, never from memory,
// so that it can be repeated after any crash and by any process:
//   leaf is the before-image            nothing to do
//   stage still holds the after-image   the change is not in force, whatever the
//                                       leaf is now: it is not ours
//   leaf was added by us and is as we   moved back to the stage name; changed
//   put it                              since: the user's, stays
//   leaf and the displaced node are     the user saved twice: the leaf stays, the
//   both neither before nor after       other is set aside with the leftovers
//   otherwise                           the displaced node goes back to the leaf
//                                       (exchange needs no space); if it is gone,
//                                       one is built again from the before-image
//                                       and put in its place first
// The displaced node stands at the stage or the stash name: whichever is the
// before-image, else whichever is not the after-image.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/change_plan.h"
#include "txn/content.h"
#include "txn/targets.h"

namespace stravinsky::txn {

// kChanged when somebody took or freed the name meanwhile.
Status put_in_place(fs::FileSystem& fs, const Targets& targets, const model::ChangePlan& plan,
                    size_t change);

enum class TakenBack {
  kRestored,   // the leaf is the before-image
  kTheirEdit,  // the leaf is what the user saved meanwhile
  kLeft,       // the leaf was added by us and changed by the user since, or was never ours
};

struct TakeBackRequest {
  size_t change = 0;
  const Content* before_content = nullptr;  // for a displaced node that is gone
  int64_t mtime_ns = 0;                     // of a node that is built again
};
Result<TakenBack> take_back(fs::FileSystem& fs, const Targets& targets,
                            const model::ChangePlan& plan, const TakeBackRequest& request);

}  // namespace stravinsky::txn
