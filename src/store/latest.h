// Latest: backups/latest.json, where the tree stands.
//
// Derived: everything in it can be worked out again from the journals of finished
// transactions and the backups (engine/history.h). Written after COMMIT, never
// before; whoever finds it behind the journals brings it up to date.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::store {

inline constexpr uint64_t kLatestFormatVersion = 1;

struct Latest {
  std::string current_version = "unknown";
  std::string current_bundle;         // in bundles/; empty when unknown
  std::string newest_backup;          // its id; empty when there is none
  std::string last_transaction;       // the last one committed
  uint64_t transaction_sequence = 0;  // of the last one that began
  // Transactions to invert, the next one last: by undo, and by redo.
  std::vector<std::string> undo;
  std::vector<std::string> redo;
};

// nullopt when there is none. kCorrupt when it cannot be understood; kUnsupported
// when it is of a newer format.
Result<std::optional<Latest>> read_latest(fs::FileSystem& fs, fs::Fd store);
Status write_latest(fs::FileSystem& fs, fs::Fd store, const Latest& latest);

}  // namespace stravinsky::store
