// run_operation: the one way in which a tree is changed.
//
// Update, rollback, undo, redo and recovery differ in what they propose; everything
// else is the same and stands here:
//
//   (before)  lock and recover; list the tree; open what it works from
//   PREPARE   room and rights; a verified backup; the plan
//   VALIDATE  the tree as it would be, checked before anything changes
//   SWAP      the transaction
//   VERIFY    hashes in place, then the checks on the live tree
//   COMMIT, then latest.json, hold.json and the trail; what was displaced goes
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/conflict_copies.h"
#include "engine/operation_result.h"
#include "engine/session.h"
#include "engine/tree_edit.h"
#include "model/merge3.h"

namespace stravinsky::engine {

// The tree before the change.
struct Present {
  const store::Snapshot& snapshot;
  const KnownTree& known;
  const store::Latest& latest;
  store::TreeState state;  // of the tree that the operation is about
  std::string backup_id;   // that was just taken of it; empty when none was
};

// What shall be.
struct Proposal {
  Edits edits;
  // The tree that the edits are applied to, where it is not to be seen as it is listed: a
  // component's link as a link, not as what it leads to.
  std::optional<KnownTree> known{};
  std::vector<FileReport> files;  // in the order to be shown
  std::string to_version = "unknown";
  std::string to_bundle;
  std::string inverts;
  std::vector<SetAside> set_aside;
  std::vector<std::string> warnings;
};

// An update must not make anything worse; a way back must never be blocked by what
// it leads to or away from, so there the hashes alone decide.
enum class CheckPolicy { kCheck, kHashesOnly };

// Without a backup nothing is changed, unless the way back is the last one there is: then
// the journal alone keeps what is displaced.
enum class OnBackupFailure { kRefuse, kGoOn };

// What an operation is about, as far as it is known before the tree was looked at.
struct Subject {
  std::string tree;        // the root whose version it changes
  std::string to_version;  // where it leads, for the trail; may be empty
  // What it may change: no backup is made when one of them could not be.
  std::vector<model::LogicalPath> touches;
};

struct OperationRequest {
  model::TransactionKind kind = model::TransactionKind::kUpdate;
  model::BackupKind backup_kind = model::BackupKind::kPreUpdate;
  CheckPolicy checks = CheckPolicy::kCheck;
  OnBlocking on_blocking = OnBlocking::kRefuse;
  OnBackupFailure on_backup_failure = OnBackupFailure::kRefuse;
  // What was asked for: for the trail, when it cannot even be opened.
  std::string asked_for;
  // Opens what the operation works from (a bundle, a backup, a record) once the locks
  // are held and the tree is listed; a refusal is on record like any other.
  std::function<Result<Subject>(const store::Snapshot&)> open;
  std::function<Result<Proposal>(const Present&)> propose;
};

Result<OperationResult> run_operation(Session& session, const OperationRequest& request);

}  // namespace stravinsky::engine
