// rollback_to: a whole version out of a backup.

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "engine/history.h"
#include "engine/inverse.h"
#include "engine/operation.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "engine/rollback.h"
#include "engine/verified_backup.h"

namespace stravinsky::engine {
namespace {

using model::Entry;
using model::Image;
using model::ImageKind;
using model::LogicalPath;
using model::TransactionKind;
using Reader = BackupHandle;

// The images that updates of these trees ever put in place: a file that still equals
// one of them is the package's, not the user's.
using Installed = std::multimap<LogicalPath, Image>;

Result<Installed> installed_by_updates(Session& session, std::vector<std::string>* warnings) {
  Installed images;
  std::vector<std::string> damaged;
  ASSIGN_OR_RETURN(const auto committed,
                   committed_transactions(session.fs(), session.store().fd(), &damaged));
  if (warnings != nullptr)
    for (const std::string& id : damaged)
      warnings->push_back("the record of transaction " + id +
                          " is damaged: files that it added are taken for yours and stay");
  for (const txn::JournalContent& journal : committed) {
    const model::TransactionFacts& facts = journal.plan.facts;
    if (facts.kind != TransactionKind::kUpdate) continue;
    for (PathChange& one : path_changes(journal.plan)) {
      // Another project's paths only look the same.
      const store::Root* root = session.roots().of(one.path.scope);
      const bool is_user = one.path.scope == model::Scope::kUser;
      if (root == nullptr || root->path != (is_user ? facts.user_root : facts.project_root))
        continue;
      images.emplace(one.path, std::move(one.after));
    }
  }
  return images;
}

class BackupProposer {
 public:
  BackupProposer(Session& session, const Reader& reader, const Present& present)
      : session_(session), reader_(reader), present_(present) {}

  Result<Proposal> propose(ExtraFiles extra_files) {
    const model::Manifest& backup = reader_->manifest();
    proposal_.to_version = backup.version.str();
    then_ = known_tree(backup);
    RETURN_IF_ERROR(drop_other_scopes(backup));
    warn_of_what_is_not_in_it(backup);
    for (const Entry& entry : backup.entries) {
      const auto then = then_.find(entry.path);
      if (then != then_.end()) bring_back(entry, then->second);
    }
    ASSIGN_OR_RETURN(const auto ours, installed_by_updates(session_, &proposal_.warnings));
    for (const auto& [path, now] : present_.known) {
      if (then_.contains(path) || !in_scope_.contains(path.scope)) continue;
      remove_extra(path, now, ours, extra_files);
    }
    return std::move(proposal_);
  }

 private:
  // A backup goes back to the trees it was taken from and to no other.
  Status drop_other_scopes(const model::Manifest& backup) {
    in_scope_ = {model::Scope::kUser};
    const auto& project = session_.roots().project;
    if (backup.user_root != session_.roots().user.path)
      return make_error(ErrorCode::kConflict,
                        "the backup was taken from another tree: " + backup.user_root, backup.id)
          .with_untouched("Nothing was changed.");
    if (project && backup.project_root == project->path) {
      in_scope_.insert(model::Scope::kProject);
    } else if (!backup.project_root.empty()) {
      proposal_.warnings.push_back("the project part of the backup belongs to " +
                                   backup.project_root + " and was left alone");
    }
    std::erase_if(then_, [&](const auto& item) { return !in_scope_.contains(item.first.scope); });
    return {};
  }

  void warn_of_what_is_not_in_it(const model::Manifest& backup) {
    for (const Entry& entry : backup.entries)
      if (entry.state == model::EntryState::kSkipped && in_scope_.contains(entry.path.scope))
        proposal_.warnings.push_back("the backup " + backup.id +
                                     " is not complete: " + entry.path.display() +
                                     " could not be read when it was taken and stays as it is");
  }

  void bring_back(const Entry& entry, const Image& then) {
    const auto found = present_.known.find(entry.path);
    const Image now = found == present_.known.end() ? Image() : found->second;
    if (then.kind == ImageKind::kDirectory && now.kind == ImageKind::kDirectory) return;
    if (now.same_as(then)) return;
    Edit edit = edit_of_entry(reader_, entry, then);
    edit.takes_links_place = leads_nowhere(present_, entry.path);
    if (now.kind == ImageKind::kDirectory && then.kind != ImageKind::kDirectory)
      clear_the_place(present_, entry.path, proposal_);
    proposal_.edits.insert_or_assign(entry.path, std::move(edit));
    if (then.kind != ImageKind::kDirectory)
      proposal_.files.push_back(file_report(
          now.is_absent() ? FileAction::kAdd : FileAction::kChange, entry.path, now, then, ""));
  }

