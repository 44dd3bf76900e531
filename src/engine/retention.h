// retention: which backups go when a limit is exceeded, and which never do.
//
// A backup is made and verified first; only when the update that it was made for is over do
// the oldest go, one by one, until backup.max_versions, backup.max_total_size_mb and
// backup.retention_days hold. Never: what the user made by hand, the newest of each tree,
// pinned ones, those that the last committed transaction, an open one or a begun update
// leads back to, and the newest of each of the last seven days. backup.max_versions counts
// those that were made automatically.
// When these alone are larger than the limit, an update is refused with their list: it is
// the user's choice which of them is not needed.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"
#include "store/backup_store.h"

namespace stravinsky::engine {

struct RetentionLimits {
  uint64_t versions_max = 10;
  uint64_t size_max_bytes = 500'000'000;
  int64_t age_max_ns = INT64_MAX;
};
RetentionLimits retention_limits(const model::Config& config);

struct RetentionPlan {
  std::vector<std::string> evicted;  // the oldest first
  uint64_t kept_bytes = 0;
  std::vector<std::string> kept;
  bool fits = true;  // in size: protected ones may be more than versions_max
};
// Of a list that is ascending by age. needed holds ids that something leads back to.
RetentionPlan plan_retention(const std::vector<store::BackupInfo>& backups,
                             const std::set<std::string>& needed, const RetentionLimits& limits,
                             int64_t now_ns);

// kNoSpace, with the list, when what must stay is larger than the limit.
Status refuse_beyond_limits(Session& session, const store::Latest& latest);

// Deletes what has to go, each on record, and returns the ids. A backup that cannot be
// deleted is told and stays.
Result<std::vector<std::string>> keep_within_limits(Session& session, const store::Latest& latest);

}  // namespace stravinsky::engine
