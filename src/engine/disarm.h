// disarm and arm: all hooks off, and on again, for when one of them blocks everything.
//
// Disarming takes `hooks` out of every settings file of the trees at hand and leaves the
// rest, permissions above all, byte for byte; a file that is no JSON is moved aside as a
// whole, since nobody can tell what it registers. Both are transactions with a backup, and
// undo takes either back. Hooks of plugins are not in these files.
#pragma once

#include "base/error.h"
#include "engine/operation_result.h"
#include "engine/session.h"

namespace stravinsky::engine {

// kNothingToDo when no settings file registers a hook.
Result<OperationResult> disarm(Session& session);

// Puts back what the last disarming took out, unless that was undone. A file that was
// changed meanwhile keeps the changes: hooks are added where it has none, and left alone
// where it has some. kNotFound when nothing is disarmed.
Result<OperationResult> arm(Session& session);

// Whether arm would find something.
bool is_disarmed(Session& session);

}  // namespace stravinsky::engine
