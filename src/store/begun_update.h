// BegunUpdate: recovery/begun.json, an installer is at work and its tree is guarded.
//
// Written by `update begin`, removed by `update finish`. What stands in the tree
// between the two is the installer's affair; the backup is the state to go back to.
// Canonical JSON with a digest of itself, replaced as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::store {

inline constexpr uint64_t kBegunFormatVersion = 1;

struct BegunUpdate {
  std::string token;    // 16 hexadecimal digits: the transaction that finishing makes
  std::string version;  // that the installer brings
  std::string tree;     // the root, canonical
  std::string backup;   // of the state before, verified
  std::string from_version;
  std::string from_bundle;
  int64_t started_ns = 0;
  // The newest transaction of the store when it began: later ones have a higher number.
  // Older versions did not note it.
  std::optional<uint64_t> after_sequence{};
};

// nullopt when none was begun. kCorrupt when it cannot be understood; kUnsupported
// when it is of a newer format.
Result<std::optional<BegunUpdate>> read_begun(fs::FileSystem& fs, fs::Fd store);
Status write_begun(fs::FileSystem& fs, fs::Fd store, const BegunUpdate& begun);
// Durably; absent is success.
Status remove_begun(fs::FileSystem& fs, fs::Fd store);

}  // namespace stravinsky::store
