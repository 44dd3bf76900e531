#include "checks/hook_matcher.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace stravinsky::checks {
namespace {

constexpr std::array<std::string_view, 22> kTools = {
    "Agent",      "Bash",      "BashOutput", "Edit",         "ExitPlanMode", "Glob",
    "Grep",       "KillShell", "LS",         "MultiEdit",    "NotebookEdit", "NotebookRead",
    "PowerShell", "Read",      "Skill",      "SlashCommand", "Task",         "TodoWrite",
    "ToolSearch", "WebFetch",  "WebSearch",  "Write"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool differs_in_case_only(std::string_view name, std::string_view tool) {
  return name != tool && std::ranges::equal(name, tool, {}, lower, lower);
}

// "Bash(git push:*)": the form of a permission.
bool is_permission_rule(std::string_view text) {
  const size_t open = text.find('(');
  if (open == 0 || open == std::string_view::npos || !text.ends_with(')')) return false;
  if (std::ranges::find(kTools, text.substr(0, open)) == kTools.end()) return false;
  const std::string_view inner = text.substr(open + 1, text.size() - open - 2);
  return !inner.starts_with('?') && inner.find_first_of(":*/ .~") != std::string_view::npos &&
         inner.find_first_of("()") == std::string_view::npos;
}

// The first thing by which JavaScript refuses a pattern.
std::optional<std::string> refusal(std::string_view text) {
  size_t open = 0;
  bool can_repeat = false;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '\\':
        if (++i == text.size()) return "it ends with a lone backslash";
        can_repeat = true;
        break;
      case '[': {
        size_t end = i + 1;
        while (end < text.size() && text[end] != ']')
          end += text[end] == '\\' ? size_t{2} : size_t{1};
        if (end >= text.size()) return "a \"[\" is never closed";
        i = end;
        can_repeat = true;
        break;
      }
      case '(':
        ++open;
        can_repeat = false;
        if (i + 1 < text.size() && text[i + 1] == '?') {
          const std::string_view rest = text.substr(i + 2);
          if (!rest.starts_with(':') && !rest.starts_with('=') && !rest.starts_with('!') &&
              !rest.starts_with('<'))
            return "it holds a \"(?\" that JavaScript does not know";
          ++i;
        }
        break;
      case ')':
        if (open-- == 0) return "a \")\" closes nothing";
        can_repeat = true;
        break;
      case '*':
      case '+':
      case '?':
        if (!can_repeat) return "there is nothing for a \"*\", \"+\" or \"?\" to repeat";
        if (i + 1 < text.size() && text[i + 1] == '?') ++i;  // as few as possible
        can_repeat = false;
        break;
      case '|':
      case '^':
        can_repeat = false;
        break;
      default:
        can_repeat = true;
        break;
    }
  }
  if (open > 0) return "a \"(\" is never closed";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> matcher_fault(std::string_view matcher, MatcherSubject subject) {
  if (matcher.empty() || matcher == "*") return std::nullopt;
  const bool is_names =
      std::ranges::all_of(matcher, [](char c) { return is_name_char(c) || c == '|'; });
  if (!is_names) {
    if (subject == MatcherSubject::kTool && is_permission_rule(matcher))
      return "it has the form of a permission rule, but a matcher is the name of a tool";
    return refusal(matcher);
  }
  if (subject != MatcherSubject::kTool) return std::nullopt;
  for (const std::string_view name : split(matcher, '|'))
    for (const std::string_view tool : kTools)
      if (differs_in_case_only(name, tool) && std::ranges::find(kTools, name) == kTools.end())
        return "the names of tools are case-sensitive";
  return std::nullopt;
}

}  // namespace stravinsky::checks
