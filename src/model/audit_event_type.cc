#include "model/audit_event_type.h"

#include <array>

#include "base/check.h"

namespace stravinsky::model {
namespace {

using enum AuditEventType;

constexpr std::array kTypes = {
    AuditEventTypeInfo{kUpdateStart, "UPDATE_START",
                       "An update passed its checks and begins; nothing has been changed yet."},
    AuditEventTypeInfo{kUpdateSuccess, "UPDATE_SUCCESS",
                       "An update was applied, verified and committed."},
    AuditEventTypeInfo{kUpdateFailed, "UPDATE_FAILED",
                       "An update failed; recovery_action says what is done about it."},
    AuditEventTypeInfo{kUpdateBlocked, "UPDATE_BLOCKED",
                       "A check refused an update before anything was changed."},
    AuditEventTypeInfo{kAutoRollback, "AUTO_ROLLBACK",
                       "The program begins to take a failed update back by itself."},
    AuditEventTypeInfo{kAutoRollbackSuccess, "AUTO_ROLLBACK_SUCCESS",
                       "A failed update was taken back and the old state verified."},
    AuditEventTypeInfo{kAutoRollbackFailed, "AUTO_ROLLBACK_FAILED",
                       "A failed update could not be taken back completely; a human is needed."},
    AuditEventTypeInfo{kManualRollback, "MANUAL_ROLLBACK",
                       "The user went back to a backup of their choice."},
    AuditEventTypeInfo{kUndo, "UNDO", "The user took the last committed operation back."},
    AuditEventTypeInfo{kRedo, "REDO", "The user did again what an undo had taken back."},
    AuditEventTypeInfo{kVerificationFailure, "VERIFICATION_FAILURE",
                       "A verification found content that is not what it should be."},
    AuditEventTypeInfo{kRecoveryAttempt, "RECOVERY_ATTEMPT",
                       "A file, a directory or a version is about to be restored from a backup."},
    AuditEventTypeInfo{kRecoverySuccess, "RECOVERY_SUCCESS",
                       "What a recovery was asked for is restored and verified."},
    AuditEventTypeInfo{kRecoveryFailed, "RECOVERY_FAILED",
                       "A recovery failed; the tree is as it was before it."},
    AuditEventTypeInfo{kEmergencyRecoveryInitiated, "EMERGENCY_RECOVERY_INITIATED",
                       "The user started the emergency recovery."},
    AuditEventTypeInfo{kHooksDisarmed, "HOOKS_DISARMED",
                       "The user had all hooks taken out of the settings."},
    AuditEventTypeInfo{kHooksArmed, "HOOKS_ARMED",
                       "The hooks that a disarming had taken out are in the settings again."},
    AuditEventTypeInfo{kCrashRecovered, "CRASH_RECOVERED",
                       "A transaction that a crash had interrupted was finished or rolled back."},
    AuditEventTypeInfo{kTransactionSetAside, "TRANSACTION_SET_ASIDE",
                       "A transaction that could not be recovered was labelled INCONSISTENT and "
                       "kept for a human."},
    AuditEventTypeInfo{kBackupCreated, "BACKUP_CREATED", "A backup was made and verified."},
    AuditEventTypeInfo{kBackupVerified, "BACKUP_VERIFIED",
                       "A backup was read in full and is what was written."},
    AuditEventTypeInfo{kBackupDeleted, "BACKUP_DELETED",
                       "A backup was deleted, by retention or by the user."},
    AuditEventTypeInfo{kBackupPinned, "BACKUP_PINNED",
                       "The user protected a backup from every limit."},
    AuditEventTypeInfo{kBackupUnpinned, "BACKUP_UNPINNED",
                       "The user took the protection of a backup away."},
    AuditEventTypeInfo{
        kCorruptedBackup, "CORRUPTED_BACKUP",
        "A backup is not what was written; notes says where it was moved, or it stays."},
    AuditEventTypeInfo{kConfigChanged, "CONFIG_CHANGED",
                       "A setting of this program was changed; notes names the key, never a "
                       "value of the user's settings."},
    AuditEventTypeInfo{kDriftDetected, "DRIFT_DETECTED",
                       "Managed files differ from what was last applied."},
    AuditEventTypeInfo{kHoldSet, "HOLD_SET", "The user forbade updates until further notice."},
    AuditEventTypeInfo{kHoldReleased, "HOLD_RELEASED", "The user allowed updates again."},
    AuditEventTypeInfo{kAuditEnabled, "AUDIT_ENABLED",
                       "The audit trail was switched on; what happened since AUDIT_DISABLED is "
                       "not in it."},
    AuditEventTypeInfo{kAuditDisabled, "AUDIT_DISABLED",
                       "The audit trail was switched off; from here on it is not complete."},
    AuditEventTypeInfo{kAuditHealed, "AUDIT_HEALED",
                       "Bytes that a crash had left behind the last event were kept aside."},
    AuditEventTypeInfo{kAuditRotated, "AUDIT_ROTATED",
                       "The log goes on in a new file; notes names the old one and its digest."},
    AuditEventTypeInfo{kAuditDeleted, "AUDIT_DELETED",
                       "An archived log was deleted by retention; notes names its digest."},
    AuditEventTypeInfo{kVersionAdopted, "VERSION_ADOPTED",
                       "The user declared which version is installed; no file was changed."},
};

consteval bool is_in_order() {
  for (size_t i = 0; i < kTypes.size(); ++i) {
    if (static_cast<size_t>(kTypes[i].type) != i) return false;
  }
  return static_cast<size_t>(kVersionAdopted) + 1 == kTypes.size();
}
static_assert(is_in_order());

}  // namespace

std::span<const AuditEventTypeInfo> audit_event_types() {
  return kTypes;
}

std::string_view audit_event_type_name(AuditEventType type) {
  const auto index = static_cast<size_t>(type);
  CHECK(index < kTypes.size());
  return kTypes[index].name;
}

std::optional<AuditEventType> parse_audit_event_type(std::string_view name) {
  if (name == "AUTOROLLBACK") return kAutoRollback;
  for (const AuditEventTypeInfo& info : kTypes) {
    if (info.name == name) return info.type;
  }
  return std::nullopt;
}

}  // namespace stravinsky::model
