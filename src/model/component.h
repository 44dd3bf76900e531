// Component: what is managed in a Claude Code tree, as data.
//
// A tree has one root a scope: ~/.claude (or CLAUDE_CONFIG_DIR) for the user,
// <project>/.claude for the project. A managed path belongs to exactly one row
// of the component table; a new component is a new row and no other code.
// Archives hold the members of both scopes: "hooks/x.py" of the user's root and
// "project_hooks/x.py" of the project's. Exclusions win over everything: an
// excluded path is neither stored, nor changed, nor deleted. They and the list
// of secrets are facts about Claude Code, Stravinsky and where people keep keys.
#pragma once

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fs/rel_path.h"

namespace stravinsky::model {

enum class Scope { kUser, kProject };

std::string_view scope_name(Scope scope);  // "user", "project"
std::optional<Scope> parse_scope(std::string_view name);

// A path in the .claude root of its scope: the identity of a managed file.
struct LogicalPath {
  Scope scope = Scope::kUser;
  fs::RelPath path;

  // "~/.claude/hooks/x.py", ".claude/hooks/x.py", escaped for people.
  std::string display() const;
  auto operator<=>(const LogicalPath&) const = default;
};

enum class ComponentKind {
  kArchive,     // a directory, kept as <name>.tar.gz
  kFile,        // one file, kept as a byte-exact copy
  kReferenced,  // files that settings name outside all other rows, kept as an archive
};

struct Component {
  std::string_view name;  // "hooks", "settings": the key in manifest.json
  ComponentKind kind;
  std::string_view top;  // its name in the root; empty for kReferenced
  bool always;           // kept in every backup, present or not
};

std::span<const Component> components();
const Component* find_component(std::string_view name);
// The row a path belongs to; kReferenced for any path outside the others;
// nullptr for a path beneath a name that should be a file.
const Component* component_of(const fs::RelPath& path);

// True for what is never managed and for secrets, and for everything beneath.
bool is_excluded(const fs::RelPath& path);
// True for secrets alone.
bool is_secret(const fs::RelPath& path);

// The file in a backup's directory: "hooks.tar.gz", "settings.json",
// "project_settings.json". scope counts for kFile only.
std::string stored_name(const Component& component, Scope scope);
// Its key in manifest.json's "files": "hooks", "settings", "project_settings".
std::string stored_key(const Component& component, Scope scope);

// "hooks/x.py", "project_hooks/x.py", "referenced/statusline.sh". For archives.
std::string archive_member(const Component& component, const LogicalPath& path);
// The inverse; nullopt for a member that does not belong to the component.
std::optional<LogicalPath> parse_archive_member(const Component& component,
                                                std::string_view member);

}  // namespace stravinsky::model
