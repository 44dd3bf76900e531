#include "engine/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/background.h"
#include "base/check.h"
#include "base/strings.h"
#include "base/units.h"
#include "engine/conflict_copies.h"
#include "engine/error_matrix.h"
#include "engine/guarded_install.h"
#include "engine/health_checks.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/inverse.h"
#include "engine/manual_recovery.h"
#include "engine/named_hooks.h"
#include "engine/obstacles.h"
#include "engine/outcome_event.h"
#include "engine/present_tree.h"
#include "engine/resume.h"
#include "engine/retention.h"
#include "engine/roll_back_again.h"
#include "engine/room_and_rights.h"
#include "engine/surroundings.h"
#include "engine/take_backup.h"
#include "engine/tree_checks.h"
#include "engine/tree_views.h"
#include "engine/unreadable.h"
#include "engine/version_check.h"
#include "model/store_layout.h"
#include "txn/preflight.h"
#include "txn/transaction.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;
using model::AuditEvent;
using model::AuditEventType;
using model::AuditStatus;
using model::ChangePlan;
using model::Scope;
using model::TransactionKind;

constexpr size_t kTransactionIdBytes = 8;

// Runs one operation; its members are what the steps hand on to each other.
class Operation {
 public:
  Operation(Session& session, const OperationRequest& request)
      : session_(session), request_(request) {
    result_.kind = request.kind;
  }

  Result<OperationResult> run() {
    start_ns_ = clock().monotonic_ns();
    subject_ = {
        .tree = session_.roots().user.path, .to_version = request_.asked_for, .touches = {}};
    RETURN_IF_ERROR(session_.begin_writing());
    if (session_.is_dry_run()) RETURN_IF_ERROR(refuse_unrecovered());
    if (request_.kind == TransactionKind::kUpdate) {
      if (session_.config_fault()) return *session_.config_fault();
      RETURN_IF_ERROR(refuse_while_begun(session_));
      RETURN_IF_ERROR(refuse_while_inconsistent(session_));
    }
    ASSIGN_OR_RETURN(latest_, session_.latest());
    if (Status opened = open(); !opened) return refused(std::move(opened).error());
    if (Status prepared = step("PREPARE", [this] { return prepare(); }); !prepared)
      return refused(std::move(prepared).error());
    if (plan_.changes.empty()) return finish_without_changes();
    if (session_.is_dry_run()) {
      if (Status valid = step("VALIDATE", [this] { return validate(); }); !valid)
        return refused(std::move(valid).error());
      return finish_as(Outcome::kPlanned);
    }
    return validate_and_change();
  }

 private:
  Clock& clock() const { return session_.environment().clock; }
  fs::FileSystem& fs() const { return session_.fs(); }

  static std::string display_version(const std::string& text) {
    const auto version = model::Version::parse(text);
    return version ? version->display() : text;
  }

  template <typename Work>
  Status step(const char* name, const Work& work) {
    const int64_t start_ns = clock().monotonic_ns();
    detail_.clear();
    Status done = work();
    Step report{.name = name,
                .status = done ? "ok" : "failed",
                .duration_ns = clock().monotonic_ns() - start_ns,
                .detail = done ? detail_ : done.error().to_string()};
    session_.report(report);
    result_.steps.push_back(std::move(report));
    return done;
  }

  // What is shown would be judged by a tree that the real run heals first.
  Status refuse_unrecovered() const {
    if (!session_.has_store()) return {};
    ASSIGN_OR_RETURN(const bool needed, txn::needs_recovery(fs(), session_.store().fd()));
    if (!needed) return {};
    return make_error(ErrorCode::kRecoveryRequired,
                      "an interrupted operation has to be recovered first, which a dry run cannot")
        .with_untouched("Nothing was changed.")
        .with_remedy("Recover with any other command, such as stravinsky status; then try again.");
  }

  Status open() {
    session_.manage_what_is_installed(latest_);
    ASSIGN_OR_RETURN_WHILE(snapshot_, session_.list_tree(), "while listing the tree");
    const size_t listed = session_.managed_too();
    ASSIGN_OR_RETURN(subject_, request_.open(*snapshot_));
    session_.manage_too(subject_.touches);
    if (session_.managed_too() != listed) {
      ASSIGN_OR_RETURN_WHILE(snapshot_, session_.list_tree(), "while listing the tree");
    }
    result_.from_version = display_version(latest_.at(subject_.tree).version);
    return {};
  }

