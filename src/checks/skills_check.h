// check_skills: the skills load.
//
// A skill is a directory skills/<name> with a SKILL.md, whose front matter holds name
// and description; whatever else lies in it is the skill's own business and is not
// looked at. A directory without a SKILL.md is no skill. Everything here warns.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// Rules, beside those of document.h: skill.no_file (none is called SKILL.md, or only
// in another case), skill.no_front_matter, skill.no_name, skill.no_description,
// skill.duplicate (directories equal once case is folded).
Result<std::vector<Finding>> check_skills(const TreeView& next, const TreeView* present);

}  // namespace stravinsky::checks
