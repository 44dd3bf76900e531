#include "checks/run_checks.h"

#include <array>
#include <utility>

#include "checks/agents_check.h"
#include "checks/commands_check.h"
#include "checks/guards_check.h"
#include "checks/hooks_check.h"
#include "checks/imports_check.h"
#include "checks/settings_check.h"
#include "checks/skills_check.h"

namespace stravinsky::checks {
namespace {

using Findings = Result<std::vector<Finding>>;

constexpr std::array<Check, 7> kChecks = {{
    {"settings", "settings.failed",
     [](const CheckInput& input) -> Findings { return check_settings(input.next, input.present); }},
    {"hooks", "hooks.failed",
     [](const CheckInput& input) -> Findings {
       return check_hooks(input.next, input.present, input.judge);
     }},
    {"imports", "imports.failed",
     [](const CheckInput& input) { return check_imports(input.next, input.present); }},
    {"commands", "commands.failed",
     [](const CheckInput& input) { return check_commands(input.next, input.present); }},
    {"agents", "agents.failed",
     [](const CheckInput& input) { return check_agents(input.next, input.present); }},
    {"skills", "skills.failed",
     [](const CheckInput& input) { return check_skills(input.next, input.present); }},
    {"guards", "guards.failed",
     [](const CheckInput& input) { return check_guards(input.next, input.present); }},
}};

Finding failure_of(const Check& check, const Error& error, const CheckInput& input) {
  Severity severity = Severity::kBlocking;
  if (input.present != nullptr) {
    // It is not the update's doing when the check fails without the update too.
    const CheckInput before{*input.present, input.present, input.judge};
    if (!check.run(before)) severity = Severity::kWarning;
  }
  return {.severity = severity,
          .check = std::string(check.name),
          .rule = std::string(check.failed_rule),
          .file = {},
          .message = "the check of " + std::string(check.name) +
                     " could not be carried out: " + error.to_string(),
          .remedy = error.remedy};
}

}  // namespace

std::span<const Check> all_checks() {
  return kChecks;
}

std::vector<Finding> run_checks(const CheckInput& input, std::span<const Check> checks) {
  std::vector<Finding> findings;
  for (const Check& check : checks) {
    auto found = check.run(input);
    if (!found) {
      findings.push_back(failure_of(check, found.error(), input));
      continue;
    }
    findings.insert(findings.end(), std::make_move_iterator(found->begin()),
                    std::make_move_iterator(found->end()));
  }
  return findings;
}

}  // namespace stravinsky::checks
