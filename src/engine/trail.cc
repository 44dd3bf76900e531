#include "engine/trail.h"

namespace stravinsky::engine {

Result<store::AuditVerdict> verify_trail(Session& session) {
  if (!session.has_store()) return store::AuditVerdict();
  ASSIGN_OR_RETURN(store::AuditVerdict verdict, session.audit().verify());
  if (!verdict.ok() || verdict.events > 0 ||
      !session.config().boolean("audit.enable_audit_logging"))
    return verdict;
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  if (latest.last_transaction.empty() && list.backups.empty()) return verdict;
  verdict.damage = store::AuditDamage::kTruncation;
  verdict.first_bad_seq = 1;
  verdict.first_bad_line = 1;
  verdict.message = "the trail is gone, although the store holds backups or transactions";
  return verdict;
}

}  // namespace stravinsky::engine
