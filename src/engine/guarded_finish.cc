#include "engine/guarded_finish.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "engine/emptied.h"
#include "engine/error_matrix.h"
#include "engine/health_checks.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/inverse.h"
#include "engine/manual_recovery.h"
#include "engine/old_tree.h"
#include "engine/outcome_event.h"
#include "engine/present_tree.h"
#include "engine/tree_checks.h"
#include "engine/tree_difference.h"
#include "engine/tree_views.h"
#include "engine/verified_backup.h"
#include "engine/version_check.h"
#include "engine/way_back_since.h"
#include "txn/record.h"

namespace stravinsky::engine {
namespace {

using model::AuditEvent;
using model::AuditEventType;
using model::AuditStatus;
using model::LogicalPath;
using model::TransactionKind;
using store::BegunUpdate;

std::string displayed(const std::string& text) {
  const auto version = model::Version::parse(text);
  return version ? version->display() : text;
}

// What a committed rollback changed.
std::vector<FileReport> reports_of(const model::ChangePlan& plan) {
  KnownTree before;
  Edits edits;
  for (PathChange& one : path_changes(plan)) {
    before.emplace(one.path, std::move(one.before));
    edits.emplace(one.path, Edit{.after = std::move(one.after), .bytes = {}});
  }
  std::vector<FileReport> files = difference_reports(edits, before);
  add_commands(files, plan.facts.backup_id);
  return files;
}

class Finisher {
 public:
  Finisher(Session& session, const FinishRequest& request, BegunUpdate begun)
      : session_(session), request_(request), begun_(std::move(begun)) {}

