#include "engine/outcome_event.h"

namespace stravinsky::engine {

using model::AuditEvent;
using model::AuditEventType;
using model::AuditStatus;
using model::TransactionKind;

AuditEventType committed_event_type(TransactionKind kind) {
  switch (kind) {
    case TransactionKind::kUpdate:
      return AuditEventType::kUpdateSuccess;
    case TransactionKind::kRollback:
      return AuditEventType::kManualRollback;
    case TransactionKind::kUndo:
      return AuditEventType::kUndo;
    case TransactionKind::kRedo:
      return AuditEventType::kRedo;
    case TransactionKind::kAutoRollback:
      return AuditEventType::kAutoRollbackSuccess;
    case TransactionKind::kRecovery:
      return AuditEventType::kRecoverySuccess;
    case TransactionKind::kDisarm:
      return AuditEventType::kHooksDisarmed;
    case TransactionKind::kArm:
      return AuditEventType::kHooksArmed;
  }
  return AuditEventType::kUpdateSuccess;
}

AuditEvent event_of_commit(const model::TransactionFacts& facts) {
  AuditEvent event;
  event.type = committed_event_type(facts.kind);
  event.version = facts.to_version;
  event.previous_version = facts.from_version;
  event.tx = facts.id;
  event.status = AuditStatus::kSuccess;
  event.backup_created = facts.backup_id;
  return event;
}

AuditEvent event_of_recovery(const txn::Recovered& recovered) {
  if (recovered.action == txn::RecoveryAction::kCompleted) {
    AuditEvent event = event_of_commit(recovered.facts);
    event.notes = "committed before the process ended; recorded by the next command";
    return event;
  }
  AuditEvent event;
  event.version = recovered.facts.from_version;
  event.previous_version = recovered.facts.to_version;
  event.tx = recovered.facts.id;
  if (recovered.action == txn::RecoveryAction::kSetAside) {
    event.type = AuditEventType::kTransactionSetAside;
    event.status = AuditStatus::kFailed;
    if (recovered.error) event.error = recovered.error->to_string();
    return event;
  }
  event.type = AuditEventType::kCrashRecovered;
  event.status = AuditStatus::kRecovered;
  event.recovery_action = recovery_action_name(recovered.action);
  event.notes = "an interrupted " + std::string(transaction_kind_name(recovered.facts.kind)) +
                " was taken back";
  return event;
}

void add_steps(AuditEvent& event, const OperationResult& result) {
  for (const Step& step : result.steps) {
    const std::string type = step.name == "PREPARE"    ? "backup_create"
                             : step.name == "VALIDATE" ? "validation"
                             : step.name == "SWAP"     ? "update_apply"
                             : step.name == "VERIFY"   ? "verification"
                                                       : "auto_rollback";
    event.operations.push_back({.type = type,
                                .status = step.status == "ok" ? "success" : step.status,
                                .duration_ms = step.duration_ns / 1'000'000});
  }
}

}  // namespace stravinsky::engine
