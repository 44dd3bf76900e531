#include "engine/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "engine/history.h"
#include "engine/measured.h"
#include "engine/outcome_event.h"
#include "engine/present_tree.h"
#include "model/store_layout.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;

constexpr int64_t kMillisPerSecond = 1000;
constexpr uint64_t kConfigMaxBytes = 1U << 20U;
constexpr uint64_t kBytesPerMegabyte = 1'000'000;

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

Result<store::Snapshot> Session::list_tree() const {
  return engine::list_tree(fs(), roots_, hook_roots(), request_.outside_links);
}

const store::StoreDir& Session::store() const {
  CHECK(store_.has_value());
  return *store_;
}
store::BackupStore& Session::backups() {
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

void Session::report(const Step& step) const {
  if (request_.on_step) request_.on_step(step);
}

Status Session::record(const model::AuditEvent& event) {
  if (!config_.boolean("audit.enable_audit_logging")) return {};
  auto appended = audit().append(event);
  if (!appended) return std::move(appended).error();
  return {};
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

Status Session::on_outcome(const txn::Recovered& recovered) {
  if (recovered.action == txn::RecoveryAction::kCompleted) {
    ASSIGN_OR_RETURN(store::Latest latest, this->latest());
    record_commit(latest, recovered.facts);
    RETURN_IF_ERROR(store::write_latest(fs(), store().fd(), latest));
  }
  const model::AuditEvent event = event_of_recovery(recovered);
  ASSIGN_OR_RETURN(const bool known, audit().contains_transaction(recovered.facts.id, event.type));
  return known ? Status() : record(event);
}

}  // namespace stravinsky::engine
