#include "engine/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "base/units.h"
#include "engine/history.h"
#include "txn/archive.h"
#include "txn/journal.h"

namespace stravinsky::engine {
namespace {

constexpr int64_t kNanosPerDay = 86'400'000'000'000;
constexpr int64_t kDailyDays = 7;

// Those made by hand, the newest of each tree, and of each of the last days.
std::set<std::string> protected_ones(const std::vector<store::BackupInfo>& backups,
                                     int64_t now_ns) {
  std::set<std::string> ids;
  std::set<std::string> trees;
  std::set<int64_t> days;
  for (auto one = backups.rbegin(); one != backups.rend(); ++one) {
    const int64_t day = one->time_ns / kNanosPerDay;
    const bool is_recent = day > now_ns / kNanosPerDay - kDailyDays;
    const bool is_first_of_tree = trees.insert(one->version_of).second;
    const bool is_first_of_day = is_recent && days.insert(day).second;
    const bool is_by_hand = one->kind == model::BackupKind::kManual;
    if (is_by_hand || one->pinned || is_first_of_tree || is_first_of_day) ids.insert(one->id);
  }
  return ids;
}

// What cannot be read keeps nothing: its way back is its journal.
Result<std::set<std::string>> led_back_to(Session& session, const store::Latest& latest) {
  fs::FileSystem& fs = session.fs();
  const fs::Fd store = session.store().fd();
  std::set<std::string> ids;
  const auto add = [&](txn::Shelf shelf, const std::string& id) {
    const auto dir = txn::open_transaction(fs, store, shelf, id);
    if (!dir) return;
    if (const auto journal = txn::read_journal(fs, dir->fd()))
      ids.insert(journal->plan.facts.backup_id);
  };
  if (!latest.last_transaction.empty()) add(txn::Shelf::kDone, latest.last_transaction);
  for (const txn::Shelf shelf : {txn::Shelf::kOpen, txn::Shelf::kInconsistent}) {
    ASSIGN_OR_RETURN(const auto open, txn::list_transactions(fs, store, shelf));
    for (const std::string& id : open) add(shelf, id);
  }
  ASSIGN_OR_RETURN(const auto begun, session.begun_update());
  if (begun) ids.insert(begun->backup);
  return ids;
}

Error too_large(const RetentionPlan& plan, const RetentionLimits& limits) {
  std::string list;
  for (const std::string& id : plan.kept) list += (list.empty() ? "" : ", ") + escape(id);
  return make_error(
             ErrorCode::kNoSpace,
             fmt::format("the backups that must stay have {}, more than the {} of "
                         "backup.max_total_size_mb: {}",
                         human_size(plan.kept_bytes), human_size(limits.size_max_bytes), list))
      .with_untouched("Nothing was changed.")
      .with_remedy("Raise backup.max_total_size_mb in config.json of the store.");
}

}  // namespace

RetentionLimits retention_limits(const model::Config& config) {
  return {.versions_max = static_cast<uint64_t>(config.integer("backup.max_versions")),
          .size_max_bytes =
              static_cast<uint64_t>(config.integer("backup.max_total_size_mb")) * kBytesPerMegabyte,
          .age_max_ns = config.integer("backup.retention_days") * kNanosPerDay};
}

RetentionPlan plan_retention(const std::vector<store::BackupInfo>& backups,
                             const std::set<std::string>& needed, const RetentionLimits& limits,
                             int64_t now_ns) {
  RetentionPlan plan;
  for (const store::BackupInfo& one : backups) plan.kept_bytes += one.size_bytes;
  const std::set<std::string> protects = protected_ones(backups, now_ns);
  auto count = static_cast<uint64_t>(std::ranges::count_if(
      backups, [](const auto& one) { return one.kind != model::BackupKind::kManual; }));
  for (const store::BackupInfo& one : backups) {
    const bool is_too_old = one.time_ns < now_ns && now_ns - one.time_ns > limits.age_max_ns;
    const bool must_go =
        is_too_old || count > limits.versions_max || plan.kept_bytes > limits.size_max_bytes;
    if (!must_go || protects.contains(one.id) || needed.contains(one.id)) {
      plan.kept.push_back(one.id);
      continue;
    }
    plan.evicted.push_back(one.id);
    plan.kept_bytes -= one.size_bytes;
    --count;
  }
  plan.fits = plan.kept_bytes <= limits.size_max_bytes;
  return plan;
}

namespace {

Result<RetentionPlan> plan_now(Session& session, const store::Latest& latest,
                               const RetentionLimits& limits) {
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  ASSIGN_OR_RETURN(const auto needed, led_back_to(session, latest));
  return plan_retention(list.backups, needed, limits, session.environment().clock.now_ns());
}

}  // namespace

Status refuse_beyond_limits(Session& session, const store::Latest& latest) {
  const RetentionLimits limits = retention_limits(session.config());
  ASSIGN_OR_RETURN(const RetentionPlan plan, plan_now(session, latest, limits));
  if (!plan.fits) return too_large(plan, limits);
  return {};
}

Result<std::vector<std::string>> keep_within_limits(Session& session, const store::Latest& latest) {
  ASSIGN_OR_RETURN(const RetentionPlan plan,
                   plan_now(session, latest, retention_limits(session.config())));
  std::vector<std::string> deleted;
  for (const std::string& id : plan.evicted) {
    if (Status removed = session.backups().remove(id); !removed) {
      if (session.request().on_warning)
        session.request().on_warning("an old backup could not be deleted: " +
                                     removed.error().to_string());
      continue;
    }
    deleted.push_back(id);
    model::AuditEvent event;
    event.type = model::AuditEventType::kBackupDeleted;
    event.status = model::AuditStatus::kSuccess;
    event.backup_created = id;
    event.notes = "to keep within backup.max_versions, max_total_size_mb and retention_days";
    (void)session.record(event);  // it is gone; the loss of its event is told by the recorder
  }
  return deleted;
}

}  // namespace stravinsky::engine
