// StoreDir: the open root of the store, known to be private.
//
// It holds copies of settings, which may hold secrets; so a store that others can
// reach, or that another user owns, is refused, with the command that mends it.
// Everything beneath is protected by the root's mode; children are made on first use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::store {

enum class IfAbsent {
  kCreate,  // make it, and its missing parents, 0700
  kFail,    // kNotFound
};

class StoreDir {
 public:
  // user_id is that of the running process. kPermission when the store is not private;
  // kUsage for a directory that holds something else.
  static Result<StoreDir> open(fs::FileSystem& fs, const std::string& absolute, uint32_t user_id,
                               IfAbsent if_absent);

  fs::Fd fd() const { return root_.fd(); }
  const std::string& path() const { return path_; }  // canonical
  fs::FileSystem& file_system() const { return root_.file_system(); }

  // Makes a directory beneath, 0700, with its parents; one that is there is success.
  Status ensure(const fs::RelPath& directory) const;
  // Removes what a kill left half-written (".<name>.partial") in the store's top and in
  // backups/, bundles/ and recovery/. The caller holds the lock.
  Status sweep_partials() const;

 private:
  StoreDir(fs::File root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}
  fs::File root_;
  std::string path_;
};

// Replaces a file that can be worked out again. What stands there and is no file (a
// directory, a link, a FIFO) is moved to recovery/damaged/ first, never deleted.
Status write_derived(fs::FileSystem& fs, fs::Fd store, const fs::RelPath& path,
                     std::string_view bytes, uint32_t mode = model::layout::kFileMode);
// Moves what stands at path to recovery/damaged/<name>.<n>, durably.
Status set_aside_damaged(fs::FileSystem& fs, fs::Fd store, const fs::RelPath& path);

}  // namespace stravinsky::store
