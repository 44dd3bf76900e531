#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "checks/environment_checks.h"

namespace stravinsky::checks {
namespace {

struct Need {
  fs::Fd dir = fs::Fd::kNone;
  std::string where;
  uint64_t bytes = 0;
  uint64_t inodes = 0;
};

Finding blocking(std::string_view rule, const std::string& where, std::string message,
                 std::string remedy) {
  return {.severity = Severity::kBlocking,
          .check = "disk_space",
          .rule = std::string(rule),
          .file = escape(where),
          .message = std::move(message),
          .remedy = std::move(remedy)};
}

}  // namespace

Result<std::vector<Finding>> check_disk_space(const Surroundings& around, uint64_t reserve_bytes) {
  std::map<uint64_t, Need> needs;  // by device
  for (const store::SnapshotDirectory& directory : around.snapshot.directories) {
    ASSIGN_OR_RETURN(const fs::Stat stat, around.fs.stat_fd(directory.file.fd()));
    needs.try_emplace(stat.device, Need{directory.file.fd(), directory.path, 0, 0});
  }
  for (const store::TreeEntry& entry : around.snapshot.entries) {
    if (entry.state != model::EntryState::kStored) continue;
    const auto need = needs.find(entry.stat.device);
    if (need == needs.end()) continue;
    need->second.bytes += entry.stat.size_bytes;
    ++need->second.inodes;
  }
  if (around.store != fs::Fd::kNone) {
    ASSIGN_OR_RETURN(const fs::Stat stat, around.fs.stat_fd(around.store));
    Need& need =
        needs.try_emplace(stat.device, Need{around.store, around.store_path, 0, 0}).first->second;
    need.bytes += around.snapshot.content_bytes();
    need.inodes += around.snapshot.entries.size();
  }
  std::vector<Finding> findings;
  for (const auto& [device, need] : needs) {
    ASSIGN_OR_RETURN(const fs::Space space, around.fs.space(need.dir));
    if (space.read_only) {
      findings.push_back(blocking("disk.read_only", need.where, "its file system is read-only",
                                  "Mount it so that it can be written to."));
      continue;
    }
    const uint64_t bytes = std::max(2 * need.bytes, reserve_bytes);
    if (space.available_bytes < bytes)
      findings.push_back(
          blocking("disk.space", need.where,
                   fmt::format("{} bytes are free where {} are needed",
                               with_thousands(space.available_bytes), with_thousands(bytes)),
                   "Free some space or delete old backups; what must stay free is "
                   "safety.disk_space_threshold_mb."));
    if (space.available_inodes < 2 * need.inodes)
      findings.push_back(blocking(
          "disk.inodes", need.where,
          fmt::format("{} inodes are free where {} are needed",
                      with_thousands(space.available_inodes), with_thousands(2 * need.inodes)),
          "Delete files that are not needed."));
  }
  return findings;
}

}  // namespace stravinsky::checks