  // --- PREPARE
  Status prepare() {
    Status able = check_room_and_rights(session_, *snapshot_, subject_.touches, room());
    if (!able && able.error().code == ErrorCode::kNoSpace &&
        request_.on_backup_failure == OnBackupFailure::kGoOn && backup_wanted()) {
      result_.warnings.push_back("no backup could be taken: " + able.error().to_string());
      has_no_room_for_backup_ = true;
      able = check_room_and_rights(session_, *snapshot_, subject_.touches, room());
    }
    if (!able) RETURN_IF_ERROR(confirm_inability(std::move(able).error()));
    if (is_checked_update() && request_.on_blocking == OnBlocking::kRefuse)
      result_.findings = look_around(session_, *snapshot_, Surroundings::kRoundAnUpdate);
    if (session_.is_dry_run()) {
      ASSIGN_OR_RETURN(known_, hash_tree(fs(), *snapshot_));
    } else {
      RETURN_IF_ERROR(back_up());
    }
    std::ranges::copy(omission_warnings(*snapshot_), std::back_inserter(result_.warnings));
    const Present present{*snapshot_, known_, latest_, latest_.at(subject_.tree),
                          result_.backup_created};
    ASSIGN_OR_RETURN(proposal_, request_.propose(present));
    if (is_way_back()) {
      ASSIGN_OR_RETURN(const bool has_moved, move_obstacles_aside(session_, *snapshot_, proposal_));
      if (has_moved) {
        ASSIGN_OR_RETURN_WHILE(snapshot_, session_.list_tree(), "while listing the tree again");
      }
    }
    RETURN_IF_ERROR(leave_unreadable(*snapshot_, request_.kind, proposal_));
    if (is_way_back())
      RETURN_IF_ERROR(keep_named_hooks(session_, present, request_.on_backup_failure, proposal_));
    result_.to_version = display_version(proposal_.to_version);
    result_.files = proposal_.files;
    result_.warnings.insert(result_.warnings.end(), proposal_.warnings.begin(),
                            proposal_.warnings.end());
    return make_plan();
  }

  bool is_checked_update() const {
    return request_.kind == TransactionKind::kUpdate &&
           session_.config().boolean("update.pre_update_checks_enabled");
  }

  bool is_way_back() const {
    return request_.checks == CheckPolicy::kHashesOnly && request_.kind != TransactionKind::kDisarm;
  }

  // A directory that may not be changed only matters when something in it would change;
  // to know that, the change is planned without a backup.
  Status confirm_inability(Error inability) {
    const store::Root* root = session_.roots().of(Scope::kUser);
    if (inability.code != ErrorCode::kPermission || root == nullptr || !root->exists ||
        !session_.has_store())
      return inability;
    ASSIGN_OR_RETURN(known_, hash_tree(fs(), *snapshot_));
    const Present present{*snapshot_, known_, latest_, latest_.at(subject_.tree), ""};
    ASSIGN_OR_RETURN(Proposal proposal, request_.propose(present));
    RETURN_IF_ERROR(leave_unreadable(*snapshot_, request_.kind, proposal));
    ChangePlan plan;
    plan.facts.id = session_.environment().random.hex(kTransactionIdBytes);
    RETURN_IF_ERROR(plan_edits(
        {.fs = fs(), .roots = session_.roots(), .known = seen(proposal), .edits = proposal.edits},
        plan));
    ASSIGN_OR_RETURN(const txn::Targets targets,
                     txn::Targets::open(fs(), plan, txn::ReplacedRoot::kRefuse));
    ASSIGN_OR_RETURN(const auto able, txn::run_preflight(context(), plan, targets));
    return {};
  }

  bool backup_wanted() const {
    if (has_no_room_for_backup_) return false;
    return request_.kind == TransactionKind::kUpdate
               ? session_.config().boolean("update.auto_backup_before_update")
               : session_.request().way_back == WayBack::kWithBackup;
  }

  Room room() const {
    if (request_.kind == TransactionKind::kUpdate) return Room::kUpdate;
    return backup_wanted() ? Room::kWayBack : Room::kNoBackup;
  }

