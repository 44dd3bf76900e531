// backups: are they still what was written?
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

}  // namespace stravinsky::engine
