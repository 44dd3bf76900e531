// check_agents: the agents load, each under a name of its own.
//
// Claude Code requires name and description in an agent's front matter and drops the
// file otherwise; the update would work, only the agent would be missing, so that
// everything here warns.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// Rules, beside those of document.h: agent.no_front_matter, agent.no_name,
// agent.no_description, agent.duplicate (one name in two files of a scope, once case
// is folded; looked for only when one of them is brought).
Result<std::vector<Finding>> check_agents(const TreeView& next, const TreeView* present);

}  // namespace stravinsky::checks
