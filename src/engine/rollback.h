// Going back and forth: whole versions, the last transaction.
//
// Every one is a transaction like an update: a verified backup of the present
// state first, a journal, and an undo.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/operation.h"
#include "engine/operation_result.h"
#include "engine/session.h"

namespace stravinsky::engine {

enum class ExtraFiles {
  kKeep,    // files that the backup lacks stay, unless an update put them there
  kRemove,  // --exact: every managed file that the backup lacks goes
};

struct RollbackRequest {
  std::string version_or_id;  // "v0.3.8": its newest verified backup; or a backup's id
  ExtraFiles extra_files = ExtraFiles::kKeep;
  OnBackupFailure on_backup_failure = OnBackupFailure::kRefuse;
};
// kNotFound names the version and lists what exists; kCorrupt when the backup does
// not verify; both before anything is touched.
Result<OperationResult> rollback_to(Session& session, const RollbackRequest& request);

// Inverts the last committed transaction that is not undone, whatever it was;
// again: the one before. What the user changed since is set aside by name.
// kNotFound, "No previous version available", when there is none.
Result<OperationResult> undo(Session& session);
// Inverts the last undo. kNotFound when there is none since the last new transaction.
Result<OperationResult> redo(Session& session);

}  // namespace stravinsky::engine
