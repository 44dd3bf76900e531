// Invocation: what one run of the program was asked for, and the means to do it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/output.h"
#include "engine/session.h"

namespace stravinsky::cli {

struct GlobalOptions {
  bool dry_run = false;
  bool yes = false;
  std::optional<std::string> root;     // --root
  std::optional<std::string> project;  // --project
  bool follow_outside_links = false;
  bool foreign_owner = false;
  bool no_backup = false;  // of a way back
};

enum class Use {
  kRead,    // makes no store, and recovers if it can
  kChange,  // changes the tree out of what the store has: makes none
  kWrite,   // makes the store when there is none
};

struct Invocation {
  const engine::Environment& environment;
  const Output& output;
  GlobalOptions options;
  std::string command;  // "rollback undo": the name in --json
  // For a session beside the one that has told everything: no steps, no warnings again.
  bool is_silent = false;
  // Set once a session is open that may change something; nullptr: nobody asks.
  bool* may_have_changed = nullptr;

  // A session whose steps and recoveries are told as they happen.
  Result<std::unique_ptr<engine::Session>> open_session(Use use) const;
  // An absolute path from one typed: "~" and the working directory are put in front.
  std::string absolute(const std::string& typed) const;
  ExitCode fail(const Error& error) const { return output.error(command, error); }
};

}  // namespace stravinsky::cli
