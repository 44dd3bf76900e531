#include "engine/retention.h"

#include <gmock/gmock.h>

#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::ElementsAre;
using testing::EngineFixture;
using testing::FakeClock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::outcome;

constexpr int64_t kDayNs = 86'400'000'000'000;
constexpr int64_t kNowNs = FakeClock::kStartNs;

// Ten megabytes, of the user's tree.
store::BackupInfo backup(const std::string& id, int64_t days_ago) {
  store::BackupInfo info;
  info.id = id;
  info.time_ns = kNowNs - days_ago * kDayNs;
  info.size_bytes = 10'000'000;
  info.version_of = "/home/u/.claude";
  info.kind = model::BackupKind::kPreUpdate;
  return info;
}

std::vector<std::string> evicted(const std::vector<store::BackupInfo>& backups,
                                 const RetentionLimits& limits,
                                 const std::set<std::string>& needed = {}) {
  return plan_retention(backups, needed, limits, kNowNs).evicted;
}

TEST(Retention, TheOldestGoUntilTheCountHolds) {
  const std::vector<store::BackupInfo> backups = {backup("a", 40), backup("b", 30), backup("c", 20),
                                                  backup("d", 10)};
  EXPECT_THAT(evicted(backups, {.versions_max = 4}), IsEmpty());
  EXPECT_THAT(evicted(backups, {.versions_max = 2}), ElementsAre("a", "b"));
}

TEST(Retention, TheOldestGoUntilTheSizeHolds) {
  const std::vector<store::BackupInfo> backups = {backup("a", 40), backup("b", 30),
                                                  backup("c", 20)};
  EXPECT_THAT(evicted(backups, {.size_max_bytes = 20'000'000}), ElementsAre("a"));
  EXPECT_THAT(evicted(backups, {.age_max_ns = 25 * kDayNs}), ElementsAre("a", "b"));
}

TEST(Retention, WhatIsProtectedStaysWhateverTheLimits) {
  std::vector<store::BackupInfo> backups = {backup("pinned", 40),   backup("needed", 39),
                                            backup("project", 38),  backup("old", 37),
                                            backup("two-days", 2),  backup("yesterday-early", 1),
                                            backup("yesterday", 1), backup("newest", 0)};
  backups[0].pinned = true;
  backups[2].version_of = "/p/.claude";
  const RetentionLimits limits{.versions_max = 1, .size_max_bytes = 1, .age_max_ns = 1};
  EXPECT_THAT(evicted(backups, limits, {"needed"}), ElementsAre("old", "yesterday-early"));
  EXPECT_FALSE(plan_retention(backups, {"needed"}, limits, kNowNs).fits);
  // The last good one of all stays, too.
  EXPECT_THAT(evicted({backup("only", 400)}, limits), IsEmpty());
}

class Capacity : public ::testing::Test {
 protected:
  Capacity() {
    e_.file("hooks/a.py", "0\n");
    for (int i = 1; i <= 4; ++i) {
      e_.bundle("v" + std::to_string(i), {{"hooks/a.py", std::to_string(i) + "\n"}});
      e_.clock().advance_ms(30 * 86'400'000LL);
    }
  }
  std::vector<std::string> ids() {
    std::vector<std::string> ids;
    auto session = e_.open(e_.disk());
    const auto list = (*session)->backups().list();
    for (const store::BackupInfo& one : list->backups) ids.push_back(one.id);
    return ids;
  }
  EngineFixture e_;
};

TEST_F(Capacity, AnUpdateDeletesTheOldestOnRecord) {
  e_.variable("STRAVINSKY_BACKUP_MAX_VERSIONS", "2");
  for (const char* version : {"v1", "v2", "v3", "v4"}) {
    ASSERT_EQ(outcome(e_.update(version)), "ok");
    e_.clock().advance_ms(30 * 86'400'000LL);
  }
  EXPECT_THAT(ids(), ElementsAre("v2.pre_update", "v3.pre_update"));
  auto session = e_.open(e_.disk());
  store::AuditFilter deleted;
  deleted.type = model::AuditEventType::kBackupDeleted;
  const auto page = (*session)->audit().query(deleted);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->events.size(), 2U);
  EXPECT_EQ(page->events[0].event.backup_created, "v1.pre_update");
  EXPECT_EQ(e_.broken_rules(e_.disk()), std::vector<std::string>());
}

TEST_F(Capacity, WhatCannotBeKeptWithinTheSizeRefusesTheUpdateWithTheList) {
  std::string large(1'400'000, 'x');
  uint32_t seed = 1;
  for (char& letter : large)
    letter = static_cast<char>('a' + ((seed = seed * 1'664'525U + 1'013'904'223U) >> 16U) % 26U);
  e_.variable("STRAVINSKY_BACKUP_MAX_TOTAL_SIZE_MB", "1").file("commands/large.md", large);
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  e_.clock().advance_ms(86'400'000LL);
  const auto before = e_.tree();
  const auto refused = e_.update("v2");
  ASSERT_EQ(outcome(refused), "no_space");
  EXPECT_THAT(refused.error().message, HasSubstr("v1.pre_update"));
  EXPECT_THAT(refused.error().remedy, HasSubstr("backup.max_total_size_mb"));
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
  EXPECT_EQ(ids().size(), 2U) << "nothing that protects was deleted";
}

}  // namespace
}  // namespace stravinsky::engine
