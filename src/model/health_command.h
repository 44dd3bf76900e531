// HealthCommand: a check of the user's own, run after an update went live.
//
//   "verify": { "commands": [
//     { "argv": ["python3", "~/.claude/hooks/guard.py", "--self-test"],
//       "timeout_seconds": 10, "home": "scratch" } ] }
//
// No shell is between: argv is the program and its words; "~/" in front of a word is the
// home that the command runs in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stravinsky::model {

enum class HealthHome {
  kScratch,  // a home of its own with a copy of the managed files; gone afterwards
  kReal,     // the user's
};

struct HealthCommand {
  std::vector<std::string> argv;  // not empty
  int64_t timeout_seconds = 10;   // 1 to 3600
  HealthHome home = HealthHome::kScratch;
};

// A JSON list of such objects. kUsage says which command is wrong, and how.
Result<std::vector<HealthCommand>> parse_health_commands(std::string_view json);

}  // namespace stravinsky::model
