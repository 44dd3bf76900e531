// file_history: every state of one file that the backups keep.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"
#include "model/component.h"
#include "model/image.h"

namespace stravinsky::engine {

// What backups taken one after another have in common.
struct FileState {
  std::string backup_id{};   // the newest of them
  int64_t time_ns = 0;       // of that
  size_t backups = 0;        // how many
  model::Image image{};      // absent: the file was not there
  bool is_now = false;       // as it stands in the tree
  bool is_sound = true;      // the newest one's copy can be had
  std::string difference{};  // from the state before it: "+3 -1 lines"; empty for the oldest
};

struct FileHistory {
  model::LogicalPath path;
  model::Image now{};
  std::vector<FileState> states{};        // newest first
  std::vector<std::string> unreadable{};  // backups of which nobody knows
};

// kUsage as for recover_file; kNotFound when no backup has ever had it.
Result<FileHistory> file_history(Session& session, const std::string& typed_path);

// Writes the file as a backup has it to a new file elsewhere, with its mode; settings,
// which may hold secrets, with 0600. Changes no managed tree and needs no lock. The
// backup is found as by recover_file, but the newest sound one may be as the file is now.
struct CopiedOut {
  model::LogicalPath path;
  std::string to;  // absolute
  std::string backup_id{};
  int64_t time_ns = 0;
  uint64_t size_bytes = 0;
};
// kConflict: something stands there already.
Result<CopiedOut> copy_out(Session& session, const std::string& typed_path,
                           const std::string& version_or_id, const std::string& absolute_to);

}  // namespace stravinsky::engine
