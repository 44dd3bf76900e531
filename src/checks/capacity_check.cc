#include <fmt/format.h>

#include "base/strings.h"
#include "checks/environment_checks.h"

namespace stravinsky::checks {

Result<std::vector<Finding>> check_capacity(const store::BackupList& list,
                                            const CapacityLimits& limits) {
  std::vector<Finding> findings;
  if (list.backups.empty()) return findings;
  const uint64_t newest = list.backups.back().size_bytes;
  uint64_t total = 0;
  for (const store::BackupInfo& backup : list.backups) total += backup.size_bytes;
  const uint64_t fit = newest == 0 ? limits.versions_max : limits.size_max_bytes / newest;
  if (fit < limits.versions_max)
    findings.push_back(
        {.severity = Severity::kWarning,
         .check = "capacity",
         .rule = "capacity.size",
         .file = {},
         .message = fmt::format("backups of {} each: only {} of {} fit into {}", human_size(newest),
                                fit, limits.versions_max, human_size(limits.size_max_bytes)),
         .remedy = "Raise backup.max_total_size_mb, or keep fewer with backup.max_versions."});
  if (list.backups.size() >= limits.versions_max || total + newest > limits.size_max_bytes)
    findings.push_back(
        {.severity = Severity::kInformation,
         .check = "capacity",
         .rule = "capacity.full",
         .file = {},
         .message = fmt::format("{} backups with {}: the next one may take the place of the oldest "
                                "that is not protected",
                                list.backups.size(), human_size(total)),
         .remedy = {}});
  return findings;
}

}  // namespace stravinsky::checks
