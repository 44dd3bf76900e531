// The checks of what an update needs around the tree: room, rights, quiet, and
// backups that can be believed. One file each; all of them only look.
//
// The transaction looks at room and rights again, exactly and at the last moment
// (txn/preflight.h); here they are said all at once, before anything is begun.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "checks/finding.h"
#include "fs/file_system.h"
#include "store/backup_store.h"
#include "store/snapshot.h"

namespace stravinsky::checks {

// The trees and the store; store is fs::Fd::kNone while there is none.
struct Surroundings {
  fs::FileSystem& fs;
  const store::Snapshot& snapshot;
  fs::Fd store = fs::Fd::kNone;
  std::string store_path;
  uint32_t user_id = 0;
};

// disk.space, disk.inodes, disk.read_only: blocking. On each file system that is
// concerned twice the managed size must be free, and never less than reserve_bytes.
Result<std::vector<Finding>> check_disk_space(const Surroundings& around, uint64_t reserve_bytes);

// permission.unreadable, permission.not_writable, permission.immutable,
// permission.store: blocking; permission.owner: a warning.
Result<std::vector<Finding>> check_permissions(const Surroundings& around);

// lock.held (another process of ours is at work), lock.writer (a program has a managed
// file open for writing): warnings, since both may be over when the update comes.
Result<std::vector<Finding>> check_locks(const Surroundings& around);

struct CapacityLimits {
  uint64_t versions_max = 10;
  uint64_t size_max_bytes = 500'000'000;
};
// capacity.size (the limit holds fewer than versions_max backups of the newest one's
// size): a warning. capacity.full: information, the next backup evicts the oldest.
Result<std::vector<Finding>> check_capacity(const store::BackupList& list,
                                            const CapacityLimits& limits);

// Moves a damaged backup out of the way and returns its new name.
using Quarantine =
    std::function<Result<std::string>(const std::string& id, const std::string& reason)>;
struct BackupSample {
  int64_t percentage = 10;  // of all backups, rounded up, at least one
  Quarantine quarantine;    // empty: nothing is moved
};
// backup.manifest (it cannot be believed), backup.corrupt (a file is gone or is not what
// was written; every manifest is looked at, the bytes of a random sample): warnings.
Result<std::vector<Finding>> check_backups(const store::BackupStore& backups,
                                           const store::BackupList& list, Random& random,
                                           const BackupSample& sample);

// session.live: information. Running Claude Code sessions keep what they read at their
// start, and may write settings back from it later. Looks at the processes of this user
// in /proc, through the file system's seam; where there is none, nothing is said.
Result<std::vector<Finding>> check_sessions(fs::FileSystem& fs, uint32_t user_id);

}  // namespace stravinsky::checks