  void remove_extra(const LogicalPath& path, const Image& now, const Installed& ours,
                    ExtraFiles extra_files) {
    const auto [first, last] = ours.equal_range(path);
    const bool is_ours = std::any_of(first, last, [&](const auto& put) {
      return now.kind == put.second.kind &&
             (now.kind == ImageKind::kDirectory || now.same_as(put.second));
    });
    const bool is_directory = now.kind == ImageKind::kDirectory;
    if (!is_ours && extra_files == ExtraFiles::kKeep) {
      if (!is_directory)
        proposal_.files.push_back(file_report(FileAction::kKeepMine, path, now, now,
                                              "not in the backup; yours, so it stays"));
      return;
    }
    proposal_.edits.emplace(path, Edit{});
    if (!is_directory)
      proposal_.files.push_back(file_report(FileAction::kDelete, path, now, Image(), ""));
  }

  Session& session_;
  const Reader& reader_;
  const Present& present_;
  Proposal proposal_;
  KnownTree then_;
  std::set<model::Scope> in_scope_;
};

// The bundle that was installed when the backup was taken, as far as the records tell.
Result<std::string> bundle_at(Session& session, const model::Manifest& backup) {
  std::string bundle;
  ASSIGN_OR_RETURN(const auto committed,
                   committed_transactions(session.fs(), session.store().fd()));
  for (const txn::JournalContent& journal : committed) {
    if (journal.plan.facts.started_ns >= backup.time_ns) break;
    if (journal.plan.facts.tree == session.roots().user.path) bundle = journal.plan.facts.to_bundle;
  }
  return bundle;
}

// A damaged backup is a fact of its own, beside the rollback that it refuses.
Error found_damaged(Session& session, const RollbackRequest& request, Error error) {
  if (error.code != ErrorCode::kCorrupt || session.is_dry_run()) return error;
  model::AuditEvent event;
  event.type = model::AuditEventType::kCorruptedBackup;
  event.version = request.version_or_id;
  event.status = model::AuditStatus::kFailed;
  event.error = error.to_string();
  // The refusal is what matters; a trail that cannot be written is told with it.
  (void)session.record(event);
  return error;
}

}  // namespace

Result<OperationResult> rollback_to(Session& session, const RollbackRequest& request) {
  RETURN_IF_ERROR(refuse_without_store(session));
  Reader reader;
  OperationRequest operation;
  operation.kind = TransactionKind::kRollback;
  operation.backup_kind = model::BackupKind::kPreRollback;
  operation.asked_for = request.version_or_id;
  operation.checks = CheckPolicy::kHashesOnly;
  operation.on_backup_failure = request.on_backup_failure;
  operation.open = [&](const store::Snapshot& snapshot) -> Result<Subject> {
    ASSIGN_OR_RETURN(const KnownTree now, hash_tree(session.fs(), snapshot));
    auto opened = open_verified(session, request.version_or_id, &now);
    if (!opened) return found_damaged(session, request, std::move(opened).error());
    reader = std::move(*opened);
    const model::Manifest& backup = reader->manifest();
    Subject subject{
        .tree = session.roots().user.path, .to_version = backup.version.str(), .touches = {}};
    for (const Entry& entry : backup.entries)
      if (entry.type != fs::NodeType::kDirectory) subject.touches.push_back(entry.path);
    // What updates have put beside the components goes with the version that had it.
    ASSIGN_OR_RETURN(const auto ours, installed_by_updates(session, nullptr));
    for (const auto& [path, image] : ours)
      if (!reader->manifest().find(path)) subject.touches.push_back(path);
    return subject;
  };
  operation.propose = [&](const Present& present) -> Result<Proposal> {
    BackupProposer proposer(session, reader, present);
    ASSIGN_OR_RETURN(Proposal proposal, proposer.propose(request.extra_files));
    ASSIGN_OR_RETURN(proposal.to_bundle, bundle_at(session, reader->manifest()));
    return proposal;
  };
  ASSIGN_OR_RETURN(OperationResult result, run_operation(session, operation));
  result.recovered_from = {.backup_id = reader->manifest().id,
                           .time_ns = reader->manifest().time_ns};
  return result;
}

}  // namespace stravinsky::engine
