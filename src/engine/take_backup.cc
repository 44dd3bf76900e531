#include "engine/take_backup.h"

#include "engine/history.h"
#include "engine/measured.h"
#include "engine/present_tree.h"
#include "engine/room_and_rights.h"
#include "store/rescue_script.h"

namespace stravinsky::engine {
namespace {

constexpr int kSnapshotAttempts = 3;

std::string_view backup_suffix(model::BackupKind kind) {
  switch (kind) {
    case model::BackupKind::kPreUpdate:
      return ".pre_update";
    case model::BackupKind::kPreRollback:
      return ".pre_rollback";
    case model::BackupKind::kPreRecovery:
      return ".pre_recovery";
    case model::BackupKind::kManual:
    case model::BackupKind::kAuto:
      return "";
  }
  return "";
}

// As far as they can be read; what cannot is what the gap is for.
std::vector<std::string> ids_on_record(Session& session) {
  std::vector<std::string> ids;
  if (const auto committed = committed_transactions(session.fs(), session.store().fd()))
    for (const txn::JournalContent& journal : *committed)
      ids.push_back(journal.plan.facts.backup_id);
  store::AuditFilter all;
  all.limit = 0;
  all.type = model::AuditEventType::kBackupCreated;
  if (const auto page = session.audit().query(all))
    for (const model::AuditRecord& record : page->events)
      ids.push_back(record.event.backup_created);
  return ids;
}

}  // namespace

Result<TakenBackup> take_backup(Session& session, const store::Latest& latest,
                                store::Snapshot snapshot, const BackupOrder& order) {
  const Environment& environment = session.environment();
  ASSIGN_OR_RETURN(const auto swept, session.backups().sweep());
  RETURN_IF_ERROR(session.store().sweep_partials());
  const store::TreeState state =
      latest.at(order.tree.empty() ? session.roots().user.path : order.tree);
  ASSIGN_OR_RETURN(const model::Version version, model::Version::parse(state.version));
  store::BackupRequest request{
      .label = order.label.empty() ? version.display() + std::string(backup_suffix(order.kind))
                                   : order.label,
      .kind = order.kind,
      .version = version,
      .version_of = order.tree.empty() ? session.roots().user.path : order.tree,
      .previous_version = version,
      .pinned = order.pinned};
  request.known_elsewhere = [&session] { return ids_on_record(session); };
  request.verify = session.config().boolean("backup.verify_on_creation")
                       ? store::VerifyOnCreation::kYes
                       : store::VerifyOnCreation::kNo;
  if (const auto head = session.audit().head(); head && *head)
    request.audit_head = (*head)->hash.hex();
  for (int attempt = 1;; ++attempt) {
    if (attempt > 1) {
      ASSIGN_OR_RETURN_WHILE(snapshot, session.list_tree(), "while listing the tree again");
    }
    ASSIGN_OR_RETURN(request.facts, measure(environment, session.store().fd(), snapshot));
    if (!state.bundle.empty()) {
      if (const auto base = session.bundles().load(state.bundle)) {
        ASSIGN_OR_RETURN(request.user_modifications,
                         user_modifications(session.fs(), snapshot, *base));
      }
    }
    request.facts.python_version = session.python_version();
    auto created = session.backups().create(snapshot, request);
    if (created) {
      if (latest.was_damaged)
        created->warnings.emplace_back(
            "backups/latest.json was damaged and was worked out again from the journals");
      if (const Status written = store::write_rescue_script(session.store()); !written)
        created->warnings.push_back(
            "recovery/rescue.sh, the way back without this program, could not be written; the next "
            "backup tries again: " +
            written.error().to_string());
      model::AuditEvent event;
      event.type = model::AuditEventType::kBackupCreated;
      event.version = state.version;
      event.status = model::AuditStatus::kSuccess;
      event.backup_created = created->manifest.id;
      if (request.facts.python_version) event.python_version = *request.facts.python_version;
      // A backup without its event is still a backup; a damaged trail is reported by
      // `audit verify` and must not stand in the way of saving the user's files.
      (void)session.record(event);
      return TakenBackup{std::move(snapshot), std::move(*created)};
    }
    // The tree moved while it was copied: look again.
    if (created.error().code != ErrorCode::kChanged || attempt == kSnapshotAttempts)
      return Error(std::move(created).error().with_context("while taking the backup"));
  }
}

Result<TakenBackup> create_backup(Session& session, const BackupOrder& order) {
  RETURN_IF_ERROR(session.begin_writing());
  ASSIGN_OR_RETURN(store::Latest latest, session.latest());
  session.manage_what_is_installed(latest);
  ASSIGN_OR_RETURN_WHILE(store::Snapshot snapshot, session.list_tree(), "while listing the tree");
  RETURN_IF_ERROR(check_room_and_rights(session, snapshot, {}, Room::kUpdate));
  ASSIGN_OR_RETURN(TakenBackup taken, take_backup(session, latest, std::move(snapshot), order));
  latest.newest_backup = taken.created.manifest.id;
  RETURN_IF_ERROR(store::write_latest(session.fs(), session.store().fd(), latest));
  return taken;
}

}  // namespace stravinsky::engine
