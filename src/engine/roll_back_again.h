// roll_back_again: an automatic rollback that failed is tried again from its journal, as
// the next command would do.
//
// Every recovery.recovery_retry_delay_seconds, until update.auto_rollback_timeout_seconds
// are over: no attempt begins later, and one that has begun is never cut off. The last
// of recovery.max_recovery_attempts is left to the next command, so that a fault which
// passes is healed without anybody's doing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"
#include "txn/context.h"

namespace stravinsky::engine {

// What was kept. On failure the last error, first when nothing could be tried; the
// journal stays open. told is called when the old tree is back, before the journal is
// archived.
Result<std::vector<txn::Kept>> roll_back_again(Session& session, const std::string& txid,
                                               Error first, const std::function<Status()>& told);

}  // namespace stravinsky::engine
