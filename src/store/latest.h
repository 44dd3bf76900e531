// Latest: backups/latest.json, where the tree stands.
//
// Derived: everything in it can be worked out again from the journals of finished
// transactions and the backups (engine/history.h). Written after COMMIT, never
// before; whoever finds it behind the journals brings it up to date.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::store {

inline constexpr uint64_t kLatestFormatVersion = 1;

// What is installed in one tree.
struct TreeState {
  std::string version = "unknown";
  std::string bundle{};  // in bundles/; empty when unknown

  bool operator==(const TreeState&) const = default;
};

struct Latest {
  // By root, canonical: one store serves the user's tree and every project's, and
  // what is true of one says nothing of another.
  std::map<std::string, TreeState> trees;
  std::string newest_backup;          // its id; empty when there is none
  std::string last_transaction;       // the last one committed
  uint64_t transaction_sequence = 0;  // of the last one that began
  // Transactions to invert, the next one last: by undo, and by redo. Of all trees;
  // who inverts one passes over those of others.
  std::vector<std::string> undo;
  std::vector<std::string> redo;
  // The file could not be understood, so that this was worked out again. Not written.
  bool was_damaged = false;

  // Of a tree that nothing is known of: unknown.
  TreeState at(const std::string& root) const;
};

// nullopt when there is none. kCorrupt when it cannot be understood; kUnsupported
// when it is of a newer format.
Result<std::optional<Latest>> read_latest(fs::FileSystem& fs, fs::Fd store);
Status write_latest(fs::FileSystem& fs, fs::Fd store, const Latest& latest);

}  // namespace stravinsky::store
