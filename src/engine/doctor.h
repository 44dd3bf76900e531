// doctor: everything is looked at; what is amiss is told in the order in which to mend it,
// each with its command; and of what is broken in the tree follows the level of recovery:
//
//   one file, or the settings          level 1   recovery file
//   a directory, or much in one        level 2   recovery directory
//   several directories                level 3   recovery version
//   and no backup of it is intact      the last  recovery emergency
//
// Needs nothing to be good: what cannot be looked at is a finding, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "engine/session.h"

namespace stravinsky::engine {

enum class RecoveryLevel { kNone, kFile, kDirectory, kVersion, kEmergency };
std::string_view recovery_level_name(RecoveryLevel level);  // "none", "file", ...

struct Ailment {
  std::string area;  // "store", "transactions", "backups", "tree", ...
  checks::Severity severity = checks::Severity::kWarning;
  std::string message;
  std::string remedy;  // a command or a sentence; may be empty
};

struct Diagnosis {
  std::vector<Ailment> ailments;
  RecoveryLevel level = RecoveryLevel::kNone;
  std::vector<std::string> commands;  // of that level

  // Nothing but what is good to know.
  bool is_well() const;
};

// The session is a dry run: nothing is written.
Result<Diagnosis> examine(Session& session);

// What can be mended without a decision of the user's: interrupted transactions are
// recovered, events that were kept go into the trail, damaged backups go to quarantine,
// leftovers go. Returns what was done, a sentence each.
Result<std::vector<std::string>> mend(Session& session);

// The decision alone. broken: managed files that are missing or cannot work; gone:
// components that stood in the newest backup and have no directory any more.
struct Damage {
  std::vector<std::string> broken;  // as displayed
  std::vector<std::string> gone;    // "~/.claude/hooks"
  bool has_intact_backup = false;
  std::string version;  // what `recovery version` would be given
};
void decide(const Damage& damage, Diagnosis& diagnosis);

}  // namespace stravinsky::engine
