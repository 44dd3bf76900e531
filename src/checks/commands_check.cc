#include "checks/commands_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/strings.h"
#include "checks/document.h"

namespace stravinsky::checks {
namespace {

using model::LogicalPath;
using model::Scope;

constexpr std::string_view kTop = "commands/";
constexpr std::string_view kEnd = ".md";

// "name" of "skills/name/SKILL.md".
std::set<std::string> skill_names(const TreeView& next, Scope scope) {
  std::set<std::string> names;
  const auto files = next.files_beneath(scope, "skills");
  if (!files) return names;  // check_skills speaks of it
  for (const LogicalPath& path : *files)
    if (const auto parts = split(path.path.str(), '/'); parts.size() == 3 && parts[2] == "SKILL.md")
      names.insert(folded(parts[1]));
  return names;
}

Status check_commands_of(const TreeView& next, const TreeView* present, Scope scope,
                         DocumentFindings& findings) {
  if (is_untouched_beneath(scope, "commands", next, present) &&
      is_untouched_beneath(scope, "skills", next, present))
    return {};
  ASSIGN_OR_RETURN(const auto paths, documents_beneath(next, scope, "commands"));
  std::map<std::string, std::vector<LogicalPath>> by_id;
  std::vector<LogicalPath> undescribed;
  for (const LogicalPath& path : paths) {
    by_id[folded(command_id(path.path))].push_back(path);
    ASSIGN_OR_RETURN(const auto file, find_brought(next, present, path));
    if (!file) continue;
    if (command_id(path.path).find_first_of(" \t\n\r") != std::string::npos)
      findings.say(Severity::kWarning, "command.no_name", path, 0,
                   "there is a space in its name, so that it cannot be typed");
    const auto front = findings.read(path, *file);
    if (!front || front->fault) continue;
    const FrontField* description = front->find("description");
    if (description == nullptr || !description->says_something()) undescribed.push_back(path);
  }
  for (const auto& [id, same] : by_id)
    for (size_t i = 1; i < same.size(); ++i)
      findings.say(Severity::kWarning, "command.duplicate", same[i], 0,
                   "only upper and lower case tell it from " + same[0].display(),
                   "Rename one of them: where case does not count, one hides the other.");
  if (!paths.empty()) {
    const std::set<std::string> skills = skill_names(next, scope);
    for (const auto& [id, same] : by_id)
      if (skills.contains(id))
        findings.say(Severity::kWarning, "command.hidden", same[0], 0,
                     "there is a skill of its name, which Claude Code takes instead");
  }
  if (!undescribed.empty()) {
    std::string which = "it has no description";
    if (undescribed.size() > 1)
      which = "it and " + with_thousands(undescribed.size() - 1) + " more have no description";
    findings.say(Severity::kInformation, "command.no_description", undescribed[0], 0,
                 which + ", so the first line of the text stands in for it");
  }
  return {};
}

}  // namespace

std::string command_id(const fs::RelPath& path) {
  std::string id(path.str());
  if (id.starts_with(kTop)) id.erase(0, kTop.size());
  if (id.ends_with(kEnd)) id.resize(id.size() - kEnd.size());
  std::ranges::replace(id, '/', ':');
  return id;
}

Result<std::vector<Finding>> check_commands(const TreeView& next, const TreeView* present) {
  DocumentFindings findings("commands");
  for (const Scope scope : {Scope::kUser, Scope::kProject})
    RETURN_IF_ERROR(check_commands_of(next, present, scope, findings));
  return findings.take();
}

}  // namespace stravinsky::checks