  // A threshold is for what may wait; a way back needs what it needs.
  txn::TransactionContext context() const {
    txn::TransactionContext context = session_.transaction_context();
    if (request_.kind != TransactionKind::kUpdate) context.reserve_bytes = 0;
    return context;
  }

  Status back_up() {
    if (backup_wanted()) {
      auto taken = take_backup(session_, latest_, std::move(*snapshot_),
                               {.kind = request_.backup_kind, .tree = subject_.tree});
      if (taken) {
        known_ = known_tree(taken->created.manifest);
        pre_checks_.disk_space_mb = static_cast<int64_t>(
            taken->created.manifest.facts.disk_space_available_bytes / kBytesPerMegabyte);
        pre_checks_.file_count = static_cast<int64_t>(file_count(known_));
        pre_checks_.backup_size_mb =
            static_cast<int64_t>(taken->created.size_bytes / kBytesPerMegabyte);
        result_.backup_created = taken->created.manifest.id;
        detail_ =
            fmt::format("backup {}, {}, {}", result_.backup_created,
                        counted(file_count(known_), "file"), human_size(taken->created.size_bytes));
        for (const std::string& damaged : taken->created.damaged)
          result_.warnings.push_back(damaged + " is damaged; nothing new relies on it");
        std::ranges::copy(taken->created.warnings, std::back_inserter(result_.warnings));
        snapshot_.emplace(std::move(taken->snapshot));
        latest_.newest_backup = result_.backup_created;
        return request_.kind == TransactionKind::kUpdate ? refuse_beyond_limits(session_, latest_)
                                                         : Status();
      }
      if (request_.on_backup_failure == OnBackupFailure::kRefuse &&
          session_.config().boolean("safety.fail_safe_on_backup_error"))
        return std::move(taken).error();
      result_.warnings.push_back("no backup could be taken: " + taken.error().to_string());
      ASSIGN_OR_RETURN(snapshot_, session_.list_tree());
    }
    ASSIGN_OR_RETURN(known_, hash_tree(fs(), *snapshot_));
    detail_ = "no backup";
    return {};
  }

  // Only now that what the new one was made for is over.
  void make_room_for_later() {
    if (request_.kind != TransactionKind::kUpdate || result_.backup_created.empty()) return;
    auto deleted = keep_within_limits(session_, latest_);
    if (deleted) {
      result_.deleted_backups = std::move(*deleted);
    } else {
      result_.warnings.push_back("old backups could not be deleted: " +
                                 deleted.error().to_string());
    }
  }

  // The tree is just what the backup before this one has.
  bool is_saved_already() const {
    const auto list = session_.backups().list();
    if (!list) return false;
    for (auto at = list->backups.rbegin(); at != list->backups.rend(); ++at) {
      if (at->id == result_.backup_created || at->version_of != subject_.tree) continue;
      const auto manifest = session_.backups().load_manifest(at->id);
      return manifest && is_same_tree(known_tree(*manifest), known_);
    }
    return false;
  }

  // Of what was refused before its first change nothing is left that is there twice: every
  // try would else take the place of an older backup.
  void drop_backup() {
    if (result_.backup_created.empty() || !is_saved_already()) return;
    if (Status removed = session_.backups().remove(result_.backup_created); !removed) {
      result_.warnings.push_back(
          "the backup " + result_.backup_created +
          " is not needed and could not be deleted: " + removed.error().to_string());
      return;
    }
    AuditEvent event;
    event.type = AuditEventType::kBackupDeleted;
    event.status = AuditStatus::kSuccess;
    event.backup_created = std::exchange(result_.backup_created, {});
    event.notes = "what it was made for changed nothing";
    record(event);
  }

  const KnownTree& seen(const Proposal& proposal) const {
    return proposal.known ? *proposal.known : known_;
  }

  Status make_plan() {
    model::TransactionFacts& facts = plan_.facts;
    facts.id = session_.environment().random.hex(kTransactionIdBytes);
    facts.sequence = latest_.transaction_sequence + 1;
    facts.kind = request_.kind;
    facts.started_ns = clock().now_ns();
    facts.tree = subject_.tree;
    facts.from_version = latest_.at(subject_.tree).version;
    facts.to_version = proposal_.to_version;
    facts.from_bundle = latest_.at(subject_.tree).bundle;
    facts.to_bundle = proposal_.to_bundle;
    facts.backup_id = result_.backup_created;
    facts.inverts = proposal_.inverts;
    facts.user_root = session_.roots().user.path;
    if (session_.roots().project) facts.project_root = session_.roots().project->path;
    result_.transaction_id = facts.id;
    RETURN_IF_ERROR(ensure_user_root());
    return plan_edits(
        {.fs = fs(), .roots = session_.roots(), .known = seen(proposal_), .edits = proposal_.edits},
        plan_);
  }

