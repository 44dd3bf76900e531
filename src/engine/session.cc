#include "engine/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "base/units.h"
#include "engine/history.h"
#include "engine/hold.h"
#include "engine/manual_recovery.h"
#include "engine/measured.h"
#include "engine/outcome_event.h"
#include "engine/present_tree.h"
#include "model/store_layout.h"
#include "txn/archive.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;

constexpr uint64_t kConfigMaxBytes = 1U << 20U;

bool knows_earlier_events(Session& session) {
  const auto done = txn::list_transactions(session.fs(), session.store().fd(), txn::Shelf::kDone);
  if (done && !done->empty()) return true;
  const auto list = session.backups().list();
  return list && std::ranges::any_of(list->backups, [&](const store::BackupInfo& info) {
           const auto manifest = session.backups().load_manifest(info.id);
           return manifest && !manifest->audit_head.empty();
         });
}

// A trail that begins although something is remembered of an earlier one says so in its
// first event: it was switched off until now, or somebody took it away.
void announce_new_trail(Session& session) {
  const auto head = session.audit().head();
  if (!head || (*head && (*head)->seq > 0) || !knows_earlier_events(session)) return;
  model::AuditEvent event;
  event.type = model::AuditEventType::kAuditEnabled;
  event.notes = "a new trail begins, although the store holds earlier operations";
  if (session.audit().append(event) && session.request().on_warning)
    session.request().on_warning(
        "the audit trail is gone and begins anew: what was done before is not in it\n"
        "  If you did not switch it off until now, somebody removed it: stravinsky audit verify");
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const Environment& environment,
                                               SessionRequest request, store::IfAbsent if_absent) {
  std::unique_ptr<Session> session(new Session(environment, std::move(request)));
  ASSIGN_OR_RETURN(
      session->roots_,
      store::find_roots(environment.fs,
                        {.home = environment.home,
                         .working_directory = environment.working_directory,
                         .claude_config_dir = environment.variable("CLAUDE_CONFIG_DIR"),
                         .project = session->request_.project}));
  // Before a store is made: one made by root for another user would lock them out.
  if (if_absent == store::IfAbsent::kCreate) RETURN_IF_ERROR(session->refuse_foreign_tree());
  RETURN_IF_ERROR(session->find_store(if_absent));
  RETURN_IF_ERROR(session->load_config());
  return session;
}

Status Session::find_store(store::IfAbsent if_absent) {
  const auto from_environment = environment_.variable("STRAVINSKY_ROLLBACK_HOME");
  if (request_.store_root) {
    store_path_ = *request_.store_root;
  } else if (from_environment && !from_environment->empty()) {
    store_path_ = *from_environment;
  } else {
    store_path_ = environment_.home + "/.stravinsky/rollback";
  }
  RETURN_IF_ERROR(store::refuse_overlap(fs(), roots_, store_path_));
  auto opened = store::StoreDir::open(fs(), store_path_, environment_.user_id,
                                      is_dry_run() ? store::IfAbsent::kFail : if_absent);
  if (!opened) {
    if (is_not_found(opened.error())) return {};
    return std::move(opened).error();
  }
  store_.emplace(std::move(*opened));
  store_path_ = store_->path();
  backups_.emplace(*store_, environment_.clock);
  bundles_.emplace(*store_);
  audit_.emplace(fs(), store_->fd(), environment_.clock, environment_.random,
                 store::AuditIdentity{environment_.user_name, environment_.hostname});
  recorder_.emplace(*audit_, fs(), store_->fd(), request_.on_warning);
  accepted_.emplace(fs(), store_->fd(), [this] { return python_version(); });
  judge_.remember_in(*accepted_);
  return {};
}

Status Session::load_config() {
  std::string text;
  if (has_store()) {
    auto read = fs::read_file(fs(), store_->fd(), layout::config(), kConfigMaxBytes);
    if (!read && !is_not_found(read.error())) return std::move(read).error();
    if (read) text = std::move(*read);
  }
  auto loaded = model::Config::load(text, environment_.variable);
  if (loaded) {
    config_ = std::move(*loaded);
    return {};
  }
  // A variable that is wrong is an error of this very command.
  auto defaults = model::Config::load("", environment_.variable);
  if (!defaults) return std::move(loaded).error();
  config_ = std::move(*defaults);
  config_fault_ = std::move(loaded).error();
  config_fault_->path = store_path_ + "/" + config_fault_->path;
  return {};
}

model::HookRoots Session::hook_roots() const {
  const auto configured = environment_.variable("CLAUDE_CONFIG_DIR");
  model::HookRoots roots{.home = environment_.home,
                         .user_root = configured && !configured->empty()
                                          ? *configured
                                          : environment_.home + "/.claude",
                         .project_root = roots_.project_directory,
                         .user_root_aliases = {roots_.user.path}};
  if (request_.project) roots.project_root_aliases = {*request_.project};
  return roots;
}

