#include "engine/surroundings.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/units.h"
#include "checks/environment_checks.h"
#include "engine/backups.h"
#include "engine/retention.h"

namespace stravinsky::engine {
namespace {

using checks::Finding;
using Findings = Result<std::vector<Finding>>;

// One that cannot be carried out is a finding itself.
std::vector<Finding> found(const char* name, const char* failed_rule, Findings findings) {
  if (findings) return std::move(*findings);
  return {{.severity = checks::Severity::kWarning,
           .check = name,
           .rule = failed_rule,
           .file = {},
           .message = std::string("the check of ") + name +
                      " could not be carried out: " + findings.error().to_string(),
           .remedy = findings.error().remedy}};
}

class Looker {
 public:
  Looker(Session& session, const store::Snapshot& snapshot)
      : session_(session),
        around_{.fs = session.fs(),
                .snapshot = snapshot,
                .store = session.has_store() ? session.store().fd() : fs::Fd::kNone,
                .store_path = session.store_path(),
                .user_id = session.environment().user_id} {}

  std::vector<Finding> look(Surroundings which) {
    if (which == Surroundings::kAll) {
      const auto reserve =
          static_cast<uint64_t>(session_.config().integer("safety.disk_space_threshold_mb")) *
          kBytesPerMegabyte;
      take("disk_space", "disk_space.failed", checks::check_disk_space(around_, reserve));
      take("permissions", "permissions.failed", checks::check_permissions(around_));
    } else {
      around_.store = fs::Fd::kNone;  // its lock is our own
    }
    take("locks", "locks.failed", checks::check_locks(around_));
    if (session_.has_store()) look_at_backups(which);
    return std::move(findings_);
  }

 private:
  void take(const char* name, const char* failed_rule, Findings findings) {
    std::ranges::move(found(name, failed_rule, std::move(findings)), std::back_inserter(findings_));
  }

  void look_at_backups(Surroundings which) {
    const auto list = session_.backups().list();
    if (!list) return take("backups", "backups.failed", list.error());
    const RetentionLimits limits = retention_limits(session_.config());
    take("capacity", "capacity.failed",
         checks::check_capacity(*list, {.versions_max = limits.versions_max,
                                        .size_max_bytes = limits.size_max_bytes}));
    checks::BackupSample sample{
        .percentage = session_.config().integer("backup.spot_check_percentage"), .quarantine = {}};
    if (which == Surroundings::kRoundAnUpdate && !session_.is_dry_run())
      sample.quarantine = [this](const std::string& id, const std::string& reason) {
        return quarantine_backup(session_, id, reason);
      };
    take("backups", "backups.failed",
         checks::check_backups(session_.backups(), *list, session_.environment().random, sample));
  }

  Session& session_;
  checks::Surroundings around_;
  std::vector<Finding> findings_;
};

}  // namespace

bool is_told(const Finding& finding) {
  return finding.severity != checks::Severity::kInformation || finding.rule == "session.live";
}

std::vector<Finding> live_sessions(const Session& session) {
  return found("sessions", "sessions.failed",
               checks::check_sessions(session.fs(), session.environment().user_id));
}

std::vector<Finding> look_around(Session& session, const store::Snapshot& snapshot,
                                 Surroundings which) {
  return Looker(session, snapshot).look(which);
}

}  // namespace stravinsky::engine
