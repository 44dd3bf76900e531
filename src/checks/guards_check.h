// check_guards: what stands between Claude Code and the user's files, compared.
//
// A guard is a hook that can say no (PreToolUse, PermissionRequest, UserPromptSubmit
// and the like), an entry of permissions.deny or permissions.ask. One that the present
// tree has and the next has not is named before anything happens, and so is every
// permission that becomes wider. Settings files of one scope add up, so that a guard
// which moves from settings.json to settings.local.json is still there; so is a hook
// that runs the same file in another way. Only warnings: the user may want it so.
//
// Places are said (file and path in the JSON), never what stands there.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// Rules: guard.removed, guard.hooks_disabled, guard.wider_permissions,
// guard.wider_mode. Nothing without a present tree. A settings file that is no JSON
// counts as one without entries: check_settings blocks it.
Result<std::vector<Finding>> check_guards(const TreeView& next, const TreeView* present);

}  // namespace stravinsky::checks
