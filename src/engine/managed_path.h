// managed_path: which managed file or directory a path typed by a person means.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/session.h"
#include "model/component.h"

namespace stravinsky::engine {

// "~/.claude/hooks/x.py", an absolute path, or one relative to the working directory;
// ".claude/hooks/x.py", as the project's files are printed, also anywhere beneath its
// top. Exact, never by a part of its name. kUsage for a path in neither root, for a
// root itself, and for one that is never managed.
Result<model::LogicalPath> managed_path(const Session& session, const std::string& typed);

// What is said to who names a directory where one file is meant.
Error is_directory_not_file(const std::string& shown);

}  // namespace stravinsky::engine
