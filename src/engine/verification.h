// Verification: the six names under which what is verified after an update is told.
//
// The checks speak in rules ("hook.syntax"); programs that wait for an update ask for
// one of six answers. Each rule belongs to one of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/finding.h"

namespace stravinsky::engine {

enum class Verification {
  kHooksSyntax,         // every hook would start: its language's parser reads it
  kCommandsValid,       // commands, agents and skills would be loaded
  kSettingsSchema,      // settings are JSON of the known shape
  kDependencies,        // what settings register and hooks import is there
  kFilePermissions,     // what has to be read or run may be
  kVersionConsistency,  // the records of the store say the version that was installed
};

std::string_view verification_name(Verification verification);  // "hooks_syntax"
// nullopt for a rule of something else: the surroundings, the user's own health checks.
std::optional<Verification> verification_of(std::string_view rule);

// What was verified, and what was found wrong.
struct Verified {
  std::string name;  // of a verification, or "health" for the user's own checks
  std::vector<std::string> failures;
};
// All six, in the order of the enumeration, and "health" behind them if it failed: a
// failure is a finding that blocks.
std::vector<Verified> verified_by(const std::vector<checks::Finding>& findings);

}  // namespace stravinsky::engine
