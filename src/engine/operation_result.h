// OperationResult: what an operation on the tree did, for people and for --json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "engine/verification.h"
#include "model/change_plan.h"
#include "txn/context.h"

namespace stravinsky::engine {

enum class Outcome {
  kDone,            // the new tree is in force
  kNothingToDo,     // the tree is already as asked for
  kPlanned,         // dry run: this is what would be done
  kRolledBack,      // it failed after the first change and was taken back
  kVerifyFailed,    // it failed its verification and, as configured, was left in force
  kRollbackFailed,  // it failed and could not be taken back: a human is needed
};
std::string_view outcome_name(Outcome outcome);

// What becomes of an operation that a finding blocks.
enum class OnBlocking {
  kRefuse,  // it fails with kChecksRefused
  kReport,  // its findings are told, whatever they are
};

// PREPARE, VALIDATE, SWAP, VERIFY, AUTOROLLBACK.
struct Step {
  std::string name;
  std::string status;  // "ok", "failed", "skipped"
  int64_t duration_ns = 0;
  std::string detail;  // "75 files, 0.4 MB, backup v0.3.8"
};

enum class FileAction {
  kAdd,
  kChange,
  kMerge,  // both sides' changes are in it
  kDelete,
  kReplaceTheirs,  // replaced although nobody knows whether the user had touched it
  kKeepMine,       // the user's version or decision stays
  kConflict,       // both sides changed the same: one is in force, the other in the store
  kSetAside,       // the user's version is in the store, the other one is in place
};
std::string_view file_action_name(FileAction action);

struct FileReport {
  FileAction action = FileAction::kChange;
  std::string path;     // "~/.claude/hooks/x.py"
  std::string note;     // why, or what was merged; never a value of a setting
  std::string command;  // that brings the other version back, or empty
  // The documented transaction record: create, modify or delete; empty hashes
  // where there is no file.
  std::string old_hash;
  std::string new_hash;
};

// The backup that the content came out of.
struct RecoveredFrom {
  std::string backup_id;
  int64_t time_ns = 0;       // of the backup
  std::string what{};        // "~/.claude/hooks": what was asked for
  uint64_t files_count = 0;  // that were brought back
  uint64_t size_bytes = 0;   // of these
};

struct OperationResult {
  model::TransactionKind kind = model::TransactionKind::kUpdate;
  Outcome outcome = Outcome::kDone;
  std::string from_version;  // as displayed: "v0.3.8", "unknown"
  std::string to_version;
  std::string backup_created;                // its id
  std::vector<std::string> deleted_backups;  // to keep within the limits
  std::string store;                         // absolute; what kept_at is relative to
  std::string transaction_id;
  std::vector<Step> steps;
  std::vector<FileReport> files;
  std::vector<checks::Finding> findings;
  std::vector<std::string> warnings;
  std::vector<txn::Kept> kept;  // met on the way and not destroyed
  int64_t duration_ns = 0;
  int64_t swap_ns = 0;  // how long a reader could see a mix of old and new files

  std::optional<RecoveredFrom> recovered_from;

  std::vector<Verified> verified;  // what was looked at afterwards; empty: nothing was

  // Set for kRolledBack, kVerifyFailed and kRollbackFailed.
  std::optional<Error> failure;
  std::string error_class;  // of the failure: engine/error_matrix.h
  // Set for kRollbackFailed.
  std::optional<Error> rollback_error;
  std::string recovery_instructions;  // the file that says what to do by hand; may be empty
};

}  // namespace stravinsky::engine
