// check_settings: the settings files are JSON, and have the shape Claude Code reads.
//
// A syntax error voids a whole settings file, deny rules included, so one in a new
// or changed file blocks. Shapes only warn: the product moves fast, unknown keys
// are legal, and nothing is required (checks/settings_schema.h). Nor are they told
// again of a file that the update leaves alone.
#pragma once

#include <vector>

#include "checks/finding.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// Rules: settings.unreadable, settings.syntax, settings.not_object (blocking in a
// new or changed file); settings.duplicate_key, settings.utf8, settings.bom,
// settings.too_large, settings.shape, settings.unknown_key, settings.unknown_event,
// settings.deprecated, settings.matcher, settings.matcher_ignored.
// present: the tree before the update, nullptr when there is none.
std::vector<Finding> check_settings(const TreeView& next, const TreeView* present);

}  // namespace stravinsky::checks
