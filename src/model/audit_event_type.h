// AuditEventType: the closed set of what the audit trail can say happened.
//
// The table in audit_event_type.cc is the only list: names as they stand in the
// log, and a sentence each, from which the documentation is printed.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace stravinsky::model {

enum class AuditEventType {
  kUpdateStart,
  kUpdateSuccess,
  kUpdateFailed,
  kUpdateBlocked,
  kAutoRollback,
  kAutoRollbackSuccess,
  kAutoRollbackFailed,
  kManualRollback,
  kUndo,
  kRedo,
  kVerificationFailure,
  kRecoveryAttempt,
  kRecoverySuccess,
  kRecoveryFailed,
  kEmergencyRecoveryInitiated,
  kHooksDisarmed,
  kHooksArmed,
  kCrashRecovered,
  kTransactionSetAside,
  kBackupCreated,
  kBackupVerified,
  kBackupDeleted,
  kBackupPinned,
  kBackupUnpinned,
  kCorruptedBackup,
  kConfigChanged,
  kDriftDetected,
  kHoldSet,
  kHoldReleased,
  kAuditEnabled,
  kAuditDisabled,
  kAuditHealed,
  kAuditRotated,
  kAuditDeleted,
  kVersionAdopted,
};

struct AuditEventTypeInfo {
  AuditEventType type;
  std::string_view name;     // "UPDATE_START"
  std::string_view meaning;  // one sentence
};

// In the order of the enumeration.
std::span<const AuditEventTypeInfo> audit_event_types();
std::string_view audit_event_type_name(AuditEventType type);
// Accepts every name of the table, and AUTOROLLBACK for AUTO_ROLLBACK.
std::optional<AuditEventType> parse_audit_event_type(std::string_view name);

}  // namespace stravinsky::model
