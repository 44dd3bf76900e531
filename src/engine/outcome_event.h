// The audit events of transactions: one place decides what each outcome is called.
#pragma once

#include <string_view>

#include "engine/operation_result.h"
#include "model/audit_event.h"
#include "model/change_plan.h"
#include "txn/recovery.h"

namespace stravinsky::engine {

// The phase that the journal of a transaction ends with when the trail was switched off.
inline constexpr std::string_view kNotOnRecord = "NOT_ON_RECORD";

// UPDATE_SUCCESS, MANUAL_ROLLBACK, UNDO, REDO or RECOVERY_SUCCESS.
model::AuditEventType committed_event_type(model::TransactionKind kind);

// What a committed transaction says, whether it was committed in this run or is
// found committed by a recovery.
model::AuditEvent event_of_commit(const model::TransactionFacts& facts);

// CRASH_RECOVERED, TRANSACTION_SET_ASIDE, or the event of the commit.
model::AuditEvent event_of_recovery(const txn::Recovered& recovered);

// The steps of a result as an event's details.
void add_steps(model::AuditEvent& event, const OperationResult& result);

}  // namespace stravinsky::engine
