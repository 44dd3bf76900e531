// check_imports: what hooks import from beside themselves is there.
//
// A hook whose own module is gone ends before it does anything: it is silently off. Only
// what can be decided without running is looked at, in every script beneath hooks/,
// and in those that settings run elsewhere:
//
//   JavaScript   require("./x"), import ... from "../x.mjs"
//   Python       from .x import y; and import x, where x.py stood beside it before
//   shell        . "$(dirname "$0")/x.sh", source ~/.claude/hooks/x.sh
//
// What an interpreter finds elsewhere (its library, installed packages) is not judged.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// hook.import_missing: blocks when new; an indented import, which may be guarded, warns.
Result<std::vector<Finding>> check_imports(const TreeView& next, const TreeView* present);

}  // namespace stravinsky::checks
