// check_room_and_rights: refuses what is bound to fail before a backup is made for it.
//
// The transaction's preflight looks at everything again, exactly and at the last
// moment; this is the same question asked before anything is written, so that a
// refused operation leaves no backup behind (D47, D48, D51).
#pragma once

#include <span>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

// How much must be free for the store: for an update twice the size of the tree, at
// least the configured threshold; for a way back, which must not be barred by a
// threshold, what its backup may take; nothing when none is made.
enum class Room { kUpdate, kWayBack, kNoBackup };

// kNoSpace: so much is not free; the message has the numbers. kPermission: a directory in
// which one of the paths stands, or would be made, may not be changed by this user,
// or a file may not be replaced. Paths whose place cannot be found are left to those
// who plan the change.
Status check_room_and_rights(const Session& session, const store::Snapshot& snapshot,
                             std::span<const model::LogicalPath> touches, Room room);

}  // namespace stravinsky::engine
