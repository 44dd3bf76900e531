// BackupInfo: what a list of backups says of each, out of its manifest.
#pragma once

#include <cstdint>
#include <string>

#include "model/manifest.h"

namespace stravinsky::store {

struct BackupInfo {
  std::string id;
  uint64_t sequence = 0;
  model::BackupKind kind = model::BackupKind::kManual;
  model::BackupType type = model::BackupType::kFull;
  model::Version version{};
  int64_t time_ns = 0;
  bool pinned = false;
  uint64_t size_bytes = 0;  // of all its files, shared ones included
  uint64_t files_count = 0;
  std::string user_root{};
  std::string project_root{};
  std::string version_of{};  // the root whose version it is
};

}  // namespace stravinsky::store
