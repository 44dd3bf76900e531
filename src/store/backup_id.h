// BackupIds: gives every backup an id that was never given before.
//
// The id is the label itself the first time and "<label>.<sequence>" after that.
// backups/sequence.json remembers, durably before a backup is built, the next
// sequence number and every label used, so that an id does not come back after
// its backup was deleted. When the file is lost it is rebuilt from the backups
// that are there.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/error.h"
#include "store/store_dir.h"

namespace stravinsky::store {

struct BackupId {
  std::string id;
  uint64_t sequence = 0;
};

class BackupIds {
 public:
  // The caller holds the store's lock. kUnsupported for a file of a newer format.
  static Result<BackupIds> load(const StoreDir& store);

  // The next id for a valid label; durable when this returns.
  Result<BackupId> allocate(const std::string& label);
  // The id given last; empty when none or unknown. Its backup may not exist.
  const std::string& newest() const { return newest_; }

 private:
  explicit BackupIds(const StoreDir& store) : store_(&store) {}
  Status rebuild();
  Result<bool> is_taken(const std::string& id) const;
  bool may_have_been_numbered(const std::string& label) const;
  Status save() const;

  const StoreDir* store_;
  uint64_t next_sequence_ = 1;
  std::set<std::string> labels_;
  std::string newest_;
};

}  // namespace stravinsky::store
