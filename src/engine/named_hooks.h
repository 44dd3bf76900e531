// named_hooks: a way back never leaves settings that name an absent hook.
//
// A registered hook whose file is not there makes Claude Code deny every matching tool
// call. Settings come back, or stay because the user changed them, without the files that
// they name: so a file that the settings in force would name is not deleted, and one that
// settings which come back name is brought back with them.
#pragma once

#include "base/error.h"
#include "engine/operation.h"
#include "engine/session.h"

namespace stravinsky::engine {

// Changes the proposal of a way back accordingly, and its reports. What dangles already
// stays as it is; a file that no backup has is a warning. kPermission when settings would
// come back without a hook of theirs because the place of that cannot be read; not of the
// last way back (OnBackupFailure::kGoOn), which goes as far as it can.
Status keep_named_hooks(Session& session, const Present& present, OnBackupFailure last_resort,
                        Proposal& proposal);

}  // namespace stravinsky::engine
