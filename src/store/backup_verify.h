// backup_verify: is a backup still what was written?
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "model/manifest.h"

namespace stravinsky::store {

enum class VerifyDepth {
  kQuick,  // manifest, presence, size and SHA-256 of every file
  kFull,   // and every member of every archive, decompressed
};

struct BackupProblem {
  std::string file;     // "hooks.tar.gz"
  std::string member;   // "hooks/x.py"; empty when it is about the whole file
  std::string message;  // the cause
};
std::string to_string(const BackupProblem& problem);

// Reads every byte of the backup that lies in the directory dir, from the disk
// rather than the cache, and carries on past damage to list all of it; empty: all
// good. A failure to read is a problem too, not an error.
std::vector<BackupProblem> verify_files(fs::FileSystem& fs, fs::Fd dir,
                                        const model::Manifest& manifest, VerifyDepth depth,
                                        int threads);

// The problems of one archive or copy.
std::vector<BackupProblem> verify_file(fs::FileSystem& fs, fs::Fd dir,
                                       const model::Manifest& manifest,
                                       const model::StoredFile& file, VerifyDepth depth,
                                       int threads);

// True when size and SHA-256 of the open file, read cold, are those recorded.
Result<bool> is_as_recorded(fs::FileSystem& fs, fs::Fd file, const model::StoredFile& recorded);

}  // namespace stravinsky::store
