#include "engine/backups.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace stravinsky::engine {
namespace {

constexpr int kThreads = 2;

Error nothing_found(const std::string& wanted, const store::BackupList& list) {
  std::string known;
  for (auto at = list.backups.rbegin(); at != list.backups.rend(); ++at)
    known += (known.empty() ? "There are: " : ", ") + at->id;
  return make_error(ErrorCode::kNotFound, "there is no backup " + escape(wanted))
      .with_untouched("Nothing was changed.")
      .with_remedy(known.empty() ? "Make one with: stravinsky backup create" : known + ".");
}

Result<BackupVerdict> verdict_on(Session& session, const std::string& id,
                                 store::VerifyDepth depth) {
  BackupVerdict verdict{.id = escape(id), .problems = {}};
  ASSIGN_OR_RETURN(const auto problems, session.backups().verify(id, depth, kThreads));
  for (const store::BackupProblem& problem : problems)
    verdict.problems.push_back(store::to_string(problem));
  return verdict;
}

model::AuditEvent event_of(const BackupVerdict& verdict) {
  model::AuditEvent event;
  event.type = model::AuditEventType::kCorruptedBackup;
  event.status = model::AuditStatus::kFailed;
  event.error = verdict.problems.front();
  event.notes = "backup " + verdict.id;
  return event;
}

// A verdict that cannot be recorded is a verdict all the same: failures are ignored.
void record(Session& session, const std::vector<BackupVerdict>& verdicts) {
  if (session.is_dry_run()) return;
  size_t good = 0;
  for (const BackupVerdict& verdict : verdicts) {
    if (verdict.problems.empty()) {
      ++good;
    } else {
      (void)session.record(event_of(verdict));
    }
  }
  if (good == 0) return;
  model::AuditEvent event;
  event.type = model::AuditEventType::kBackupVerified;
  event.status = model::AuditStatus::kSuccess;
  event.notes = good == 1 && verdicts.size() == 1 ? "backup " + verdicts.front().id
                                                  : fmt::format("{} backups", good);
  (void)session.record(event);
}

}  // namespace

Result<std::vector<BackupVerdict>> verify_backups(Session& session, const VerifyRequest& request) {
  const std::string& wanted = request.version_or_id;
  store::BackupList list;
  if (session.has_store()) {
    ASSIGN_OR_RETURN(list, session.backups().list());
  }
  const auto version = model::Version::parse(wanted);
  std::vector<BackupVerdict> verdicts;
  for (const store::BackupInfo& info : list.backups) {
    const bool is_meant =
        wanted.empty() || info.id == wanted || (version && info.version == *version);
    if (!is_meant) continue;
    ASSIGN_OR_RETURN(BackupVerdict verdict, verdict_on(session, info.id, request.depth));
    verdicts.push_back(std::move(verdict));
  }
  for (const store::BackupList::Broken& broken : list.broken)
    if (wanted.empty() || broken.id == wanted)
      verdicts.push_back({.id = escape(broken.id), .problems = {broken.error.to_string()}});
  if (verdicts.empty() && !wanted.empty()) return nothing_found(wanted, list);
  record(session, verdicts);
  return verdicts;
}

Result<std::string> quarantine_backup(Session& session, const std::string& id,
                                      const std::string& reason) {
  ASSIGN_OR_RETURN(const auto problems,
                   session.backups().verify(id, store::VerifyDepth::kFull, kThreads));
  if (problems.empty()) return make_error(ErrorCode::kChanged, "at a second look it is good");
  ASSIGN_OR_RETURN(std::string name, session.backups().quarantine(id, reason));
  model::AuditEvent event;
  event.type = model::AuditEventType::kCorruptedBackup;
  event.status = model::AuditStatus::kFailed;
  event.severity = "warning";
  event.error_class = "corrupted_backup";
  event.backup_created = id;
  event.error = reason;
  event.recovery_action = "QUARANTINED";
  event.notes = "moved to quarantine/" + name;
  (void)session.record(event);  // what goes on goes on; the user is told of both
  return name;
}

}  // namespace stravinsky::engine
