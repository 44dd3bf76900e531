// surroundings: what is looked at round a tree before an update, by `check` and by every
// update alike: room, rights, quiet, backups that can be believed.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "engine/session.h"

namespace stravinsky::engine {

// Which of the checks: an update looks at room and rights itself, exactly
// (engine/room_and_rights.h, txn/preflight.h), and holds the lock.
enum class Surroundings { kAll, kRoundAnUpdate };

// Each that cannot be carried out is a finding and stops no other. Round an update a
// backup that is damaged at a second look as well is moved to quarantine, on record; a dry
// run moves nothing.
std::vector<checks::Finding> look_around(Session& session, const store::Snapshot& snapshot,
                                         Surroundings which);

// The Claude Code sessions that run now, as information. Looked for when an operation is
// over: each process of the machine is asked.
std::vector<checks::Finding> live_sessions(const Session& session);

// Warnings, and information about live sessions: what a person should know before going on.
bool is_told(const checks::Finding& finding);

}  // namespace stravinsky::engine
