// way_back_since: what has taken a begun update back before it was finished.
//
// Between begin and finish every way back is open. One that leads the same tree to
// another state ends the begun update: what stands there is not what the installer
// left, so it is neither its success nor to be taken back once more. So does the
// automatic rollback of a finish that was killed when it had gone back.
#pragma once

#include <optional>

#include "base/error.h"
#include "engine/session.h"
#include "store/begun_update.h"
#include "txn/journal.h"

namespace stravinsky::engine {

struct SinceBegun {
  bool is_recorded = false;                     // the installer's work, as an update
  std::optional<txn::JournalContent> way_back;  // the newest since it began, or was recorded
};
// rollback to, undo, redo and the automatic rollback; what brings single files back, and
// what switches hooks off and on, is like the user's own edits.
Result<SinceBegun> way_back_since(const Session& session, const store::BegunUpdate& begun);

}  // namespace stravinsky::engine