bool Session::manage_too(const std::vector<model::LogicalPath>& paths) {
  bool is_more = false;
  for (const model::LogicalPath& path : paths) {
    const model::Component* component = model::component_of(path.path);
    if (component == nullptr || component->kind != model::ComponentKind::kReferenced) continue;
    if (roots_.of(path.scope) != nullptr) is_more = managed_too_.insert(path).second || is_more;
  }
  return is_more;
}

void Session::manage_what_is_installed(const store::Latest& latest) {
  if (!has_store()) return;
  for (const model::Scope scope : {model::Scope::kUser, model::Scope::kProject}) {
    const store::Root* root = roots_.of(scope);
    if (root == nullptr || latest.at(root->path).bundle.empty()) continue;
    const auto bundle = bundles_->load(latest.at(root->path).bundle);
    if (!bundle) continue;  // whoever needs it says so
    std::vector<model::LogicalPath> paths;
    for (const store::BundleFile& file : bundle->files) paths.push_back({scope, file.path});
    manage_too(paths);
  }
}

Result<store::Snapshot> Session::list_tree() const {
  return engine::list_tree(fs(), roots_, hook_roots(), request_.outside_links,
                           {managed_too_.begin(), managed_too_.end()});
}

const store::StoreDir& Session::store() const {
  CHECK(store_.has_value());
  return *store_;
}
store::BackupStore& Session::backups() {
  CHECK(backups_.has_value());
  return *backups_;
}
const store::BackupStore& Session::backups() const {
  CHECK(backups_.has_value());
  return *backups_;
}
store::BundleStore& Session::bundles() {
  CHECK(bundles_.has_value());
  return *bundles_;
}
store::AuditLog& Session::audit() {
  CHECK(audit_.has_value());
  return *audit_;
}

Result<store::Latest> Session::latest() const {
  if (!has_store()) return store::Latest();
  return load_latest(fs(), store_->fd());
}

Result<std::optional<store::BegunUpdate>> Session::begun_update() const {
  if (!has_store()) return std::optional<store::BegunUpdate>();
  return store::read_begun(fs(), store_->fd());
}

txn::TransactionContext Session::transaction_context() const {
  return {
      .fs = fs(),
      .store = store().fd(),
      .clock = environment_.clock,
      .writer_wait_ms = config_.integer("safety.lock_timeout_seconds") * kMillisPerSecond,
      .reserve_bytes = static_cast<uint64_t>(config_.integer("safety.disk_space_threshold_mb")) *
                       kBytesPerMegabyte,
      .interrupted = environment_.interrupted};
}

void Session::save_derived() {
  // A later run finds out again what was not kept: nothing to tell anybody.
  if (is_dry_run()) return;
  if (accepted_) (void)accepted_->save();
  if (backups_) (void)backups_->remember();
}

void Session::report(const Step& step) const {
  if (request_.on_step) request_.on_step(step);
}

Status Session::record(const model::AuditEvent& event) {
  if (!config_.boolean("audit.enable_audit_logging")) return {};
  CHECK(recorder_.has_value());
  announce_new_trail(*this);
  return recorder_->record(event);
}

void Session::replay_events() {
  if (!config_.boolean("audit.enable_audit_logging")) return;
  const auto kept = store::UnrecordedEvents(fs(), store().fd()).count();
  if (kept && *kept == 0) return;
  announce_new_trail(*this);
  recorder_->replay();
}

Status Session::refuse_foreign_tree() const {
  if (request_.foreign_owner == ForeignOwner::kAllow) return {};
  for (const model::Scope scope : {model::Scope::kUser, model::Scope::kProject}) {
    const store::Root* root = roots_.of(scope);
    if (root == nullptr || !root->exists) continue;
    ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(fs(), root->path));
    ASSIGN_OR_RETURN(const fs::Stat stat, fs().stat_fd(dir.fd()));
    if (stat.uid != environment_.user_id)
      return make_error(ErrorCode::kPermission,
                        fmt::format("belongs to another user (id {})", stat.uid), root->path)
          .with_untouched("Nothing was changed.")
          .with_remedy("Run the command as that user; or, if this is meant: --foreign-owner.");
  }
  return {};
}