  // An empty root is no different from an absent one to any reader; so that a first
  // installation needs no case of its own in the plan, it is made beforehand.
  Status ensure_user_root() {
    if (session_.is_dry_run() || proposal_.edits.empty()) return {};
    for (const auto& [path, edit] : proposal_.edits) {
      const store::Root* root = session_.roots().of(path.scope);
      if (root == nullptr)
        return make_error(ErrorCode::kNotFound, "there is no project here", path.display());
      if (root->exists) continue;
      constexpr uint32_t kRootMode = 0755;
      ASSIGN_OR_RETURN(const fs::File made, fs::ensure_root(fs(), root->path, kRootMode));
    }
    return {};
  }

  // --- VALIDATE and VERIFY
  Status validate() {
    if (request_.checks == CheckPolicy::kHashesOnly) {
      detail_ = "the way back is never blocked by a check";
      return {};
    }
    const bool is_report = request_.on_blocking == OnBlocking::kReport;
    if (!is_report && !session_.config().boolean("update.pre_update_checks_enabled")) {
      detail_ = "switched off";
      return {};
    }
    const LiveView live(fs(), session_.roots(), session_.hook_roots(), &known_);
    const EditedView next(live, proposal_.edits);
    check_tree(next, &live, session_.judge(), result_.findings);
    // Those that are told: what is only good to know is in `check`.
    const auto told = std::ranges::count_if(result_.findings, is_told);
    detail_ =
        counted(file_count(plan_), "file") + ", " + counted(static_cast<uint64_t>(told), "finding");
    return is_report ? Status() : blocking_finding(result_.findings);
  }

  Status verify(txn::Transaction& transaction) {
    RETURN_IF_ERROR(transaction.verify());
    detail_ = counted(file_count(plan_), "file") + " as planned";
    if (request_.checks == CheckPolicy::kHashesOnly ||
        !session_.config().boolean("update.post_update_verification_enabled"))
      return {};
    const LiveView live(fs(), session_.roots(), session_.hook_roots(), nullptr);
    const Edits inverse = inverse_edits(
        plan_, [&](size_t change, const std::string& inner_path, const codec::Sink& sink) {
          return transaction.read_before(change, inner_path, sink);
        });
    const EditedView before(live, inverse);
    check_tree(live, &before, session_.judge(), result_.findings);
    ASSIGN_OR_RETURN(const auto health, run_health_checks(session_));
    result_.findings.insert(result_.findings.end(), health.begin(), health.end());
    ASSIGN_OR_RETURN(const auto versions, check_versions(session_, latest_, plan_.facts));
    result_.findings.insert(result_.findings.end(), versions.begin(), versions.end());
    result_.verified = verified_by(result_.findings);
    return blocking_finding(result_.findings);
  }

  // The new files are staged while their languages' parsers look at them: neither
  // changes a target, and starting a parser takes as long as staging.
  Result<OperationResult> validate_and_change() {
    Step report{.name = "VALIDATE", .status = "ok", .duration_ns = 0, .detail = {}};
    const auto timed_validate = [&]() -> Status {
      const int64_t start_ns = clock().monotonic_ns();
      detail_.clear();
      Status valid = validate();
      report.duration_ns = clock().monotonic_ns() - start_ns;
      report.detail = valid ? detail_ : valid.error().to_string();
      if (!valid) report.status = "failed";
      return valid;
    };
    std::future<Status> validation =
        start_work(runs_in(session_.environment().overlap), timed_validate);
    const txn::Content content = content_of_edits(plan_, proposal_.edits);
    auto transaction = txn::Transaction::prepare(context(), plan_, content);
    Status valid = validation.get();
    session_.report(report);
    result_.steps.push_back(std::move(report));
    if (!valid) {
      if (transaction) leave(*transaction);
      return refused(std::move(valid).error());
    }
    if (!transaction) return refused(std::move(transaction).error());
    if (request_.kind == TransactionKind::kUpdate) record(start_event());
    return change(*transaction);
  }

