// LockFile: an exclusive advisory lock (flock), held while the object lives.
//
// The kernel frees it when the process ends, however it ends, so that no stale
// lock exists. A lock file is never unlinked: whoever unlinks it while another
// waits on the old node makes two holders. Its content, "who holds it", is for
// messages only and is stale when nobody holds the lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "fs/file.h"

namespace stravinsky::fs {

class LockFile {
 public:
  // Opens or creates (0600) the file, waits up to timeout_ms for the lock and
  // writes owner_text (one line: process id and start time) into it. kLocked
  // names the holder.
  static Result<LockFile> acquire(FileSystem& fs, Fd dir, const RelPath& name, Clock& clock,
                                  int64_t timeout_ms, std::string_view owner_text);
  // Locks the directory itself and writes nothing. The lock belongs to the node
  // (device and inode), so that two stores which reach one tree by different
  // paths exclude each other.
  static Result<LockFile> acquire_dir(FileSystem& fs, const std::string& absolute_dir, Clock& clock,
                                      int64_t timeout_ms);

 private:
  explicit LockFile(File file) : file_(std::move(file)) {}
  File file_;
};

// Who holds the lock now, as acquire's owner_text (untrusted bytes); nullopt when
// it is free or was never taken. Tries the lock for an instant.
Result<std::optional<std::string>> current_owner(FileSystem& fs, Fd dir, const RelPath& name);

}  // namespace stravinsky::fs