Status Session::lock_all(int64_t timeout_ms) {
  const std::string owner = fmt::format("process {} since {}", environment_.process_id,
                                        utc_seconds(environment_.clock.now_ns()));
  ASSIGN_OR_RETURN(fs::LockFile store_lock,
                   fs::LockFile::acquire(fs(), store().fd(), layout::lock(), environment_.clock,
                                         timeout_ms, owner));
  locks_.push_back(std::move(store_lock));
  // Always in the order of the paths, so that two runs cannot wait for each other.
  std::vector<std::string> roots;
  for (const model::Scope scope : {model::Scope::kUser, model::Scope::kProject}) {
    const store::Root* root = roots_.of(scope);
    if (root != nullptr && root->exists) roots.push_back(root->path);
  }
  std::sort(roots.begin(), roots.end());
  for (const std::string& root : roots) {
    ASSIGN_OR_RETURN(fs::LockFile root_lock,
                     fs::LockFile::acquire_dir(fs(), root, environment_.clock, timeout_ms));
    locks_.push_back(std::move(root_lock));
  }
  return {};
}

std::optional<std::string> Session::python_version() {
  if (!python_version_.valid()) python_version_ = ask_python_version(environment_);
  return python_version_.get();
}

Status Session::lock() {
  if (environment_.overlap == Overlap::kYes) python_version_ = ask_python_version(environment_);
  RETURN_IF_ERROR(refuse_foreign_tree());
  const int64_t timeout_ms = config_.integer("safety.lock_timeout_seconds") * kMillisPerSecond;
  if (Status locked = lock_all(timeout_ms); !locked) {
    locks_.clear();
    return Error(std::move(locked).error().with_untouched("Nothing was changed."));
  }
  replay_events();
  return {};
}

Status Session::begin_writing() {
  if (is_dry_run()) return refuse_foreign_tree();
  if (!locks_.empty()) return {};
  RETURN_IF_ERROR(lock());
  return recover_locked();
}

Status Session::try_recover() {
  if (!has_store() || is_dry_run() || !locks_.empty()) return {};
  ASSIGN_OR_RETURN(const bool needed, txn::needs_recovery(fs(), store_->fd()));
  if (!needed) return {};
  if (Status locked = lock_all(0); !locked) {
    locks_.clear();
    if (locked.error().code == ErrorCode::kLocked) return {};  // its holder is at work
    return locked;
  }
  replay_events();
  Status recovered = recover_locked();
  locks_.clear();
  return recovered;
}

txn::RecoveryOptions Session::recovery_options() {
  return {.attempts_max = static_cast<uint32_t>(config_.integer("recovery.max_recovery_attempts")),
          .on_outcome = [this](const txn::Recovered& recovered) { return on_outcome(recovered); }};
}

Status Session::recover_locked() {
  ASSIGN_OR_RETURN(const auto recovered,
                   txn::recover_all(transaction_context(), recovery_options()));
  Status blocked;
  for (const txn::Recovered& one : recovered) {
    if (request_.on_recovered) request_.on_recovered(one);
    recovered_.push_back(one);
    const bool open = one.action == txn::RecoveryAction::kPostponed ||
                      one.action == txn::RecoveryAction::kDamaged;
    if (!open || !blocked) continue;
    // Only the trees it worked in are refused; another project's update may go on.
    const bool elsewhere = !one.facts.user_root.empty() &&
                           one.facts.user_root != roots_.user.path &&
                           (!roots_.project || one.facts.project_root != roots_.project->path);
    if (elsewhere) continue;
    Error error = *one.error;
    if (one.action == txn::RecoveryAction::kDamaged) error.code = ErrorCode::kRecoveryRequired;
    blocked = std::move(error);
  }
  return blocked;
}

Status Session::hold_or_release(const model::ChangePlan& plan) {
  if (plan.facts.kind == model::TransactionKind::kUpdate) {
    RETURN_IF_ERROR(remove_hold(fs(), store().fd()));
    // Whoever removed it may have been killed before syncing that.
    return fs().sync(store().fd(), fs::SyncKind::kFull);
  }
  return write_hold(fs(), store().fd(), plan, environment_.clock.now_ns());
}

Status Session::on_outcome(const txn::Recovered& recovered) {
  // What was written for a human is over; if it stays, it does no harm.
  if (recovered.action != txn::RecoveryAction::kSetAside)
    (void)remove_manual_recovery(fs(), store().fd(), recovered.facts.id);
  if (recovered.action == txn::RecoveryAction::kCompleted) {
    ASSIGN_OR_RETURN(store::Latest latest, this->latest());
    // One that waited for its tree must not undo what others did meanwhile.
    const bool is_newest = recovered.facts.sequence > latest.transaction_sequence ||
                           recovered.facts.id == latest.last_transaction;
    record_commit(latest, recovered.facts);
    RETURN_IF_ERROR(store::write_latest(fs(), store().fd(), latest));
    if (is_newest) RETURN_IF_ERROR(hold_or_release(recovered.plan));
  }
  if (!config_.boolean("audit.enable_audit_logging")) return {};
  const model::AuditEvent event = event_of_recovery(recovered);
  return recorder_->has(recovered.facts.id, event.type) ? Status() : record(event);
}

}  // namespace stravinsky::engine
