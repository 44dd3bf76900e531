// begin_update and finish_update: the protection of an update round an installer that
// writes by itself.
//
//   begin    room, rights, a verified backup, UPDATE_START; recovery/begun.json says
//            that somebody is at work
//   finish   what the installer did is found by comparing the tree with that backup,
//            checked like an update, and put on record as one: rollback undo takes it
//            back. If it is broken, or the installer says that it failed, the tree of
//            the backup comes back.
//
// Between the two no lock is held: the installer may take long, be killed, or call
// other programs. Until it is finished no other update begins; every command says so.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/operation_result.h"
#include "engine/session.h"
#include "model/component.h"
#include "store/begun_update.h"

namespace stravinsky::engine {

struct BeginRequest {
  std::string version;
  model::Scope scope = model::Scope::kUser;
};
struct Begun {
  store::BegunUpdate update;
  std::vector<std::string> warnings;  // what the backup does not hold
};
// kConflict when another one was begun; kNoSpace and kPermission as for an update.
Result<Begun> begin_update(Session& session, const BeginRequest& request);

enum class Installer { kSucceeded, kFailed };

struct FinishRequest {
  std::string version;  // of the update that was begun
  Installer installer = Installer::kSucceeded;
  std::string error{};  // what the installer says
  // The components of which the new version is meant to have no file (engine/emptied.h).
  std::set<std::string> removes{};
};
// kDone: it is in force; without a transaction_id no file had changed. kRolledBack, with
// the cause: the old tree is. kRollbackFailed: neither, and it is still begun.
// kVerifyFailed: it is broken and stays, as configured.
// kNotFound when none was begun; kUsage when it was another version; kChanged when a way
// back ended it meanwhile; kPermission when what the installer left cannot be read.
Result<OperationResult> finish_update(Session& session, const FinishRequest& request);

// kConflict, with both ways on, when an update was begun and is not finished.
Status refuse_while_begun(const Session& session);

}  // namespace stravinsky::engine
