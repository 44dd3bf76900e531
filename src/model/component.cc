#include "model/component.h"

#include <array>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::model {
namespace {

constexpr std::array kComponents = {
    Component{"hooks", ComponentKind::kArchive, "hooks", true},
    Component{"commands", ComponentKind::kArchive, "commands", true},
    Component{"agents", ComponentKind::kArchive, "agents", false},
    Component{"skills", ComponentKind::kArchive, "skills", false},
    Component{"rules", ComponentKind::kArchive, "rules", false},
    Component{"output-styles", ComponentKind::kArchive, "output-styles", false},
    Component{"settings", ComponentKind::kFile, "settings.json", true},
    Component{"settings.local", ComponentKind::kFile, "settings.local.json", false},
    Component{"CLAUDE.md", ComponentKind::kFile, "CLAUDE.md", false},
    Component{"referenced", ComponentKind::kReferenced, "", false},
};

enum class Where {
  kTop,       // a name in the root itself
  kAnywhere,  // any component of a path
  kPath,      // this path and what is beneath
};

struct Exclusion {
  std::string_view pattern;  // at most one '*', at either end
  Where where;
};

constexpr std::array kNeverManaged = {
    Exclusion{"projects", Where::kTop},
    Exclusion{"history.jsonl", Where::kTop},
    Exclusion{"todos", Where::kTop},
    Exclusion{"tasks", Where::kTop},
    Exclusion{"plans", Where::kTop},
    Exclusion{"file-history", Where::kTop},
    Exclusion{"shell-snapshots", Where::kTop},
    Exclusion{"session-env", Where::kTop},
    Exclusion{"sessions", Where::kTop},
    Exclusion{"ide", Where::kTop},
    Exclusion{"statsig", Where::kTop},
    Exclusion{"telemetry", Where::kTop},
    Exclusion{"debug", Where::kTop},
    Exclusion{"cache", Where::kTop},
    Exclusion{"paste-cache", Where::kTop},
    Exclusion{"image-cache", Where::kTop},
    Exclusion{"downloads", Where::kTop},
    Exclusion{"jobs", Where::kTop},
    Exclusion{"daemon*", Where::kTop},
    Exclusion{"stats-cache.json", Where::kTop},
    Exclusion{".last-cleanup", Where::kTop},
    Exclusion{"backups", Where::kTop},
    Exclusion{"plugins", Where::kTop},
    Exclusion{".backups", Where::kTop},
    Exclusion{".manifests", Where::kTop},
    Exclusion{".logs", Where::kTop},
    Exclusion{"state", Where::kTop},
    Exclusion{"worktrees", Where::kTop},
    Exclusion{"hooks/logs", Where::kPath},
    Exclusion{"__pycache__", Where::kAnywhere},
    Exclusion{"*_state.json", Where::kAnywhere},
    Exclusion{"task_dependencies.json", Where::kAnywhere},
    // The names of an open transaction of ours (model/store_layout.h).
    Exclusion{".rbk-*", Where::kAnywhere},
};

// ~/.claude.json and ~/.stravinsky lie outside every root; the first is listed
// for a root that is the home directory itself.
constexpr std::array kSecrets = {
    Exclusion{".credentials.json", Where::kAnywhere},
    Exclusion{".claude.json", Where::kAnywhere},
    Exclusion{".mcp.json", Where::kAnywhere},
    Exclusion{"*.pem", Where::kAnywhere},
    Exclusion{"*.key", Where::kAnywhere},
    Exclusion{".env*", Where::kAnywhere},
};

bool matches_name(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.starts_with('*')) return name.ends_with(pattern.substr(1));
  return name == pattern;
}

bool matches(const Exclusion& exclusion, const fs::RelPath& path,
             std::span<const std::string_view> parts) {
  switch (exclusion.where) {
    case Where::kTop:
      return matches_name(exclusion.pattern, parts.front());
    case Where::kPath:
      return path.str() == exclusion.pattern || (path.str().starts_with(exclusion.pattern) &&
                                                 path.str()[exclusion.pattern.size()] == '/');
    case Where::kAnywhere:
      for (const std::string_view part : parts)
        if (matches_name(exclusion.pattern, part)) return true;
      return false;
  }
  return false;
}

bool matches_any(std::span<const Exclusion> table, const fs::RelPath& path) {
  const auto parts = path.components();
  for (const Exclusion& exclusion : table)
    if (matches(exclusion, path, parts)) return true;
  return false;
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

constexpr std::string_view kProjectPrefix = "project_";

std::string_view prefix(Scope scope) {
  return scope == Scope::kProject ? kProjectPrefix : "";
}

}  // namespace

std::string_view scope_name(Scope scope) {
  return scope == Scope::kUser ? "user" : "project";
}

std::optional<Scope> parse_scope(std::string_view name) {
  if (name == "user") return Scope::kUser;
  if (name == "project") return Scope::kProject;
  return std::nullopt;
}

std::string LogicalPath::display() const {
  return (scope == Scope::kUser ? "~/.claude/" : ".claude/") + escape(path.str());
}

std::span<const Component> components() {
  return kComponents;
}

const Component* find_component(std::string_view name) {
  for (const Component& component : kComponents)
    if (component.name == name) return &component;
  return nullptr;
}

const Component* component_of(const fs::RelPath& path) {
  const std::string_view text = path.str();
  const std::string_view top = text.substr(0, text.find('/'));
  for (const Component& component : kComponents) {
    if (component.kind == ComponentKind::kReferenced) return &component;  // the last row
    if (component.top != top) continue;
    return component.kind == ComponentKind::kFile && path.has_parent() ? nullptr : &component;
  }
  return nullptr;
}

bool is_secret(const fs::RelPath& path) {
  // Where case does not count a key may be written in either; so it is here.
  return matches_any(kSecrets, fs::RelPath::of(lower_ascii(path.str())));
}

bool is_excluded(const fs::RelPath& path) {
  return matches_any(kNeverManaged, path) || is_secret(path);
}

std::string stored_name(const Component& component, Scope scope) {
  if (component.kind == ComponentKind::kFile)
    return std::string(prefix(scope)) + std::string(component.top);
  return std::string(component.name) + ".tar.gz";
}

std::string stored_key(const Component& component, Scope scope) {
  if (component.kind == ComponentKind::kFile)
    return std::string(prefix(scope)) + std::string(component.name);
  return std::string(component.name);
}

std::string archive_member(const Component& component, const LogicalPath& path) {
  CHECK(component.kind != ComponentKind::kFile);
  std::string member(prefix(path.scope));
  if (component.kind == ComponentKind::kReferenced) member += "referenced/";
  return member + path.path.str();
}

std::optional<LogicalPath> parse_archive_member(const Component& component,
                                                std::string_view member) {
  Scope scope = Scope::kUser;
  if (member.starts_with(kProjectPrefix)) {
    scope = Scope::kProject;
    member.remove_prefix(kProjectPrefix.size());
  }
  if (component.kind == ComponentKind::kReferenced) {
    if (!member.starts_with("referenced/")) return std::nullopt;
    member.remove_prefix(std::string_view("referenced/").size());
  }
  auto path = fs::RelPath::parse(member);
  if (!path || component_of(*path) != &component) return std::nullopt;
  return LogicalPath{.scope = scope, .path = std::move(*path)};
}

}  // namespace stravinsky::model
