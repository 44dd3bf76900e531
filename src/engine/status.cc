#include "engine/status.h"

#include "base/strings.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/inverse.h"
#include "engine/present_tree.h"
#include "model/store_layout.h"
#include "txn/archive.h"

namespace stravinsky::engine {
namespace {

Status find_drift(Session& session, const store::Latest& latest, std::vector<Drift>& drift) {
  ASSIGN_OR_RETURN(const auto journal, last_transaction_here(session.fs(), session.store().fd(),
                                                             session.roots(), latest));
  if (!journal) return {};
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session.list_tree());
  for (const PathChange& one : path_changes(journal->plan)) {
    const store::TreeEntry* entry = snapshot.find(one.path);
    const bool there = entry != nullptr && entry->state == model::EntryState::kStored;
    if (one.after.is_absent()) {
      if (there && one.before.kind == model::ImageKind::kFile)
        drift.push_back({one.path.display(), "is there again"});
      continue;
    }
    if (one.after.kind != model::ImageKind::kFile) continue;
    if (!there) {
      drift.push_back({one.path.display(), "deleted"});
      continue;
    }
    ASSIGN_OR_RETURN(const auto text, read_managed_text(session.fs(), snapshot, one.path));
    if (!text || codec::sha256(*text) != one.after.sha256)
      drift.push_back({one.path.display(), "changed"});
  }
  return {};
}

void read_last_event(Session& session, StatusReport& report) {
  store::AuditFilter newest;
  newest.limit = 1;
  const auto page = session.audit().query(newest);
  if (!page) {
    report.warnings.push_back("the audit trail could not be read: " + page.error().to_string());
    return;
  }
  if (page->events.empty()) return;
  const model::AuditRecord& record = page->events.front();
  report.last_event = {
      .type = std::string(audit_event_type_name(record.event.type)),
      .version = escape(record.event.version),
      .status = record.event.status ? std::string(audit_status_name(*record.event.status)) : "",
      .timestamp = record.timestamp};
}

}  // namespace

Result<StatusReport> read_status(Session& session) {
  StatusReport report;
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  report.current_version = version_at(latest, session.roots().user);
  report.user_root = session.roots().user.path;
  report.user_root_exists = session.roots().user.exists;
  if (const auto& project = session.roots().project) {
    report.project_root = project->path;
    report.project_version = version_at(latest, *project);
  }
  report.store = session.store_path();
  report.audit_enabled = session.config().boolean("audit.enable_audit_logging");
  if (!session.has_store()) return report;
  const fs::Fd store = session.store().fd();
  const StepsHere steps = steps_here(session.fs(), store, session.roots(), latest);
  report.undo = steps.undo;
  report.redo = steps.redo;
  for (const Error& error : steps.unreadable) report.warnings.push_back(error.to_string());
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  report.backups = list.backups.size();
  for (const store::BackupList::Broken& broken : list.broken)
    report.warnings.push_back("backup " + escape(broken.id) +
                              " is damaged: " + broken.error.to_string());
  if (!list.backups.empty()) {
    report.newest_backup = list.backups.back().id;
    report.newest_backup_time = utc_seconds(list.backups.back().time_ns);
  }
  if (const auto held = held_version(session.fs(), store)) report.held_version = *held;
  if (const auto begun = session.begun_update(); !begun) {
    report.warnings.push_back("the update that was begun cannot be read: " +
                              begun.error().to_string());
  } else if (*begun) {
    report.begun_version = (*begun)->version;
  }
  read_last_event(session, report);
  if (Status looked = find_drift(session, latest, report.drift); !looked)
    report.warnings.push_back("the tree could not be compared: " + looked.error().to_string());
  ASSIGN_OR_RETURN(report.open_transactions,
                   txn::list_transactions(session.fs(), store, txn::Shelf::kOpen));
  ASSIGN_OR_RETURN(report.inconsistent_transactions,
                   txn::list_transactions(session.fs(), store, txn::Shelf::kInconsistent));
  const auto unrecorded = store::UnrecordedEvents(session.fs(), store).count();
  if (unrecorded) {
    report.unrecorded_events = *unrecorded;
  } else {
    report.warnings.push_back("events that are kept could not be counted: " +
                              unrecorded.error().to_string());
  }
  ASSIGN_OR_RETURN(const auto owner, fs::current_owner(session.fs(), store, model::layout::lock()));
  report.busy = owner.value_or("");
  return report;
}

}  // namespace stravinsky::engine
