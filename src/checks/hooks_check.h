// check_hooks: every hook that settings register is there and would start.
//
// A registered hook that is absent denies tool calls; one with a syntax error is
// silently off, which for a guard is as bad. So each file that the next tree's
// settings run, inside a root we manage, must exist, be a readable regular file
// with something in it, be executable when it is run directly, and be accepted by
// its language's own parser. Scripts in hooks/ that the update adds or changes are
// parsed too, registered or not. Nothing is run.
//
// What the update brings blocks, what was wrong before warns: a file blocks when it
// is new, changed or newly registered; a reference blocks when it did not already
// dangle.
#pragma once

#include <vector>

#include "checks/finding.h"
#include "checks/source_judge.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// Rules. Blocking when the update's, else warnings: hook.missing (only a warning for
// the status line, where the command looks first, and for a program outside the home),
// hook.unexpanded (a warning for the status line), hook.not_a_file,
// hook.unreadable, hook.empty, hook.not_executable, hook.syntax, hook.not_read.
// hook.recursion blocks when the update's and the event is one of our own changes.
// Warnings: hook.bom, hook.crlf, hook.no_first_line, hook.conflict_marker,
// hook.too_large, hook.interpreter_missing, hook.unlisted.
// Information: hook.not_parsed (no parser for its language), hook.undecided (only a
// running shell knows what is run).
// Of a file in no root only its absence is told. What is said of a file that the update
// brings says so: the user's own may be sound.
//
// present: the tree before the update, nullptr when there is none. Settings that
// are not JSON are skipped: check_settings speaks of them.
std::vector<Finding> check_hooks(const TreeView& next, const TreeView* present, SourceJudge& judge);

}  // namespace stravinsky::checks
