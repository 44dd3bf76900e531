// check_commands: the slash commands load, and none hides another.
//
// commands/str/search.md is /str:search; index.md and str/index.md are two commands,
// and so are two of one name in the user's tree and the project's. Claude Code
// requires nothing of a command, so that everything here warns.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// Rules, beside those of document.h: command.duplicate (equal once case is folded),
// command.hidden (a skill has its name), command.no_name (nobody can type it);
// information: command.no_description.
Result<std::vector<Finding>> check_commands(const TreeView& next, const TreeView* present);

// "str:search" of "commands/str/search.md".
std::string command_id(const fs::RelPath& path);

}  // namespace stravinsky::checks
