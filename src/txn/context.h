// TransactionContext: what a transaction and a recovery work with.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "fs/file_system.h"

namespace stravinsky::txn {

struct TransactionContext {
  fs::FileSystem& fs;
  fs::Fd store;  // the store's root, whose lock the caller holds
  Clock& clock;
  int64_t writer_wait_ms = 5000;  // how long a file may stay open for writing elsewhere
  uint64_t reserve_bytes = 0;     // free space to leave on every file system
  // True once the user asked to stop; looked at before the first target changes.
  std::function<bool()> interrupted = [] { return false; };
};

// Something of the user's that was met and not destroyed.
struct Kept {
  std::string display;  // "~/.claude/hooks/x.py"
  std::string kept_at;  // beneath the store; empty: it stays where it is
  std::string why;      // "was changed while the update ran"
};

}  // namespace stravinsky::txn
