// trail: was the audit trail changed, as far as the rest of the store can tell?
#pragma once

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

// AuditLog::verify, and beyond it: a trail that is gone as a whole, although the
// store knows of transactions or backups, is truncated, not empty.
Result<store::AuditVerdict> verify_trail(Session& session);

}  // namespace stravinsky::engine
