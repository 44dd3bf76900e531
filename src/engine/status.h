// status: where things stand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

// A file that is not what the last transaction committed in these trees put there.
struct Drift {
  std::string path;
  std::string what;  // "changed", "deleted", "is there again"
};

// The newest event of the trail.
struct LastEvent {
  std::string type;  // "UPDATE_SUCCESS"
  std::string version;
  std::string status;  // "success", or empty
  std::string timestamp;
};

struct StatusReport {
  std::string current_version;  // as displayed
  std::optional<LastEvent> last_event;
  std::string held_version;   // empty when nothing is held
  std::string begun_version;  // of an update that was begun and not finished; or empty
  std::string user_root;
  bool user_root_exists = false;
  std::string project_root;     // empty without a project
  std::string project_version;  // as displayed; empty without a project
  std::string store;
  uint64_t backups = 0;
  std::string newest_backup;
  std::string newest_backup_time;
  uint64_t undo = 0;  // of those that undo and redo would find in these trees
  uint64_t redo = 0;
  std::vector<Drift> drift;
  std::vector<std::string> open_transactions;
  std::vector<std::string> inconsistent_transactions;
  uint64_t unrecorded_events = 0;  // kept until the trail can be written
  std::string busy;                // who holds the lock; empty when nobody does
  bool audit_enabled = true;
  std::vector<std::string> warnings;  // what could not be looked at, and what is damaged

  // Something is left that needs `recovery resume`, and nobody is at it.
  bool is_inconsistent() const {
    return !inconsistent_transactions.empty() || (!open_transactions.empty() && busy.empty());
  }
};

// What cannot be read becomes a warning as far as possible: this is asked when
// something is broken.
Result<StatusReport> read_status(Session& session);

}  // namespace stravinsky::engine
