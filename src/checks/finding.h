// Finding: one thing a check has to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stravinsky::checks {

enum class Severity {
  kBlocking,     // the update must not go ahead
  kWarning,      // it may, and the user is told
  kInformation,  // what the check did not look at, and why
};

std::string_view severity_name(Severity severity);  // "blocking", "warning", "information"

struct Finding {
  Severity severity = Severity::kWarning;
  std::string check;    // "hooks", "settings"
  std::string rule;     // stable: "hook.missing"
  std::string file;     // "~/.claude/hooks/x.py", escaped for people
  int line = 0;         // 0: none
  int column = 0;       // 0: none
  std::string message;  // the cause, without the file; no setting's value, no full stop
  std::string remedy;   // what to do next, a sentence or empty
  // The managed file that is amiss when it is another one than file, which names it.
  std::string about{};

  // "~/.claude/hooks/x.py:3:7: message"
  std::string to_string() const;
};

bool has_blocking(const std::vector<Finding>& findings);

// What the update brings blocks; what was there before it only warns, so that an
// old fault of the user's does not stand in the way of every update.
enum class Origin { kUpdate, kPresent };
Severity severity_by(Origin origin);

}  // namespace stravinsky::checks
