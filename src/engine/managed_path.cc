#include "engine/managed_path.h"

#include "base/strings.h"
#include "engine/present_tree.h"
#include "model/json_text.h"

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

Error is_directory(std::string display) {
  return make_error(ErrorCode::kUsage, "is a directory, and recovery file brings back one file",
                    std::move(display))
      .with_untouched("Nothing was changed.")
      .with_remedy(
          "Name a file in it; or go back as a whole with: stravinsky rollback to VERSION "
          "(stravinsky rollback list shows them)");
}

// That a copy can be had, and is what a file of its kind must be.
Status passes_its_check(const store::BackupReader& reader, const LogicalPath& path) {
  const model::Entry* entry = reader.manifest().find(path);
  if (entry == nullptr || entry->type != fs::NodeType::kFile) return {};
  if (!entry->component->name.starts_with("settings"))
    return reader.read(*entry, [](std::span<const std::byte>) { return Status(); });
  ASSIGN_OR_RETURN(const std::string text, reader.read_text(*entry, kSettingsMaxBytes));
  if (const auto document = model::JsonText::parse(text); !document)
    return make_error(ErrorCode::kCorrupt, "is no JSON", path.display());
  return {};
}

}  // namespace

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
  std::vector<std::pair<Scope, std::string>> bases = {
      {Scope::kUser, roots.user.path}, {Scope::kUser, environment.home + "/.claude"}};
  if (const auto configured = environment.variable("CLAUDE_CONFIG_DIR"))
    bases.emplace_back(Scope::kUser, cleaned(*configured));
  if (roots.project) {
    bases.emplace_back(Scope::kProject, roots.project->path);
    bases.emplace_back(Scope::kProject, roots.project_directory + "/.claude");
  }
  for (const std::string& absolute : meant) {
    for (const auto& [scope, base] : bases) {
      if (absolute == base) return is_directory(escape(typed));
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

Result<std::shared_ptr<store::BackupReader>> backup_with_file(Session& session,
                                                              const LogicalPath& path,
                                                              const std::string& version_or_id,
                                                              const model::Image& now) {
  if (now.kind == model::ImageKind::kDirectory) return is_directory(path.display());
  const auto open = [&](const std::string& id) -> Result<std::shared_ptr<store::BackupReader>> {
    ASSIGN_OR_RETURN(store::BackupReader reader, store::BackupReader::open(session.store(), id));
    return std::make_shared<store::BackupReader>(std::move(reader));
  };
  if (!version_or_id.empty()) {
    ASSIGN_OR_RETURN(const std::string id,
                     session.backups().find(version_or_id, {.tree = session.roots().user.path}));
    ASSIGN_OR_RETURN(auto reader, open(id));
    const KnownTree then = known_tree(reader->manifest());
    const auto found = then.find(path);
    const bool was_directory =
        found != then.end() && found->second.kind == model::ImageKind::kDirectory;
    if (was_directory && now.is_absent()) return is_directory(path.display());
    return reader;
  }
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  std::string damaged;
  for (auto at = list.backups.rbegin(); at != list.backups.rend(); ++at) {
    auto reader = open(at->id);
    if (!reader) continue;  // a damaged one cannot help; `backup verify` reports it
    const auto& project = session.roots().project;
    const bool same_tree = path.scope == Scope::kUser
                               ? (*reader)->manifest().user_root == session.roots().user.path
                               : project && (*reader)->manifest().project_root == project->path;
    if (!same_tree) continue;
    const KnownTree then = known_tree((*reader)->manifest());
    const auto found = then.find(path);
    if (found == then.end()) continue;
    if (found->second.kind == model::ImageKind::kDirectory) {
      if (now.is_absent()) return is_directory(path.display());
      continue;
    }
    if (now.same_as(found->second)) continue;
    if (Status good = passes_its_check(**reader, path); good) return reader;
    if (damaged.empty()) damaged = at->id;
  }
  if (!damaged.empty())
    return make_error(
               ErrorCode::kCorrupt,
               "no backup holds another version of it that is sound; the newest is " + damaged,
               path.display())
        .with_untouched("Nothing was changed.")
        .with_remedy("See the damage: stravinsky backup verify " + damaged);
  return make_error(ErrorCode::kNotFound, "no backup holds another version of it", path.display())
      .with_untouched("Nothing was changed.")
      .with_remedy("See the backups with: stravinsky backup list");
}

}  // namespace stravinsky::engine
