// What the checks say of a tree, and whether that stands in the way.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "checks/source_judge.h"
#include "checks/tree_view.h"

namespace stravinsky::engine {

// Adds each finding about next once. present is the tree to compare with: what was
// wrong there already only warns.
void check_tree(const checks::TreeView& next, const checks::TreeView* present,
                checks::SourceJudge& judge, std::vector<checks::Finding>& findings);

// kChecksRefused with the first finding that blocks, the others behind it.
Status blocking_finding(const std::vector<checks::Finding>& findings);

}  // namespace stravinsky::engine
