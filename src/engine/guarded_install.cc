#include "engine/guarded_install.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "engine/error_matrix.h"
#include "engine/health_checks.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/inverse.h"
#include "engine/operation.h"
#include "engine/outcome_event.h"
#include "engine/present_tree.h"
#include "engine/resume.h"
#include "engine/retention.h"
#include "engine/room_and_rights.h"
#include "engine/surroundings.h"
#include "engine/take_backup.h"
#include "engine/tree_checks.h"
#include "engine/tree_views.h"
#include "engine/unreadable.h"
#include "engine/verified_backup.h"
#include "engine/version_check.h"
#include "txn/archive.h"
#include "txn/record.h"

namespace stravinsky::engine {
namespace {

using model::AuditEvent;
using model::AuditEventType;
using model::AuditStatus;
using model::LogicalPath;
using model::TransactionKind;
using store::BegunUpdate;

// What leads from one tree to another. The bytes are asked for by who needs them.
Edits differences(const KnownTree& from, const KnownTree& to) {
  Edits edits;
  for (const auto& [path, image] : to) {
    const auto before = from.find(path);
    if (before == from.end() || !before->second.same_as(image))
      edits.emplace(path, Edit{.after = image, .bytes = {}});
  }
  for (const auto& [path, image] : from)
    if (!to.contains(path)) edits.emplace(path, Edit{});
  return edits;
}

std::vector<FileReport> reports(const Edits& edits, const KnownTree& from) {
  std::vector<FileReport> files;
  const auto hash = [](const model::Image& image) {
    return image.kind == model::ImageKind::kFile ? image.sha256.hex() : std::string();
  };
  for (const auto& [path, edit] : edits) {
    const auto found = from.find(path);
    const model::Image before = found == from.end() ? model::Image() : found->second;
    if (before.kind == model::ImageKind::kDirectory ||
        edit.after.kind == model::ImageKind::kDirectory)
      continue;
    files.push_back({.action = before.is_absent()       ? FileAction::kAdd
                               : edit.after.is_absent() ? FileAction::kDelete
                                                        : FileAction::kChange,
                     .path = path.display(),
                     .note = {},
                     .command = {},
                     .old_hash = hash(before),
                     .new_hash = hash(edit.after)});
  }
  return files;
}

class Finisher {
 public:
  Finisher(Session& session, const FinishRequest& request, BegunUpdate begun)
      : session_(session), request_(request), begun_(std::move(begun)) {}

  Result<OperationResult> run() {
    start_ns_ = session_.environment().clock.monotonic_ns();
    ASSIGN_OR_RETURN(latest_, session_.latest());
    // Killed after it was recorded: there is nothing left but to say so.
    const auto done = txn::open_transaction(session_.fs(), session_.store().fd(), txn::Shelf::kDone,
                                            begun_.token);
    if (!done && !is_not_found(done.error())) return Error(done.error());
    if (done) {
      RETURN_IF_ERROR(store::remove_begun(session_.fs(), session_.store().fd()));
      return ended(Outcome::kDone);
    }
    ASSIGN_OR_RETURN(backup_, open_verified(session_, begun_.backup));
    RETURN_IF_ERROR(refuse_elsewhere());
    ASSIGN_OR_RETURN(const store::Snapshot snapshot, session_.list_tree());
    ASSIGN_OR_RETURN(const KnownTree now, hash_tree(session_.fs(), snapshot));
    const KnownTree before = known_tree(backup_->manifest());
    const Edits edits = differences(before, now);
    result_.files = reports(edits, before);
    if (request_.installer == Installer::kFailed)
      return take_back(make_error(ErrorCode::kIo, request_.error.empty()
                                                      ? "the installer says that it failed"
                                                      : escape(request_.error)));
    RETURN_IF_ERROR(make_plan(before, edits));
    if (Status good = check(); !good) {
      const auto automatic = session_.config().boolean("update.auto_rollback_on_failure")
                                 ? AutomaticRollback::kOn
                                 : AutomaticRollback::kOff;
      if (respond(good.error(), Phase::kVerify, automatic) != Response::kStay)
        return take_back(std::move(good).error());
      result_.error_class = error_class_name(good.error(), Phase::kVerify);
      result_.failure = std::move(good).error();
    }
    return put_on_record();
  }

