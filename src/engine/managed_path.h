// managed_path: which managed file a path typed by a person means, and where a
// backup of it is.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "engine/session.h"
#include "engine/tree_edit.h"
#include "store/backup_reader.h"

namespace stravinsky::engine {

// "~/.claude/hooks/x.py", an absolute path, or one relative to the working directory;
// ".claude/hooks/x.py", as the project's files are printed, also anywhere beneath its
// top. Exact, never by a part of its name. kUsage for a path in neither root, for a
// root itself, and for one that is never managed.
Result<model::LogicalPath> managed_path(const Session& session, const std::string& typed);

// The backup named; or, without a name, the newest whose copy of the file is another
// than now, the image that stands there, and is sound: its hash is right, and settings
// are JSON. kNotFound names the path; kUsage when it is that of a directory, now or
// then; kCorrupt the newest of those that are not sound.
Result<std::shared_ptr<store::BackupReader>> backup_with_file(Session& session,
                                                              const model::LogicalPath& path,
                                                              const std::string& version_or_id,
                                                              const model::Image& now);

}  // namespace stravinsky::engine
