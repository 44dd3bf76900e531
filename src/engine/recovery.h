// The first two levels of recovery: one file, one directory. The third, a whole
// version, is rollback_to (engine/rollback.h).
//
// Each is a transaction like an update: a backup of the present state first, a journal,
// and an undo.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/operation_result.h"
#include "engine/rollback.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct RecoverFileRequest {
  std::string path;  // absolute, or beginning with ~
  // Empty: the newest backup whose copy differs from the present file and is sound: its
  // hash is right, and settings are JSON.
  std::string version_or_id;
  // One value of a settings file ("hooks.PreToolUse", model/json_path.h); empty: all.
  std::string json_path{};
};
// What stands in the file's place, a directory or a link that leads nowhere included,
// goes; the backup taken before has it. kNotFound names the path and the version; kUsage
// when the path is that of a directory; kCorrupt names the newest damaged backup when no
// sound one is left. kConflict: a parent of it is a file, or the present settings are not
// such that one value can be put into them.
Result<OperationResult> recover_file(Session& session, const RecoverFileRequest& request);

struct RecoverDirectoryRequest {
  // A directory of a managed tree, by its path, or a component by its name ("hooks").
  // "settings" means the settings files of the user's tree.
  std::string path;
  // Empty: the newest backup that has it, differs from the present one and is sound.
  std::string version_or_id;
  ExtraFiles extra_files = ExtraFiles::kKeep;
};
// Works when the directory is gone, is a file, or is a link that leads nowhere.
Result<OperationResult> recover_directory(Session& session, const RecoverDirectoryRequest& request);

}  // namespace stravinsky::engine