 private:
  Status refuse_elsewhere() const {
    const model::Manifest& manifest = backup_->manifest();
    const std::string project = session_.roots().project ? session_.roots().project->path : "";
    if (manifest.user_root == session_.roots().user.path && manifest.project_root == project)
      return {};
    const bool has_project = !manifest.project_root.empty();
    return make_error(ErrorCode::kConflict,
                      "the update was begun in another place: " + manifest.user_root +
                          (has_project ? " and " + manifest.project_root : ", in no project"))
        .with_untouched("Nothing was changed.")
        .with_remedy("Run the command there, or name the place with --project.");
  }

  Status make_plan(const KnownTree& before, const Edits& edits) {
    model::TransactionFacts& facts = plan_.facts;
    facts.id = begun_.token;
    facts.sequence = latest_.transaction_sequence + 1;
    facts.kind = TransactionKind::kUpdate;
    facts.started_ns = begun_.started_ns;
    facts.tree = begun_.tree;
    facts.from_version = begun_.from_version;
    facts.to_version = begun_.version;
    facts.from_bundle = begun_.from_bundle;
    facts.backup_id = begun_.backup;
    facts.user_root = session_.roots().user.path;
    if (session_.roots().project) facts.project_root = session_.roots().project->path;
    return plan_edits(
        {.fs = session_.fs(), .roots = session_.roots(), .known = before, .edits = edits}, plan_);
  }

  txn::Content old_bytes() const {
    return [this](size_t change, const std::string& inner_path, const codec::Sink& sink) -> Status {
      const LogicalPath& top = plan_.changes[change].logical;
      const LogicalPath path{
          top.scope, inner_path.empty() ? top.path : top.path / fs::RelPath::of(inner_path)};
      const model::Entry* entry = backup_->manifest().find(path);
      if (entry == nullptr)
        return make_error(ErrorCode::kCorrupt, "the backup lacks it", path.display());
      return backup_->read(*entry, sink);
    };
  }

  Status check() {
    if (!session_.config().boolean("update.post_update_verification_enabled")) return {};
    const LiveView live(session_.fs(), session_.roots(), session_.hook_roots(), nullptr);
    const Edits inverse = inverse_edits(plan_, old_bytes());
    const EditedView before(live, inverse);
    check_tree(live, &before, session_.judge(), result_.findings);
    ASSIGN_OR_RETURN(const auto health, run_health_checks(session_));
    result_.findings.insert(result_.findings.end(), health.begin(), health.end());
    ASSIGN_OR_RETURN(const auto versions, check_versions(session_, latest_, plan_.facts));
    result_.findings.insert(result_.findings.end(), versions.begin(), versions.end());
    result_.verified = verified_by(result_.findings);
    return blocking_finding(result_.findings);
  }

  Result<OperationResult> put_on_record() {
    if (!plan_.changes.empty()) {
      ASSIGN_OR_RETURN(auto record,
                       txn::Record::write(session_.transaction_context(), plan_, old_bytes()));
      RETURN_IF_ERROR(tell());
      RETURN_IF_ERROR(record.close());
    } else {
      RETURN_IF_ERROR(tell());
    }
    RETURN_IF_ERROR(store::remove_begun(session_.fs(), session_.store().fd()));
    return ended(result_.failure ? Outcome::kVerifyFailed : Outcome::kDone);
  }

  // A crash from here on loses nothing: recovery finds the committed record.
  Status tell() {
    if (plan_.changes.empty()) {
      latest_.trees[begun_.tree] = {.version = begun_.version, .bundle = {}};
    } else {
      record_commit(latest_, plan_.facts);
    }
    RETURN_IF_ERROR(store::write_latest(session_.fs(), session_.store().fd(), latest_));
    RETURN_IF_ERROR(remove_hold(session_.fs(), session_.store().fd()));
    AuditEvent event = event_of_commit(plan_.facts);
    if (result_.failure) {
      event.type = AuditEventType::kVerificationFailure;
      event.status = AuditStatus::kFailed;
      event.error = result_.failure->to_string();
      event.error_class = result_.error_class;
      event.severity = "warning";
    }
    event.notes = "carried out by the package's own installer";
    event.duration_ns = session_.environment().clock.monotonic_ns() - start_ns_;
    return session_.record(event);
  }

