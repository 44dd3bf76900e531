#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "checks/environment_checks.h"

namespace stravinsky::checks {
namespace {

// percentage of count, rounded up, at least one.
size_t sample_size(size_t count, int64_t percentage) {
  const auto share = static_cast<size_t>(std::clamp<int64_t>(percentage, 1, 100));
  return std::min(count, std::max<size_t>(1, (count * share + 99) / 100));
}

uint64_t random_number(Random& random) {
  std::array<std::byte, sizeof(uint64_t)> bytes{};
  random.fill(bytes);
  uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8U | std::to_integer<uint64_t>(byte);
  return number;
}

void tell(std::string_view rule, const std::string& id, const std::string& reason,
          const Quarantine& quarantine, std::vector<Finding>& findings) {
  Finding finding{
      .severity = Severity::kWarning,
      .check = "backups",
      .rule = std::string(rule),
      .file = "backup " + escape(id),
      .message = reason,
      .remedy = "See what is left of it with: stravinsky backup verify " + shell_quote(escape(id))};
  if (quarantine) {
    const auto moved = quarantine(id, reason);
    finding.remedy = moved ? "It was moved to quarantine/" + escape(*moved) + "."
                           : "It could not be moved out of the way: " + moved.error().to_string();
  }
  findings.push_back(std::move(finding));
}

}  // namespace

Result<std::vector<Finding>> check_backups(const store::BackupStore& backups,
                                           const store::BackupList& list, Random& random,
                                           const BackupSample& sample) {
  std::vector<Finding> findings;
  for (const store::BackupList::Broken& broken : list.broken)
    tell("backup.manifest", broken.id, "its manifest cannot be believed: " + broken.error.message,
         sample.quarantine, findings);
  std::vector<std::string> ids;
  for (const store::BackupInfo& backup : list.backups) ids.push_back(backup.id);
  const size_t wanted = sample_size(ids.size(), sample.percentage);
  for (size_t i = 0; i < wanted && i < ids.size(); ++i) {
    std::swap(ids[i], ids[i + random_number(random) % (ids.size() - i)]);
    const auto problems = backups.verify(ids[i], store::VerifyDepth::kQuick, 1);
    if (!problems) {
      tell("backup.corrupt", ids[i], "it cannot be read: " + problems.error().message,
           sample.quarantine, findings);
      continue;
    }
    if (problems->empty()) continue;
    std::string reason = "it is damaged: " + escape(to_string(problems->front()));
    if (problems->size() > 1) reason += " and " + with_thousands(problems->size() - 1) + " more";
    tell("backup.corrupt", ids[i], reason, sample.quarantine, findings);
  }
  return findings;
}

}  // namespace stravinsky::checks
