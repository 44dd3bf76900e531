// status: where things stand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

// A file that is not what the last committed transaction put there.
struct Drift {
  std::string path;
  std::string what;  // "changed", "deleted", "is there again"
};

struct StatusReport {
  std::string current_version;  // as displayed
  std::string held_version;     // empty when nothing is held
  std::string user_root;
  std::string project_root;
  std::string store;
  uint64_t backups = 0;
  std::string newest_backup;
  std::string newest_backup_time;
  uint64_t undo = 0;
  uint64_t redo = 0;
  std::vector<Drift> drift;
  std::vector<std::string> open_transactions;
  std::vector<std::string> inconsistent_transactions;
  std::string busy;  // who holds the lock; empty when nobody does
  bool audit_enabled = true;
};

Result<StatusReport> read_status(Session& session);

}  // namespace stravinsky::engine
