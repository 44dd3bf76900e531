// RememberedBackups: recovery/backups.list, what the manifests said of their backups.
//
// Derived, so that an update of a store with many backups reads no manifest but those
// that it needs. A line counts while the manifest's file is the same one: inode, size,
// times of change of content and of attributes (as git's index does). What was changed
// in the last second is not kept: the next change might have the same times.
//
//   <SHA-256 of all that follows, in hexadecimal>
//   {"id":...,"inode":...,...}          one canonical JSON object a backup
//
// A file that is damaged in any way counts for nothing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "fs/file_system.h"
#include "store/backup_info.h"

namespace stravinsky::store {

class RememberedBackups {
 public:
  // Adds what the file says to what is known.
  void load(fs::FileSystem& fs, fs::Fd store);

  // nullopt: nothing is known of it, or its manifest is another one now.
  std::optional<BackupInfo> find(const std::string& id, const fs::Stat& manifest) const;
  void put(const fs::Stat& manifest, const BackupInfo& info);

  // Since it was loaded or saved.
  bool is_changed() const { return is_changed_; }

  // Replaces the file by what is known of the backups that is_there says are there, when
  // that is not what the file says. The store's lock is held. now_ns: of the same clock
  // as the file system's times.
  Status save(fs::FileSystem& fs, fs::Fd store, int64_t now_ns,
              const std::function<bool(const std::string& id)>& is_there);

 private:
  struct Known {
    fs::Stat manifest;
    BackupInfo info;
  };
  std::map<std::string, Known> known_;
  std::string file_;  // the text of the file
  bool is_changed_ = false;
};

}  // namespace stravinsky::store
