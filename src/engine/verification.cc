#include "engine/verification.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace stravinsky::engine {
namespace {

using enum Verification;

constexpr std::array<std::pair<Verification, std::string_view>, 6> kNames = {{
    {kHooksSyntax, "hooks_syntax"},
    {kCommandsValid, "commands_valid"},
    {kSettingsSchema, "settings_schema"},
    {kDependencies, "dependencies"},
    {kFilePermissions, "file_permissions"},
    {kVersionConsistency, "version_consistency"},
}};
constexpr std::string_view kHealth = "health";

// A rule by its whole name, or all that begin with what ends in a point; the first counts.
constexpr std::array<std::pair<std::string_view, Verification>, 23> kRules = {{
    {"hook.missing", kDependencies},
    {"hook.not_a_file", kDependencies},
    {"hook.import_missing", kDependencies},
    {"hook.interpreter_missing", kDependencies},
    {"hook.not_executable", kFilePermissions},
    {"hook.unreadable", kFilePermissions},
    {"hook.", kHooksSyntax},
    {"hooks.", kHooksSyntax},
    {"imports.", kDependencies},
    {"command.", kCommandsValid},
    {"commands.", kCommandsValid},
    {"agent.", kCommandsValid},
    {"agents.", kCommandsValid},
    {"skill.", kCommandsValid},
    {"skills.", kCommandsValid},
    {"document.", kCommandsValid},
    {"front_matter.", kCommandsValid},
    {"settings.", kSettingsSchema},
    {"guard.", kSettingsSchema},
    {"guards.", kSettingsSchema},
    {"permission.", kFilePermissions},
    {"version.", kVersionConsistency},
    {"tree.", kDependencies},
}};

}  // namespace

std::string_view verification_name(Verification verification) {
  const auto index = static_cast<size_t>(verification);
  CHECK(index < kNames.size() && kNames[index].first == verification);
  return kNames[index].second;
}

std::optional<Verification> verification_of(std::string_view rule) {
  for (const auto& [pattern, verification] : kRules)
    if (pattern.ends_with('.') ? rule.starts_with(pattern) : rule == pattern) return verification;
  return std::nullopt;
}

std::vector<Verified> verified_by(const std::vector<checks::Finding>& findings) {
  std::vector<Verified> all;
  for (const auto& [verification, name] : kNames)
    all.push_back({.name = std::string(name), .failures = {}});
  Verified health{.name = std::string(kHealth), .failures = {}};
  for (const checks::Finding& finding : findings) {
    if (finding.severity != checks::Severity::kBlocking) continue;
    const auto verification = verification_of(finding.rule);
    Verified& one = verification ? all[static_cast<size_t>(*verification)] : health;
    one.failures.push_back(finding.to_string());
  }
  if (!health.failures.empty()) all.push_back(std::move(health));
  return all;
}

}  // namespace stravinsky::engine
