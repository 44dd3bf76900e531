// run_checks: every check of a tree, in one place.
//
// The same checks run before an update on the tree as it would be, after it on the
// live one, and by `stravinsky check`. A check that fails inside is itself a finding
// and stops no other: it warns when it fails in the present tree as well, and blocks
// when only the update makes it fail.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "checks/finding.h"
#include "checks/source_judge.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

struct CheckInput {
  const TreeView& next;
  const TreeView* present = nullptr;  // nullptr: everything counts as the update's
  SourceJudge& judge;
};

struct Check {
  std::string_view name;         // "hooks": Finding::check
  std::string_view failed_rule;  // "hooks.failed"
  Result<std::vector<Finding>> (*run)(const CheckInput& input);
};

// In the order in which their findings are told.
std::span<const Check> all_checks();

std::vector<Finding> run_checks(const CheckInput& input,
                                std::span<const Check> checks = all_checks());

}  // namespace stravinsky::checks