  // Removes what the transaction left behind; what cannot be removed now is found by
  // the next command.
  void leave(txn::Transaction& transaction) {
    auto kept = transaction.finish();
    if (kept) {
      result_.kept.insert(result_.kept.end(), kept->begin(), kept->end());
    } else {
      result_.warnings.push_back("some temporary files remain; the next command removes them: " +
                                 kept.error().to_string());
    }
  }

  // --- SWAP and what follows
  Result<OperationResult> change(txn::Transaction& transaction) {
    transaction.note_phase("SWAP");
    result_.warnings.insert(result_.warnings.end(), transaction.warnings().begin(),
                            transaction.warnings().end());
    Status done = step("SWAP", [&]() -> Status {
      RETURN_IF_ERROR(set_aside());
      RETURN_IF_ERROR(transaction.apply());
      result_.swap_ns = transaction.apply_duration_ns();
      detail_ =
          fmt::format("{} by {} in {}", counted(file_count(plan_), "file"),
                      counted(plan_.changes.size(), "rename"), human_duration(result_.swap_ns));
      return {};
    });
    Phase phase = Phase::kSwap;
    if (done) {
      phase = Phase::kVerify;
      transaction.note_phase("VERIFY");
      done = step("VERIFY", [&] { return verify(transaction); });
    }
    if (!done) {
      // engine/error_matrix.h decides.
      if (respond(done.error(), phase, automatic_rollback()) != Response::kStay)
        return take_back(transaction, std::move(done).error(), phase);
      result_.error_class = error_class_name(done.error(), phase);
      result_.failure = std::move(done).error();
      result_.outcome = Outcome::kVerifyFailed;
    }
    if (Status committed = transaction.commit(); !committed) {
      if (committed.error().code == ErrorCode::kRecoveryRequired)
        return undecided(std::move(committed).error());
      return take_back(transaction, std::move(committed).error(), Phase::kSwap);
    }
    close_committed(transaction);
    return finish_as(result_.outcome);
  }

  // A crash from here on loses nothing: recovery finds COMMIT and does the rest.
  void close_committed(txn::Transaction& transaction) {
    record_commit(latest_, plan_.facts);
    Status closed = store::write_latest(fs(), session_.store().fd(), latest_);
    if (closed) {
      closed = request_.kind == TransactionKind::kUpdate
                   ? remove_hold(fs(), session_.store().fd())
                   : write_hold(fs(), session_.store().fd(), plan_, clock().now_ns());
    }
    if (closed) {
      AuditEvent event = event_of_commit(plan_.facts);
      if (result_.outcome == Outcome::kVerifyFailed) {
        event.type = AuditEventType::kVerificationFailure;
        event.status = AuditStatus::kFailed;
        event.error = result_.failure->to_string();
        event.error_class = result_.error_class;
        event.severity = "warning";
      }
      fill(event);
      closed = session_.record(event);
      // Else its absence from the trail would look like somebody's work.
      if (!session_.config().boolean("audit.enable_audit_logging"))
        transaction.note_phase(kNotOnRecord);
    }
    // The journal stays open, and the next command does the rest from it.
    if (!closed) {
      result_.warnings.push_back("done, but not yet on record (the next command records it): " +
                                 closed.error().to_string());
      return;
    }
    make_room_for_later();
    session_.save_derived();
    leave(transaction);
  }

  bool is_automatic_rollback() const { return request_.kind == TransactionKind::kAutoRollback; }

  AutomaticRollback automatic_rollback() const {
    return session_.config().boolean("update.auto_rollback_on_failure") ? AutomaticRollback::kOn
                                                                        : AutomaticRollback::kOff;
  }

