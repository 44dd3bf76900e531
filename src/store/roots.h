// Roots: the directories that hold the managed trees, found and made canonical.
//
// The user's root is CLAUDE_CONFIG_DIR, else ~/.claude. The project's is the
// ".claude" of the nearest directory at or above the working directory that has
// one; the search ends below the home directory, whose .claude is the user's, and
// at a repository's top (a ".git" directory, or the ".git" file of a linked
// worktree). So a project's part never lands in another project or in the user's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/component.h"

namespace stravinsky::store {

struct RootsRequest {
  std::string home;                                // absolute
  std::string working_directory;                   // absolute
  std::optional<std::string> claude_config_dir{};  // CLAUDE_CONFIG_DIR; empty counts as unset
  std::optional<std::string> project{};            // --project: the directory, no search
};

struct Root {
  std::string path;     // absolute, canonical
  bool exists = false;  // false: a fresh install, legal
  uint64_t device = 0;  // of the directory, when it exists
  uint64_t inode = 0;
};

struct Roots {
  std::string home;               // canonical
  Root user;                      // the .claude directory itself
  std::optional<Root> project;    // the same of the project
  std::string project_directory;  // canonical, the one that holds .claude; empty without a project

  // nullptr for the project's scope without a project.
  const Root* of(model::Scope scope) const;
  // Beneath which a link of the user's may lead without consent.
  std::vector<std::string> allowed() const;
};

// kUsage for a CLAUDE_CONFIG_DIR that is relative (it would be another tree in every
// working directory), and for a root that is / or the home itself.
Result<Roots> find_roots(fs::FileSystem& fs, const RootsRequest& request);

// kUsage when a root holds the store or lies in it: a backup would back up itself, and a
// change could reach what is to take it back. store is absolute and may not be there yet.
Status refuse_overlap(fs::FileSystem& fs, const Roots& roots, const std::string& store);

}  // namespace stravinsky::store
