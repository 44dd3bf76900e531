#include "checks/skills_check.h"

#include <map>
#include <optional>
#include <string>

#include "base/strings.h"
#include "checks/document.h"

namespace stravinsky::checks {
namespace {

using model::LogicalPath;
using model::Scope;

constexpr std::string_view kFileName = "SKILL.md";

struct Skill {
  std::optional<LogicalPath> file;         // skills/<name>/SKILL.md
  std::optional<LogicalPath> nearly;       // "skill.md"
  bool has_skills_beneath = false;         // skills/<group>/<name>/SKILL.md
  std::vector<LogicalPath> maybe_brought;  // files of it
};

void check_file(const LogicalPath& path, const FileView& file, DocumentFindings& findings) {
  const auto front = findings.read(path, file);
  if (!front || front->fault) return;
  if (!front->is_there)
    return findings.say(Severity::kWarning, "skill.no_front_matter", path, 1,
                        "it has no front matter, so Claude Code cannot tell when to use it",
                        "Begin it with name and description between two lines \"---\".");
  const auto lacks = [&](std::string_view key) {
    const FrontField* field = front->find(key);
    return field == nullptr || !field->says_something();
  };
  if (lacks("name"))
    findings.say(Severity::kWarning, "skill.no_name", path, 1, "its front matter has no name");
  if (lacks("description"))
    findings.say(Severity::kWarning, "skill.no_description", path, 1,
                 "its front matter has no description, so Claude Code cannot tell when to use it");
}

Result<std::optional<LogicalPath>> first_brought(const TreeView& next, const TreeView* present,
                                                 const std::vector<LogicalPath>& paths) {
  for (const LogicalPath& path : paths) {
    ASSIGN_OR_RETURN(const auto file, find_brought(next, present, path));
    if (file) return std::optional(path);
  }
  return std::optional<LogicalPath>();
}

Status check_skills_of(const TreeView& next, const TreeView* present, Scope scope,
                       DocumentFindings& findings) {
  if (is_untouched_beneath(scope, "skills", next, present)) return {};
  ASSIGN_OR_RETURN(const auto paths, next.files_beneath(scope, "skills"));
  std::map<std::string, Skill> skills;
  for (const LogicalPath& path : paths) {
    const auto parts = split(path.path.str(), '/');
    if (parts.size() < 3) continue;  // a file that lies between the skills
    Skill& skill = skills[std::string(parts[1])];
    if (parts.size() == 3 && parts[2] == kFileName) skill.file = path;
    if (parts.size() == 3 && parts[2] != kFileName && folded(parts[2]) == folded(kFileName))
      skill.nearly = path;
    if (parts.size() > 3 && parts.back() == kFileName) skill.has_skills_beneath = true;
    if (!is_untouched(path, next, present)) skill.maybe_brought.push_back(path);
  }
  std::map<std::string, LogicalPath> by_name;
  for (const auto& [name, skill] : skills) {
    if (skill.file) {
      if (const auto [same, is_new] = by_name.emplace(folded(name), *skill.file); !is_new)
        findings.say(
            Severity::kWarning, "skill.duplicate", *skill.file, 0,
            "only upper and lower case tell its directory from that of " + same->second.display());
      ASSIGN_OR_RETURN(const auto file, find_brought(next, present, *skill.file));
      if (file) check_file(*skill.file, *file, findings);
    } else if (!skill.has_skills_beneath) {
      ASSIGN_OR_RETURN(const auto brought, first_brought(next, present, skill.maybe_brought));
      if (!brought) continue;
      if (skill.nearly)
        findings.say(Severity::kWarning, "skill.no_file", *skill.nearly, 0,
                     "it must be called SKILL.md, in capitals, or Claude Code does not see it");
      else
        // Often what several skills share.
        findings.say(Severity::kInformation, "skill.no_file", *brought, 0,
                     "there is no SKILL.md in skills/" + escape(name) + ", so that it is no skill");
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Finding>> check_skills(const TreeView& next, const TreeView* present) {
  DocumentFindings findings("skills");
  for (const Scope scope : {Scope::kUser, Scope::kProject})
    RETURN_IF_ERROR(check_skills_of(next, present, scope, findings));
  return findings.take();
}

}  // namespace stravinsky::checks