  Result<OperationResult> take_back(txn::Transaction& transaction, Error cause, Phase phase) {
    transaction.note_phase("AUTOROLLBACK");
    if (cause.remedy.empty()) cause.remedy = row_of(classify(cause, phase)).next_step;
    result_.error_class = error_class_name(cause, phase);
    AuditEvent failed;
    failed.type = request_.kind == TransactionKind::kUpdate ? AuditEventType::kUpdateFailed
                                                            : AuditEventType::kRecoveryFailed;
    failed.status = AuditStatus::kFailed;
    failed.error = cause.to_string();
    failed.error_class = result_.error_class;
    failed.recovery_action = "INITIATING_AUTO_ROLLBACK";
    fill(failed);
    record(failed);

    bool is_archived = false;
    const auto roll_back = [&]() -> Status {
      auto kept = transaction.roll_back();
      if (!kept) {
        kept = roll_back_again(session_, plan_.facts.id, std::move(kept).error(), [&]() -> Status {
          record(taken_back_event(cause));
          return {};
        });
        is_archived = kept.has_value();
      }
      if (!kept) return std::move(kept).error();
      result_.kept.insert(result_.kept.end(), kept->begin(), kept->end());
      detail_ = "back to " + result_.from_version;
      return {};
    };
    // To take an automatic rollback back is to fail at it.
    Status back = is_automatic_rollback() ? roll_back() : step("AUTOROLLBACK", roll_back);
    if (!back) return not_taken_back(std::move(cause), std::move(back).error());
    if (!is_archived) {
      record(taken_back_event(cause));
      leave(transaction);
    }
    if (classify(cause, phase) == ErrorClass::kVersionMismatch)
      if (Status written = store::write_latest(fs(), session_.store().fd(), latest_); !written)
        result_.warnings.push_back("what is installed could not be written down again: " +
                                   written.error().to_string());
    result_.failure = std::move(cause);
    return finish_as(Outcome::kRolledBack);
  }

  // What leads from the failed version back to the one before it.
  AuditEvent backwards_event(AuditEventType type) const {
    AuditEvent event;
    event.type = type;
    fill(event);
    event.version = plan_.facts.from_version;
    event.previous_version = plan_.facts.to_version;
    event.error_class = result_.error_class;
    return event;
  }

  AuditEvent taken_back_event(const Error& cause) const {
    const bool is_back = !is_automatic_rollback();
    AuditEvent event = backwards_event(is_back ? AuditEventType::kAutoRollbackSuccess
                                               : AuditEventType::kAutoRollbackFailed);
    event.status = is_back ? AuditStatus::kRolledBack : AuditStatus::kFailed;
    event.error = cause.to_string();
    event.severity = is_back ? "warning" : "critical";
    return event;
  }

  // Both errors matter: why it had to be taken back, and why it could not.
  Result<OperationResult> not_taken_back(Error cause, Error why) {
    const auto saved =
        save_manual_recovery(session_, {.plan = plan_, .cause = cause, .rollback_error = why});
    if (saved) {
      result_.recovery_instructions = *saved;
    } else {
      result_.warnings.push_back("what to do by hand could not be written down: " +
                                 saved.error().to_string());
    }
    AuditEvent event = backwards_event(AuditEventType::kAutoRollbackFailed);
    event.status = AuditStatus::kFailed;
    event.severity = "critical";
    event.error = why.to_string() + " (after the update failed: " + cause.to_string() + ")";
    event.recovery_action = "MANUAL_RECOVERY_REQUIRED";
    record(event);
    result_.failure = std::move(cause);
    result_.rollback_error = undecided(std::move(why));
    return finish_as(Outcome::kRollbackFailed);
  }

  static Error undecided(Error error) {
    error.code = ErrorCode::kRecoveryRequired;
    error.untouched = "The state is INCONSISTENT; the journal and the backup hold everything.";
    error.remedy = "Run: stravinsky recovery resume";
    return error;
  }

  Status set_aside() {
    return keep_conflict_copies(session_, *snapshot_, proposal_.set_aside, plan_.facts,
                                result_.kept);
  }

  // --- endings
  Error refused(Error error) {
    drop_backup();
    CHECK(respond(error, Phase::kBefore, automatic_rollback()) == Response::kAbort);
    if (!session_.is_dry_run()) {
      AuditEvent event;
      const bool is_update = request_.kind == TransactionKind::kUpdate;
      const bool is_recovery = request_.kind == TransactionKind::kRecovery;
      event.type =
          is_update && error.code == ErrorCode::kChecksRefused ? AuditEventType::kUpdateBlocked
          : is_update                                          ? AuditEventType::kUpdateFailed
          : is_recovery                                        ? AuditEventType::kRecoveryFailed
          : request_.kind == TransactionKind::kAutoRollback    ? AuditEventType::kAutoRollbackFailed
                                                            : committed_event_type(request_.kind);
      event.status = AuditStatus::kFailed;
      event.error = error.to_string();
      event.error_class = error_class_name(error, Phase::kBefore);
      fill(event);
      record(event);
    }
    if (error.untouched.empty()) error.untouched = "Nothing was changed.";
    return error;
  }

