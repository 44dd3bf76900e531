// obstacles: what stands where something comes back, and is of a kind that no backup
// holds there: a directory or a FIFO called settings.json, a socket called hooks.
#pragma once

#include "base/error.h"
#include "engine/operation.h"
#include "engine/session.h"

namespace stravinsky::engine {

// Renames each that is in the way of the proposal to NAME.moved-aside, beside its place,
// and says so in the warnings. Nothing is lost and nothing is journaled: what was there
// could not work, and undo leaves it where it is then. True when something was moved; a dry
// run only says what would be.
Result<bool> move_obstacles_aside(Session& session, const store::Snapshot& snapshot,
                                  Proposal& proposal);

}  // namespace stravinsky::engine
