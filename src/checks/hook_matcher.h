// matcher_fault: decides whether a hook's matcher can ever match.
//
// A matcher is a list of names (letters, digits, '_', '|') or else a regular
// expression of JavaScript. Only what is certain is called a fault: a pattern that
// JavaScript refuses, a permission rule where a name belongs, a tool's name in
// another case. The pattern is read once from front to back; no engine runs it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stravinsky::checks {

enum class MatcherSubject {
  kTool,   // the name of a tool
  kOther,  // whatever the event has
};

// Why it cannot match, without a word of it, which is a setting's value.
std::optional<std::string> matcher_fault(std::string_view matcher, MatcherSubject subject);

}  // namespace stravinsky::checks
