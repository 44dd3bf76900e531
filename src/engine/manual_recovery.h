// manual_recovery: what a person does when an update could neither go on nor be taken
// back, written down where they find it.
//
// recovery/manual-<txid>.txt in the store, in plain language: why, what is safe, the
// command that tries again, and the commands of any shell, with tar and cp alone, that
// put back what the update had changed, out of the backup that was taken before it.
// They touch nothing else. The file goes when the transaction is recovered after all.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/session.h"
#include "model/change_plan.h"

namespace stravinsky::engine {

struct FailedRollback {
  const model::ChangePlan& plan;
  const Error& cause;           // why it had to be taken back
  const Error& rollback_error;  // why it could not be
  std::string try_again = "stravinsky recovery resume";
};

std::string manual_recovery_text(Session& session, const FailedRollback& failed);
// Returns the file's absolute path.
Result<std::string> save_manual_recovery(Session& session, const FailedRollback& failed);
// Absent is success.
Status remove_manual_recovery(fs::FileSystem& fs, fs::Fd store, const std::string& txid);

}  // namespace stravinsky::engine
