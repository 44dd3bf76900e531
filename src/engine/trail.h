// trail: was the audit trail changed, as far as the rest of the store can tell?
#pragma once

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

// AuditLog::verify, and beyond it what the store remembers: each backup names the last
// event before it, and each committed transaction has an event, in the log or among what
// is kept for it. A trail that lacks one, or is gone as a whole, is truncated, however
// well its chain holds. Whoever owns the store can remove all of these together.
Result<store::AuditVerdict> verify_trail(Session& session);

}  // namespace stravinsky::engine
