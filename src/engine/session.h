// Session: one run of the program over one store and its trees.
//
// Opening a session finds the roots, reads the configuration and opens the store.
// begin_writing takes the locks and recovers whatever an earlier process left;
// every operation that changes something calls it first. A reader recovers too, if
// the lock is free (try_recover); if it is not, somebody is at work and will.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "checks/source_judge.h"
#include "engine/accepted_before.h"
#include "engine/environment.h"
#include "engine/operation_result.h"
#include "engine/recorder.h"
#include "fs/lock_file.h"
#include "model/config.h"
#include "model/hook_reference.h"
#include "store/audit_log.h"
#include "store/backup_store.h"
#include "store/begun_update.h"
#include "store/bundle_store.h"
#include "store/latest.h"
#include "store/roots.h"
#include "store/snapshot.h"
#include "store/store_dir.h"
#include "txn/context.h"
#include "txn/recovery.h"

namespace stravinsky::engine {

enum class RunMode { kReal, kDryRun };
enum class ForeignOwner { kRefuse, kAllow };
// Whether a rollback or recovery saves the present state first. Without, only its own
// journal keeps what it displaces.
enum class WayBack { kWithBackup, kWithoutBackup };

struct SessionRequest {
  std::optional<std::string>
      store_root;                      // else STRAVINSKY_ROLLBACK_HOME, else ~/.stravinsky/rollback
  std::optional<std::string> project;  // --project
  RunMode mode = RunMode::kReal;
  store::OutsideLinks outside_links = store::OutsideLinks::kStoreAsLink;
  // A tree that another user owns is refused to root unless this is set.
  ForeignOwner foreign_owner = ForeignOwner::kRefuse;
  WayBack way_back = WayBack::kWithBackup;
  // Called as each step of an operation ends.
  std::function<void(const Step&)> on_step;
  // What recovery did before the command itself, to be told to the user.
  std::function<void(const txn::Recovered&)> on_recovered;
  // What the user has to know although the operation goes on.
  std::function<void(const std::string&)> on_warning;
};

class Session {
 public:
  // A dry run, and a run that only reads, does not make a store.
  static Result<std::unique_ptr<Session>> open(const Environment& environment,
                                               SessionRequest request, store::IfAbsent if_absent);

  // Takes the store's lock and those of the roots, then recovers; at most once. A
  // dry run takes none. kLocked names the holder; kRecoveryRequired: something
  // was left that recovery cannot finish, and it stands in the way.
  Status begin_writing();
  // The locks alone, for `recovery resume`, which recovers in its own way.
  Status lock();
  // Recovers if there is anything to recover and nobody is at work.
  Status try_recover();

  const Environment& environment() const { return environment_; }
  fs::FileSystem& fs() const { return environment_.fs; }
  bool is_dry_run() const { return request_.mode == RunMode::kDryRun; }
  const SessionRequest& request() const { return request_; }
  const store::Roots& roots() const { return roots_; }
  // The same as commands in settings spell them.
  model::HookRoots hook_roots() const;
  // Both trees as they are now (engine/present_tree.h).
  Result<store::Snapshot> list_tree() const;
  // A file outside every component counts as managed while settings name it, or from now on
  // when it is among these: what a bundle, a backup or a record has there. True when the
  // tree has to be listed again for it.
  bool manage_too(const std::vector<model::LogicalPath>& paths);
  size_t managed_too() const { return managed_too_.size(); }
  // The files of the bundles that are installed in the trees at hand, as far as they are known.
  void manage_what_is_installed(const store::Latest& latest);
  // The defaults where config.json cannot be understood.
  const model::Config& config() const { return config_; }
  // Why that is so. Nothing new is begun then; every way back, every recovery and every
  // look works, since a typing error must not bar them.
  const std::optional<Error>& config_fault() const { return config_fault_; }
  // What this session recovered before its own work.
  const std::vector<txn::Recovered>& recovered() const { return recovered_; }

  const std::string& store_path() const { return store_path_; }
  bool has_store() const { return store_.has_value(); }
  // The rest CHECKs has_store().
  const store::StoreDir& store() const;
  store::BackupStore& backups();
  const store::BackupStore& backups() const;
  store::BundleStore& bundles();
  store::AuditLog& audit();
  // latest.json, worked out again if it must be; the defaults without a store.
  Result<store::Latest> latest() const;
  // The update that an installer began by `update begin`; nullopt when none is open.
  Result<std::optional<store::BegunUpdate>> begun_update() const;
  txn::TransactionContext transaction_context() const;
  txn::RecoveryOptions recovery_options();

  // The version of the interpreter that hooks run with. Asked for in the background
  // as soon as the locks are taken, since starting it takes longer than most of what
  // a backup does; nullopt when there is none.
  std::optional<std::string> python_version();

  // What parsers say of scripts, remembered as long as the session lives.
  checks::SourceJudge& judge() { return judge_; }
  // Keeps for later runs what parsers accepted and what backups are there.
  void save_derived();

  void report(const Step& step) const;
  // Puts an event on record unless the trail is switched off. One that the trail
  // cannot take is kept, and the user is told (engine/recorder.h): a failure means
  // that it could be kept nowhere. The user knows then; the caller may leave its
  // journal open, from which the event is replayed.
  Status record(const model::AuditEvent& event);

 private:
  Session(const Environment& environment, SessionRequest request)
      : environment_(environment),
        request_(std::move(request)),
        judge_(environment.processes, runs_in(environment.overlap)) {}
  Status find_store(store::IfAbsent if_absent);
  Status load_config();
  Status refuse_foreign_tree() const;
  Status lock_all(int64_t timeout_ms);
  Status recover_locked();
  void replay_events();
  // What a committed transaction means for hold.json.
  Status hold_or_release(const model::ChangePlan& plan);
  Status on_outcome(const txn::Recovered& recovered);

  Environment environment_;
  SessionRequest request_;
  std::string store_path_;
  store::Roots roots_;
  model::Config config_;
  std::optional<Error> config_fault_;
  std::vector<txn::Recovered> recovered_;
  std::optional<store::StoreDir> store_;
  std::optional<store::BackupStore> backups_;
  std::optional<store::BundleStore> bundles_;
  std::optional<store::AuditLog> audit_;
  std::optional<Recorder> recorder_;
  std::vector<fs::LockFile> locks_;
  std::shared_future<std::optional<std::string>> python_version_;
  checks::SourceJudge judge_;
  std::optional<AcceptedBefore> accepted_;
  std::set<model::LogicalPath> managed_too_;
};

}  // namespace stravinsky::engine
