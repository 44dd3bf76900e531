// HookCommand: which files and programs the command of a hook runs.
//
// Enough of a shell's reading (model/shell_words.h) to see through interpreters and their
// options, runners such as "uv run", and programs that run another one. Text only: nothing
// is looked up on disk, nothing is run. A path that the text alone does not decide is
// kUnknown, never an error. ".." is taken out by the text: that a directory before it may
// be a link is not looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/component.h"
#include "model/interpreter.h"

namespace stravinsky::model {

// Absolute paths without a slash at the end; empty when there is none. The aliases
// are other names of the same directories, such as what a link leads to.
struct HookRoots {
  std::string home;
  std::string user_root;     // ~/.claude or CLAUDE_CONFIG_DIR
  std::string project_root;  // the directory that holds the project's .claude
  // NOLINTBEGIN(readability-redundant-member-init): so that initializers may leave them out
  std::vector<std::string> user_root_aliases{};
  std::vector<std::string> project_root_aliases{};
  // NOLINTEND(readability-redundant-member-init)
};

enum class Place {
  kUser,     // path is relative to user_root
  kProject,  // path is relative to project_root/.claude
  kPlugin,   // path is relative to ${CLAUDE_PLUGIN_ROOT}
  kOutside,  // path is absolute, in none of the roots
  kUnknown,  // path is empty
};

// Whether a shell makes the path out of what is written. A "~" in quotes, "$HOME" in single
// quotes and both in the form without a shell stay as they are, and no such file exists.
enum class Expansion { kDone, kNever };

// Whether the command looks if the file is there before it runs it.
enum class Guard { kNone, kTested };

struct ReferencedFile {
  Interpreter interpreter = Interpreter::kDirect;
  std::string program;  // "python3", "/usr/bin/node"; empty when run directly
  Place place = Place::kUnknown;
  std::string path;
  Guard guard = Guard::kNone;
  Expansion expansion = Expansion::kDone;  // kNever: the place is kUnknown

  // The managed file; nullopt outside the roots of user and project.
  std::optional<LogicalPath> logical() const;
};

struct CommandReading {
  std::vector<ReferencedFile> files;  // in the order of the command
  // Interpreters and runners by the name or absolute path that starts them, without those
  // that the command looks for first, or that are in a root.
  std::vector<std::string> programs;
  bool is_undecided = false;  // $(...) or `...` decides what is run
  bool runs_module = false;   // "python -m", with a module that may be a file of the tree
};

// A command for a shell, in the settings of scope: a path relative to the working directory
// counts as the project's only there, and only when it begins with ".claude/".
CommandReading read_command(std::string_view command, Scope scope, const HookRoots& roots);
// The same for the form without a shell, where only ${NAME} of Claude Code's own
// variables is replaced.
CommandReading read_exec(std::string_view program, const std::vector<std::string>& args,
                         Scope scope, const HookRoots& roots);

}  // namespace stravinsky::model
