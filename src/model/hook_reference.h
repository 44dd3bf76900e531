// HookReference: which files the hooks and the status line of a settings file run.
//
// A registered hook whose file is absent denies every matching tool call (python
// and sh exit with 2, and 2 means deny), so the names in settings must be read
// before files come and go. Text only: nothing is looked up on disk, nothing is
// run. A path that the text alone does not decide is kUnknown, never an error.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/component.h"
#include "model/interpreter.h"
#include "model/json_text.h"

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

// Whether the command looks if the file is there before it runs it.
enum class Guard { kNone, kTested };

struct ReferencedFile {
  Interpreter interpreter = Interpreter::kDirect;
  std::string program;  // "python3", "/usr/bin/node"; empty when run directly
  Place place = Place::kUnknown;
  std::string path;
  Guard guard = Guard::kNone;

  // The managed file; nullopt outside the roots of user and project.
  std::optional<LogicalPath> logical() const;
};

// command and args may hold secrets and are never shown.
struct HookReference {
  std::string json_path;  // "hooks.PreToolUse[0].hooks[1]", "statusLine"
  size_t offset = 0;      // of the handler in the settings
  TextPosition position;  // the same for people
  std::string event;      // "PreToolUse"; empty for the status line
  std::string matcher;
  std::string type;  // "command", "prompt", ...
  std::string command;
  std::vector<std::string> args;
  std::vector<ReferencedFile> files;  // in the order of the command

  bool is_status_line() const { return event.empty(); }
};

// scope is that of the settings file: a path relative to the working directory
// counts as the project's only there, and only when it begins with ".claude/".
std::expected<std::vector<HookReference>, JsonFault> find_hook_references(std::string_view settings,
                                                                          Scope scope,
                                                                          const HookRoots& roots);

// The files of one shell command, with the rules of find_hook_references.
std::vector<ReferencedFile> files_of_command(std::string_view command, Scope scope,
                                             const HookRoots& roots);
// The same for the form without a shell, where only ${NAME} of Claude Code's own
// variables is replaced.
std::vector<ReferencedFile> files_of_exec(std::string_view program,
                                          const std::vector<std::string>& args, Scope scope,
                                          const HookRoots& roots);

}  // namespace stravinsky::model
