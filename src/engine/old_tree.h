// OldTree: the tree as it was before an installer came, and the way back to it.
//
// Files, links and directories come back by one transaction, an automatic rollback that
// is tried again like any (engine/roll_back_again.h). What a transaction does not hold
// is done behind it, and again by whoever finishes after a crash: the modes of
// directories, and what lies behind a link of the user's that the installer had put
// something else in the place of.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/operation.h"
#include "engine/session.h"
#include "engine/verified_backup.h"
#include "store/begun_update.h"

namespace stravinsky::engine {

class OldTree {
 public:
  OldTree(Session& session, const store::BegunUpdate& begun, BackupHandle backup)
      : session_(session), begun_(begun), backup_(std::move(backup)) {}

  // kPermission when the installer left something that cannot be read: it can be neither
  // judged nor saved, so half a tree would be taken for the whole.
  Status refuse_unreadable(const store::Snapshot& snapshot) const;

  // kDone, kNothingToDo, kRollbackFailed; or kRolledBack, with why in failure: the
  // rollback did not succeed, and what the installer left stands. An error: nothing was
  // changed.
  Result<OperationResult> bring_back();
  // Does the rest of a rollback that was committed.
  Status complete(const model::ChangePlan& committed);
  // Whether the tree is the old one, as far as the backup knows it.
  Result<bool> is_back() const;

 private:
  using Tops = std::set<model::LogicalPath>;

  Result<OperationResult> run_until_done(const Tops* only);
  Result<Proposal> propose(const Present& present, const Tops* only);
  // Puts the content behind these links back, if it needs it.
  Result<OperationResult> bring_back_behind(const Tops& links);
  Status bring_modes_back() const;

  Session& session_;
  const store::BegunUpdate& begun_;
  BackupHandle backup_;
  Tops relinked_;
};

// Of what a rollback displaced, with the command that brings it out of the backup.
void add_commands(std::vector<FileReport>& files, const std::string& backup_id);

}  // namespace stravinsky::engine
