// BackupWriter: puts a snapshot's content into the directory of a new backup.
//
// One archive a component, byte-exact copies of the single files. What did not
// change since the previous backup is not compressed again: the archive of a
// component whose every file has the same bytes and attributes becomes a hard
// link, else unchanged members are copied. Whatever is linked or copied is hashed
// first; what does not match is stored anew and reported.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "model/manifest.h"
#include "store/snapshot.h"

namespace stravinsky::store {

// An earlier backup to share with.
struct PreviousBackup {
  const model::Manifest* manifest = nullptr;
  fs::Fd dir = fs::Fd::kNone;
};

struct WriterOptions {
  int level = 1;  // of compression, 1 to 12
  int threads = 2;
  std::optional<PreviousBackup> previous{};
};

struct WrittenBackup {
  std::vector<model::StoredFile> files;
  std::vector<model::Entry> entries;  // in no order
  std::vector<std::string> linked;    // names of archives that are hard links
  // What was written, still open: a failed write-back is told to those who had the
  // file open, and to nobody who opens it later.
  std::vector<fs::File> unsynced;
  // Archives of the previous backup that are no longer what was written.
  std::vector<std::string> damaged;
};

// Writes into the empty directory dir; syncs nothing. kChanged when a file
// vanished or turned into something else since the snapshot: take a new one.
Result<WrittenBackup> write_backup(fs::FileSystem& fs, fs::Fd dir, const Snapshot& snapshot,
                                   const WriterOptions& options);

}  // namespace stravinsky::store
