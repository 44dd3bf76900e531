// backups: are they still what was written? And where to with those that are not.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct VerifyRequest {
  std::string version_or_id;  // all backups of this version, and the one of this id; empty: all
  store::VerifyDepth depth = store::VerifyDepth::kFull;
};

struct BackupVerdict {
  std::string id;                     // escaped for people
  std::vector<std::string> problems;  // empty: good
};

// Reads every byte, carries on past damage, and records what was found. Ascending by
// sequence, those without a valid manifest last. kNotFound lists what there is.
Result<std::vector<BackupVerdict>> verify_backups(Session& session, const VerifyRequest& request);

// Moves a damaged backup to quarantine/, on record, and returns its name there. kChanged
// when it is good at a second look.
Result<std::string> quarantine_backup(Session& session, const std::string& id,
                                      const std::string& reason);

}  // namespace stravinsky::engine