  Result<OperationResult> take_back(Error cause) {
    AuditEvent failed;
    failed.type = AuditEventType::kUpdateFailed;
    failed.version = begun_.version;
    failed.previous_version = begun_.from_version;
    failed.status = AuditStatus::kFailed;
    failed.error = cause.to_string();
    failed.error_class = error_class_name(cause, Phase::kVerify);
    for (const Verified& one : result_.verified)
      if (!one.failures.empty()) failed.failed_verifications.push_back(one.name);
    failed.recovery_action = "INITIATING_AUTO_ROLLBACK";
    failed.backup_created = begun_.backup;
    (void)session_.record(failed);  // the rollback matters more; its own event is told of

    OperationRequest operation;
    operation.kind = TransactionKind::kAutoRollback;
    operation.backup_kind = model::BackupKind::kPreRollback;
    operation.checks = CheckPolicy::kHashesOnly;
    operation.asked_for = begun_.from_version;
    operation.open = [&](const store::Snapshot&) -> Result<Subject> {
      return Subject{.tree = begun_.tree, .to_version = begun_.from_version, .touches = {}};
    };
    operation.propose = [&](const Present& present) -> Result<Proposal> {
      const KnownTree before = known_tree(backup_->manifest());
      Proposal proposal;
      proposal.to_version = begun_.from_version;
      proposal.to_bundle = begun_.from_bundle;
      proposal.edits = differences(present.known, before);
      for (auto& [path, edit] : proposal.edits)
        if (edit.after.kind == model::ImageKind::kFile)
          edit = edit_of_entry(backup_, *backup_->manifest().find(path), edit.after);
      proposal.files = reports(proposal.edits, present.known);
      return proposal;
    };
    ASSIGN_OR_RETURN(OperationResult back, run_operation(session_, operation));
    if (back.outcome == Outcome::kRollbackFailed) {
      back.rollback_error->context.push_back("after " + back.failure->to_string());
      return as_update(std::move(back), std::move(cause));
    }
    if (back.failure) {
      Error error = std::move(*back.failure);
      error.code = ErrorCode::kRecoveryRequired;
      error.context.push_back("after the update failed: " + cause.to_string());
      return std::move(error)
          .with_untouched("What the installer left stands; the state before is in the backup " +
                          begun_.backup + ".")
          .with_remedy("Try again: stravinsky update finish " + shell_quote(begun_.version) +
                       " --failed; or: stravinsky rollback to " + begun_.backup);
    }
    RETURN_IF_ERROR(store::remove_begun(session_.fs(), session_.store().fd()));
    back.outcome = Outcome::kRolledBack;
    return as_update(std::move(back), std::move(cause));
  }

  // The rollback told as what it was for.
  OperationResult as_update(OperationResult back, Error cause) {
    back.kind = TransactionKind::kUpdate;
    back.from_version = displayed(begun_.from_version);
    back.to_version = displayed(begun_.version);
    back.findings = std::move(result_.findings);
    back.verified = std::move(result_.verified);
    back.error_class = error_class_name(cause, Phase::kVerify);
    back.failure = std::move(cause);
    return back;
  }

  static std::string displayed(const std::string& text) {
    const auto version = model::Version::parse(text);
    return version ? version->display() : text;
  }

  Result<OperationResult> ended(Outcome outcome) {
    result_.kind = TransactionKind::kUpdate;
    result_.outcome = outcome;
    result_.from_version = displayed(begun_.from_version);
    result_.to_version = displayed(begun_.version);
    result_.backup_created = begun_.backup;
    result_.transaction_id = begun_.token;
    result_.duration_ns = session_.environment().clock.monotonic_ns() - start_ns_;
    return std::move(result_);
  }