  Result<OperationResult> finish_without_changes() {
    // What is not in force is kept even if nothing else is to be done.
    if (!session_.is_dry_run()) RETURN_IF_ERROR(set_aside());
    if (proposal_.set_aside.empty()) drop_backup();
    const store::TreeState asked_for{.version = proposal_.to_version,
                                     .bundle = proposal_.to_bundle};
    if (!session_.is_dry_run() && !proposal_.inverts.empty()) {
      // The user took it back by hand: there is nothing to invert any more.
      std::erase(latest_.undo, proposal_.inverts);
      std::erase(latest_.redo, proposal_.inverts);
      latest_.trees[subject_.tree] = asked_for;
      RETURN_IF_ERROR(store::write_latest(fs(), session_.store().fd(), latest_));
      AuditEvent event = event_of_commit(plan_.facts);
      event.tx.clear();
      event.notes = "nothing was left to take back";
      fill(event);
      record(event);
    }
    if (!session_.is_dry_run() && request_.kind == TransactionKind::kUpdate &&
        latest_.at(subject_.tree) != asked_for) {
      latest_.trees[subject_.tree] = asked_for;
      RETURN_IF_ERROR(store::write_latest(fs(), session_.store().fd(), latest_));
      AuditEvent event = event_of_commit(plan_.facts);
      event.tx.clear();
      event.notes = "the tree held these files already";
      fill(event);
      record(event);
    }
    result_.transaction_id.clear();
    return finish_as(Outcome::kNothingToDo);
  }

  Result<OperationResult> finish_as(Outcome outcome) {
    result_.outcome = outcome;
    result_.store = session_.store_path();
    result_.duration_ns = clock().monotonic_ns() - start_ns_;
    const bool is_told = is_checked_update() && request_.on_blocking == OnBlocking::kRefuse &&
                         outcome != Outcome::kNothingToDo;
    if (is_told) std::ranges::move(live_sessions(session_), std::back_inserter(result_.findings));
    return std::move(result_);
  }

  AuditEvent start_event() const {
    AuditEvent event;
    event.type = AuditEventType::kUpdateStart;
    event.version = plan_.facts.to_version;
    event.previous_version = plan_.facts.from_version;
    event.tx = plan_.facts.id;
    event.backup_created = plan_.facts.backup_id;
    return event;
  }

  void fill(AuditEvent& event) const {
    if (event.version.empty())
      event.version = plan_.facts.to_version.empty() ? subject_.to_version : plan_.facts.to_version;
    if (event.previous_version.empty()) event.previous_version = latest_.at(subject_.tree).version;
    if (event.tx.empty() && !plan_.changes.empty()) event.tx = plan_.facts.id;
    event.backup_created = result_.backup_created;
    event.duration_ns = clock().monotonic_ns() - start_ns_;
    event.pre_checks = pre_checks_;
    add_steps(event, result_);
    for (const Verified& one : result_.verified)
      if (!one.failures.empty()) event.failed_verifications.push_back(one.name);
  }

  // For events whose loss the operation survives; the user is told.
  void record(const AuditEvent& event) {
    if (Status recorded = session_.record(event); !recorded)
      result_.warnings.push_back("the audit trail could not be written: " +
                                 recorded.error().to_string());
  }

  Session& session_;
  const OperationRequest& request_;
  OperationResult result_;
  Subject subject_;
  store::Latest latest_;
  bool has_no_room_for_backup_ = false;
  std::optional<store::Snapshot> snapshot_;
  KnownTree known_;
  Proposal proposal_;
  ChangePlan plan_;
  model::AuditPreChecks pre_checks_;
  std::string detail_;
  int64_t start_ns_ = 0;
};

}  // namespace

Result<OperationResult> run_operation(Session& session, const OperationRequest& request) {
  if (session.has_store()) session.backups().recall();
  Operation operation(session, request);
  return operation.run();
}

}  // namespace stravinsky::engine
