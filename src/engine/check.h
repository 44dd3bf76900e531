// check: everything that is looked at before an update, without one.
//
// Without a bundle the live tree is judged as if an update had just brought it; with
// one, the tree as an update from it would make it, so that only what would become
// worse blocks. Nothing is written: the session is a dry run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "engine/operation_result.h"
#include "engine/session.h"
#include "engine/updater.h"

namespace stravinsky::engine {

struct CheckRequest {
  std::optional<UpdateRequest> update;  // nullopt: the live tree
};

struct CheckReport {
  std::vector<checks::Finding> findings;
  std::vector<FileReport> files;  // what the update would do
  std::string from_version;
  std::string to_version;                    // empty without an update
  std::optional<uint64_t> disk_space_bytes;  // free for the store, or for the tree without one
  uint64_t file_count = 0;

  bool is_refused() const { return has_blocking(findings); }
  // The names of the checks that block or could not be carried out.
  std::vector<std::string> failed_checks() const;
};

// Errors are those of reading the bundle and of the session; whatever would make an
// update refuse is a finding.
Result<CheckReport> check(Session& session, const CheckRequest& request);

}  // namespace stravinsky::engine
