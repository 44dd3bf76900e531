// BackupIds: gives every backup an id that was never given before.
//
// The id is the label itself the first time and "<label>.<sequence>" after that.
// backups/sequence.json remembers, durably before a backup is built, the next
// sequence number and every label used, so that an id does not come back after
// its backup was deleted. When the file is lost or cannot be understood, it is kept
// aside and rebuilt from the backups that are there and from those that others know of
// (journals, the trail); since that may not be all, every label counts as used from then
// on, and the numbers go on kGap further.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store_dir.h"

namespace stravinsky::store {

struct BackupId {
  std::string id;
  uint64_t sequence = 0;
};

class BackupIds {
 public:
  static constexpr uint64_t kGap = 1000;
  // Ids of backups that may not be there any more; asked for only when the file is lost.
  using KnownElsewhere = std::function<std::vector<std::string>()>;

  // The caller holds the store's lock. kUnsupported for a file of a newer format.
  static Result<BackupIds> load(const StoreDir& store, const KnownElsewhere& elsewhere = {});

  // The next id for a valid label; durable when this returns.
  Result<BackupId> allocate(const std::string& label);
  // The id given last; empty when none or unknown. Its backup may not exist.
  const std::string& newest() const { return newest_; }
  // What was wrong with the file, a sentence; empty when nothing.
  const std::string& warning() const { return warning_; }

 private:
  explicit BackupIds(const StoreDir& store) : store_(&store) {}
  static Result<BackupIds> parse(const StoreDir& store, std::string_view bytes);
  Status rebuild(const KnownElsewhere& elsewhere);
  Status count_backups();
  void count(const std::string& id);
  Result<bool> is_taken(const std::string& id) const;
  bool may_have_been_numbered(const std::string& label) const;
  Status save() const;

  const StoreDir* store_;
  uint64_t next_sequence_ = 1;
  std::set<std::string> labels_;
  bool any_label_may_be_used_ = false;
  std::string warning_;
  std::string newest_;
};

}  // namespace stravinsky::store