  Session& session_;
  const FinishRequest& request_;
  BegunUpdate begun_;
  BackupHandle backup_;
  store::Latest latest_;
  model::ChangePlan plan_;
  OperationResult result_;
  int64_t start_ns_ = 0;
};

std::vector<std::string> with(std::vector<std::string> some, std::vector<std::string> more) {
  std::ranges::move(more, std::back_inserter(some));
  return some;
}

std::string ways_on(const std::string& version) {
  const std::string finish = "stravinsky update finish " + shell_quote(version);
  return "If the installer is done: " + finish + "; to go back: " + finish + " --failed";
}

}  // namespace

Status refuse_while_begun(const Session& session) {
  ASSIGN_OR_RETURN(const auto begun, session.begun_update());
  if (!begun) return {};
  return make_error(ErrorCode::kConflict,
                    fmt::format("an update to {} was begun at {} and is not finished",
                                escape(begun->version), utc_seconds(begun->started_ns)))
      .with_untouched("Nothing was changed.")
      .with_remedy(ways_on(begun->version));
}

Result<Begun> begin_update(Session& session, const BeginRequest& request) {
  ASSIGN_OR_RETURN(const model::Version version, model::Version::parse(request.version));
  RETURN_IF_ERROR(session.begin_writing());
  if (session.config_fault()) return *session.config_fault();
  RETURN_IF_ERROR(refuse_while_begun(session));
  RETURN_IF_ERROR(refuse_while_inconsistent(session));
  const store::Root* root = session.roots().of(request.scope);
  if (root == nullptr)
    return make_error(ErrorCode::kNotFound, "there is no project here")
        .with_untouched("Nothing was changed.")
        .with_remedy("Name it with --project DIR.");
  ASSIGN_OR_RETURN(store::Latest latest, session.latest());
  const store::TreeState state = latest.at(root->path);
  AuditEvent event;
  event.version = version.str();
  event.previous_version = state.version;
  const auto blocked = [&](Error error) {
    event.type = AuditEventType::kUpdateBlocked;
    event.status = AuditStatus::kFailed;
    event.error = error.to_string();
    if (!session.is_dry_run()) (void)session.record(event);
    return Error(std::move(error).with_untouched("Nothing was changed."));
  };
  auto snapshot = session.list_tree();
  if (!snapshot) return blocked(std::move(snapshot).error());
  std::vector<LogicalPath> touches;
  for (const store::TreeEntry& entry : snapshot->entries)
    if (entry.path.scope == request.scope) touches.push_back(entry.path);
  if (Status able = check_room_and_rights(session, *snapshot, touches, Room::kUpdate); !able)
    return blocked(std::move(able).error());
  std::vector<std::string> warnings;
  if (session.config().boolean("update.pre_update_checks_enabled"))
    for (const checks::Finding& finding :
         look_around(session, *snapshot, Surroundings::kRoundAnUpdate))
      if (is_told(finding)) warnings.push_back(finding.to_string());
  BegunUpdate begun{.token = session.environment().random.hex(8),
                    .version = version.str(),
                    .tree = root->path,
                    .backup = {},
                    .from_version = state.version,
                    .from_bundle = state.bundle,
                    .started_ns = session.environment().clock.now_ns()};
  if (session.is_dry_run())
    return Begun{.update = std::move(begun),
                 .warnings = with(std::move(warnings), omission_warnings(*snapshot))};
  auto taken = take_backup(session, latest, std::move(*snapshot),
                           {.kind = model::BackupKind::kPreUpdate, .tree = root->path});
  if (!taken) return blocked(std::move(taken).error());
  if (const auto kept = keep_within_limits(session, latest); !kept) return blocked(kept.error());
  begun.backup = taken->created.manifest.id;
  latest.newest_backup = begun.backup;
  RETURN_IF_ERROR(store::write_latest(session.fs(), session.store().fd(), latest));
  RETURN_IF_ERROR(store::write_begun(session.fs(), session.store().fd(), begun));
  event.type = AuditEventType::kUpdateStart;
  event.tx = begun.token;
  event.backup_created = begun.backup;
  event.notes = "the package's own installer is at work";
  RETURN_IF_ERROR(session.record(event));
  if (session.config().boolean("update.pre_update_checks_enabled"))
    for (const checks::Finding& finding : live_sessions(session))
      warnings.push_back(finding.to_string());
  warnings = with(std::move(warnings), omission_warnings(taken->snapshot));
  return Begun{.update = std::move(begun),
               .warnings = with(std::move(warnings), taken->created.warnings)};
}

Result<OperationResult> finish_update(Session& session, const FinishRequest& request) {
  ASSIGN_OR_RETURN(const model::Version version, model::Version::parse(request.version));
  RETURN_IF_ERROR(session.begin_writing());
  ASSIGN_OR_RETURN(auto begun, session.begun_update());
  if (!begun)
    return make_error(ErrorCode::kNotFound, "no update was begun")
        .with_untouched("Nothing was changed.")
        .with_remedy("Begin one before the installer runs: stravinsky update begin VERSION");
  if (begun->version != version.str())
    return make_error(ErrorCode::kUsage,
                      fmt::format("the update that was begun is to {}, not to {}",
                                  escape(begun->version), version.str()))
        .with_untouched("Nothing was changed.")
        .with_remedy(ways_on(begun->version));
  if (session.is_dry_run())
    return make_error(ErrorCode::kUsage, "finishing an update has no dry run")
        .with_untouched("Nothing was changed.")
        .with_remedy("See what the installer did with: stravinsky status");
  Finisher finisher(session, request, std::move(*begun));
  return finisher.run();
}

}  // namespace stravinsky::engine
