#include "checks/agents_check.h"

#include <map>
#include <optional>
#include <string>

#include "base/strings.h"
#include "checks/document.h"

namespace stravinsky::checks {
namespace {

using model::LogicalPath;
using model::Scope;

// The name that a file which is there already goes by.
std::optional<std::string> name_of_present(const TreeView& next, const LogicalPath& path) {
  const auto file = next.find(path);
  if (!file || !file->has_value() || (*file)->type != fs::NodeType::kFile) return std::nullopt;
  if ((*file)->size_bytes > kFrontMatterMaxBytes * 4) return std::nullopt;
  const auto text = (*file)->read();
  if (!text) return std::nullopt;
  const FrontMatter front = read_front_matter(*text);
  const FrontField* name = front.find("name");
  return name == nullptr || front.fault ? std::nullopt : std::optional(name->text);
}

struct Named {
  LogicalPath path;
  int line = 0;
};

Status check_agents_of(const TreeView& next, const TreeView* present, Scope scope,
                       DocumentFindings& findings) {
  if (is_untouched_beneath(scope, "agents", next, present)) return {};
  ASSIGN_OR_RETURN(const auto paths, documents_beneath(next, scope, "agents"));
  std::map<std::string, std::vector<Named>> brought;
  std::vector<LogicalPath> others;
  for (const LogicalPath& path : paths) {
    // What a package says about its agents is no agent.
    if (folded(path.path.name()) == "readme.md") continue;
    ASSIGN_OR_RETURN(const auto file, find_brought(next, present, path));
    if (!file) {
      others.push_back(path);
      continue;
    }
    const auto front = findings.read(path, *file);
    if (!front || front->fault) continue;
    if (!front->is_there) {
      // Deeper down it is often what an agent reads.
      const bool is_deep = path.path.parent().has_parent();
      findings.say(is_deep ? Severity::kInformation : Severity::kWarning, "agent.no_front_matter",
                   path, 1, "it has no front matter, so Claude Code does not load it",
                   "Begin it with name and description between two lines \"---\".");
      continue;
    }
    const FrontField* name = front->find("name");
    if (name == nullptr || !name->says_something()) {
      findings.say(Severity::kWarning, "agent.no_name", path, 1,
                   "its front matter has no name, so Claude Code does not load it");
    } else {
      brought[folded(name->text)].push_back({path, name->line});
    }
    const FrontField* description = front->find("description");
    if (description == nullptr || !description->says_something())
      findings.say(Severity::kWarning, "agent.no_description", path, 1,
                   "its front matter has no description, so Claude Code does not load it");
  }
  const auto tell = [&](const Named& named, const LogicalPath& other) {
    findings.say(Severity::kWarning, "agent.duplicate", named.path, named.line,
                 "its name is that of " + other.display() + " too, and one hides the other");
  };
  for (const auto& [name, files] : brought)
    for (size_t i = 1; i < files.size(); ++i) tell(files[i], files[0].path);
  if (brought.empty()) return {};
  for (const LogicalPath& path : others)
    if (const auto name = name_of_present(next, path))
      if (const auto same = brought.find(folded(*name)); same != brought.end())
        tell(same->second.front(), path);
  return {};
}

}  // namespace

Result<std::vector<Finding>> check_agents(const TreeView& next, const TreeView* present) {
  DocumentFindings findings("agents");
  for (const Scope scope : {Scope::kUser, Scope::kProject})
    RETURN_IF_ERROR(check_agents_of(next, present, scope, findings));
  return findings.take();
}

}  // namespace stravinsky::checks
