#include "engine/managed_path.h"

#include "base/strings.h"

namespace stravinsky::engine {
namespace {

using model::LogicalPath;
using model::Scope;

// Without ".", ".." and double slashes; by text alone, so that a link named by the
// user stays the link.
std::string cleaned(const std::string& absolute) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(absolute, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string path;
  for (const std::string_view part : parts) path += "/" + std::string(part);
  return path;
}

// Beneath base, or nothing.
std::optional<fs::RelPath> beneath(const std::string& path, const std::string& base) {
  if (!path.starts_with(base + "/")) return std::nullopt;
  const auto parsed = fs::RelPath::parse(path.substr(base.size() + 1));
  return parsed ? std::optional(*parsed) : std::nullopt;
}

}  // namespace

Error is_directory_not_file(const std::string& shown) {
  return make_error(ErrorCode::kUsage, "is a directory, and recovery file brings back one file",
                    shown)
      .with_untouched("Nothing was changed.")
      .with_remedy("Name a file in it; or bring all of it back: stravinsky recovery directory " +
                   shell_quote(shown));
}

Result<LogicalPath> managed_path(const Session& session, const std::string& typed) {
  const Environment& environment = session.environment();
  const store::Roots& roots = session.roots();
  std::vector<std::string> meant;
  if (typed == "~" || typed.starts_with("~/")) {
    meant.push_back(environment.home + typed.substr(1));
  } else if (typed.starts_with('/')) {
    meant.push_back(typed);
  } else {
    meant.push_back(environment.working_directory + "/" + typed);
    // As paths of the project are printed, wherever in it one stands.
    if (roots.project && typed.starts_with(".claude/"))
      meant.push_back(roots.project_directory + "/" + typed);
  }
  for (std::string& path : meant) path = cleaned(path);
  // The roots by the name the user types, and by the one without links.
  std::vector<std::pair<Scope, std::string>> bases = {{Scope::kUser, roots.user.path}};
  const auto configured = environment.variable("CLAUDE_CONFIG_DIR");
  const bool is_elsewhere = configured && !configured->empty();
  if (is_elsewhere) bases.emplace_back(Scope::kUser, cleaned(*configured));
  // "~/.claude" is how the user's tree is printed, wherever it is. Where it is elsewhere, the
  // whole path of the home's own .claude means that.
  if (!is_elsewhere || typed.starts_with("~/"))
    bases.emplace_back(Scope::kUser, environment.home + "/.claude");
  if (roots.project) {
    bases.emplace_back(Scope::kProject, roots.project->path);
    bases.emplace_back(Scope::kProject, roots.project_directory + "/.claude");
  }
  for (const std::string& absolute : meant) {
    for (const auto& [scope, base] : bases) {
      if (absolute == base)
        return make_error(ErrorCode::kUsage, "is a whole tree", escape(typed))
            .with_untouched("Nothing was changed.")
            .with_remedy(
                "Bring a whole version back: stravinsky recovery version VERSION "
                "(stravinsky rollback list shows them).");
      const auto path = beneath(absolute, base);
      if (!path) continue;
      if (model::is_excluded(*path))
        return make_error(ErrorCode::kUsage, "is never managed, so no backup has it", escape(typed))
            .with_untouched("Nothing was changed.")
            .with_remedy("Bring it back from a copy of your own; the program never touches it.");
      return LogicalPath{scope, *path};
    }
  }
  std::string trees = escape(roots.user.path);
  if (roots.project) trees += " and " + escape(roots.project->path);
  return make_error(ErrorCode::kUsage, "lies in no managed tree", escape(meant.front()))
      .with_untouched("Nothing was changed.")
      .with_remedy("Managed here: " + trees + "; another project's tree is named with --project.");
}

}  // namespace stravinsky::engine
