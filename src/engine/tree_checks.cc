#include "engine/tree_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "checks/run_checks.h"

namespace stravinsky::engine {

void check_tree(const checks::TreeView& next, const checks::TreeView* present,
                checks::SourceJudge& judge, std::vector<checks::Finding>& findings) {
  for (checks::Finding& finding :
       checks::run_checks({.next = next, .present = present, .judge = judge})) {
    const bool is_known = std::ranges::any_of(findings, [&](const checks::Finding& known) {
      return known.to_string() == finding.to_string();
    });
    if (!is_known) findings.push_back(std::move(finding));
  }
}

Status blocking_finding(const std::vector<checks::Finding>& findings) {
  const checks::Finding* first = nullptr;
  std::string others;
  for (const checks::Finding& finding : findings) {
    if (finding.severity != checks::Severity::kBlocking) continue;
    if (first == nullptr) {
      first = &finding;
    } else {
      others += "\n  also: " + finding.to_string();
    }
  }
  if (first == nullptr) return {};
  const std::string place = first->line > 0 ? fmt::format("line {}: ", first->line) : "";
  Error error = make_error(ErrorCode::kChecksRefused, place + first->message + others, first->file);
  error.remedy = first->remedy;
  error.rule = first->rule;
  return error;
}

}  // namespace stravinsky::engine
