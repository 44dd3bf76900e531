// health_checks: the user's own checks of an update, verify.commands of the config.
//
// Run after the new files went live and before the commit; one that does not end with 0
// in its time takes the update back. In a scratch home (the default) a command finds a
// copy of the managed files and may write what it likes: HOME, CLAUDE_CONFIG_DIR and
// CLAUDE_PROJECT_DIR lead there, and it is gone afterwards. Nothing that a command
// prints is kept or shown, since it may hold a value of a setting.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "engine/session.h"

namespace stravinsky::engine {

// health.command: blocking, one for each command that fails.
Result<std::vector<checks::Finding>> run_health_checks(Session& session);

}  // namespace stravinsky::engine
