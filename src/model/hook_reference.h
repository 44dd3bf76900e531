// HookReference: which files the hooks and the status line of a settings file run.
//
// A registered hook whose file is absent denies every matching tool call (python
// and sh exit with 2, and 2 means deny), so the names in settings must be read
// before files come and go. Text only: nothing is looked up on disk, nothing is
// run. How a command is read is said in model/hook_command.h.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "model/component.h"
#include "model/hook_command.h"
#include "model/json_text.h"

namespace stravinsky::model {

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
  std::vector<ReferencedFile> files;  // as in CommandReading, and the next three too
  std::vector<std::string> programs;
  bool is_undecided = false;
  bool runs_module = false;

  bool is_status_line() const { return event.empty(); }
};

// scope is that of the settings file: a path relative to the working directory
// counts as the project's only there, and only when it begins with ".claude/".
std::expected<std::vector<HookReference>, JsonFault> find_hook_references(std::string_view settings,
                                                                          Scope scope,
                                                                          const HookRoots& roots);

}  // namespace stravinsky::model