  Result<OperationResult> run() {
    start_ns_ = session_.environment().clock.monotonic_ns();
    ASSIGN_OR_RETURN(latest_, session_.latest());
    ASSIGN_OR_RETURN(const SinceBegun since, way_back_since(session_, begun_));
    if (since.way_back) return ended_meanwhile(since);
    if (since.is_recorded) {  // killed behind it: there is nothing left but to say so
      RETURN_IF_ERROR(close());
      return ended(Outcome::kDone);
    }
    ASSIGN_OR_RETURN(backup_, open_verified(session_, begun_.backup));
    RETURN_IF_ERROR(refuse_elsewhere());
    ASSIGN_OR_RETURN(const store::Snapshot snapshot, session_.list_tree());
    RETURN_IF_ERROR(OldTree(session_, begun_, backup_).refuse_unreadable(snapshot));
    ASSIGN_OR_RETURN(now_, hash_tree(session_.fs(), snapshot));
    forget_skipped(now_, backup_->manifest());
    before_ = known_tree(backup_->manifest());
    edits_ = differences(before_, now_);
    result_.files = difference_reports(edits_, before_);
    if (request_.installer == Installer::kFailed)
      return take_back(make_error(ErrorCode::kIo, request_.error.empty()
                                                      ? "the installer says that it failed"
                                                      : escape(request_.error)));
    RETURN_IF_ERROR(make_plan());
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

  // --- a way back has ended it
  Result<OperationResult> ended_meanwhile(const SinceBegun& since) {
    const model::ChangePlan& way_back = since.way_back->plan;
    if (way_back.facts.kind == TransactionKind::kAutoRollback) {
      ASSIGN_OR_RETURN(const bool is_whole, completed(way_back));
      RETURN_IF_ERROR(close());
      if (!is_whole)
        return taken_back_meanwhile(way_back.facts,
                                    backup_ ? "; the tree was changed since"
                                            : "; the backup of the tree before cannot be read");
      OperationResult back;
      back.backup_created = way_back.facts.backup_id;
      back.transaction_id = way_back.facts.id;
      back.files = reports_of(way_back);
      back.outcome = Outcome::kRolledBack;
      return as_update(std::move(back),
                       make_error(ErrorCode::kIo,
                                  "the update had failed, and the process that took it back "
                                  "(transaction " +
                                      way_back.facts.id + ") ended before it could say so"));
    }
    if (!since.is_recorded) {
      AuditEvent event = failed_event();
      event.error = "taken back meanwhile by transaction " + way_back.facts.id;
      RETURN_IF_ERROR(session_.record(event));
    }
    RETURN_IF_ERROR(close());
    return taken_back_meanwhile(way_back.facts, "");
  }

  // What its transaction did not hold, then whether the old tree is there.
  Result<bool> completed(const model::ChangePlan& way_back) {
    auto backup = open_verified(session_, begun_.backup);
    if (!backup) return false;
    backup_ = std::move(*backup);
    RETURN_IF_ERROR(refuse_elsewhere());
    OldTree old(session_, begun_, backup_);
    RETURN_IF_ERROR(old.complete(way_back));
    return old.is_back();
  }

  Error taken_back_meanwhile(const model::TransactionFacts& facts, std::string_view more) const {
    return make_error(ErrorCode::kChanged,
                      "the update to " + displayed(begun_.version) +
                          " was taken back meanwhile by transaction " + facts.id + " (" +
                          std::string(transaction_kind_name(facts.kind)) + " to " +
                          displayed(facts.to_version) + ")" + std::string(more))
        .with_untouched("No file was changed now; the begun update is over.")
        .with_remedy("The state before it is in the backup " + begun_.backup +
                     " (stravinsky rollback to " + begun_.backup +
                     "). To install it after all: stravinsky update begin " +
                     shell_quote(begun_.version) + ", then the installer.");
  }

  // --- it is looked at
  Status make_plan() {
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
        {.fs = session_.fs(), .roots = session_.roots(), .known = before_, .edits = edits_}, plan_);
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
    result_.findings = emptied_components(before_, now_, request_.removes);
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

  // --- it is in force
  Result<OperationResult> put_on_record() {
    const bool has_changes = !plan_.changes.empty();
    if (has_changes) {
      ASSIGN_OR_RETURN(auto record,
                       txn::Record::write(session_.transaction_context(), plan_, old_bytes()));
      RETURN_IF_ERROR(tell());
      RETURN_IF_ERROR(record.close());
    } else {
      RETURN_IF_ERROR(tell());
    }
    RETURN_IF_ERROR(close());
    auto result = ended(result_.failure ? Outcome::kVerifyFailed : Outcome::kDone);
    // Else it would look as if there were something to take back.
    if (result && !has_changes) result->transaction_id.clear();
    return result;
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

  // --- it is taken back
  AuditEvent failed_event() const {
    AuditEvent event;
    event.type = AuditEventType::kUpdateFailed;
    event.version = begun_.version;
    event.previous_version = begun_.from_version;
    event.status = AuditStatus::kFailed;
    event.backup_created = begun_.backup;
    return event;
  }

  Result<OperationResult> take_back(Error cause) {
    AuditEvent failed = failed_event();
    failed.error = cause.to_string();
    failed.error_class = error_class_name(cause, Phase::kVerify);
    for (const Verified& one : result_.verified)
      if (!one.failures.empty()) failed.failed_verifications.push_back(one.name);
    failed.recovery_action = "INITIATING_AUTO_ROLLBACK";
    (void)session_.record(failed);  // the rollback matters more; its own event is told of

    auto back = OldTree(session_, begun_, backup_).bring_back();
    if (!back) {
      Error error = std::move(back).error();
      error.context.push_back("after the update failed: " + cause.to_string());
      // Nothing is mixed, and the code says what to put right before it is run again.
      if (error.code == ErrorCode::kPermission || error.code == ErrorCode::kInterrupted)
        return error;
      return not_taken_back(OperationResult(), std::move(cause), std::move(error));
    }
    if (back->outcome == Outcome::kRollbackFailed) {
      for (FileReport& file : back->files) file.command.clear();  // it stands there still
      back->rollback_error->context.push_back("after " + back->failure->to_string());
      return as_update(std::move(*back), std::move(cause));
    }
    if (back->failure) {
      Error why = std::move(*back->failure);
      return not_taken_back(std::move(*back), std::move(cause), std::move(why));
    }
    RETURN_IF_ERROR(close());
    back->outcome = Outcome::kRolledBack;
    return as_update(std::move(*back), std::move(cause));
  }

  // The rollback was taken back itself, or never began.
  OperationResult not_taken_back(OperationResult back, Error cause, Error why) {
    const std::string again =
        "stravinsky update finish " + shell_quote(begun_.version) + " --failed";
    Status planned = plan_.changes.empty() ? make_plan() : Status();
    const auto saved =
        !planned ? Result<std::string>(std::move(planned).error())
                 : save_manual_recovery(
                       session_,
                       {.plan = plan_, .cause = cause, .rollback_error = why, .try_again = again});
    if (saved) {
      back.recovery_instructions = *saved;
    } else {
      back.warnings.push_back("what to do by hand could not be written down: " +
                              saved.error().to_string());
    }
    why.code = ErrorCode::kRecoveryRequired;
    why.untouched =
        "What the installer left stands, or a part of it; the state before is whole in the "
        "backup " +
        begun_.backup + ".";
    why.remedy = "Try again: " + again + "; or: stravinsky rollback to " + begun_.backup;
    back.outcome = Outcome::kRollbackFailed;
    back.rollback_error = std::move(why);
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

  // --- endings
  // What was written for a human is over as well; if it stays, it does no harm.
  Status close() {
    (void)remove_manual_recovery(session_.fs(), session_.store().fd(), begun_.token);
    return store::remove_begun(session_.fs(), session_.store().fd());
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
  KnownTree before_;
  KnownTree now_;
  Edits edits_;  // from before to now
  model::ChangePlan plan_;
  OperationResult result_;
  int64_t start_ns_ = 0;
};

}  // namespace

Result<OperationResult> finish_begun(Session& session, const FinishRequest& request,
                                     BegunUpdate begun) {
  return Finisher(session, request, std::move(begun)).run();
}

}  // namespace stravinsky::engine
