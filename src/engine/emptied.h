// emptied: the components of a tree of which an installer left no file.
//
// No bundle says what the new version has, so an installer that fell over after its
// own "rm -rf" looks like one that is done. A component that had files and has none
// blocks, unless whoever finishes the update says that this is meant.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checks/finding.h"
#include "engine/tree_edit.h"

namespace stravinsky::engine {

// meant: the names of components (model/component.h).
std::vector<checks::Finding> emptied_components(const KnownTree& before, const KnownTree& now,
                                                const std::set<std::string>& meant);

}  // namespace stravinsky::engine
