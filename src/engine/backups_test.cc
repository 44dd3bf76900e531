#include "engine/backups.h"

#include <gtest/gtest.h>

#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

class VerifyBackups : public ::testing::Test {
 protected:
  void SetUp() override {
    e_.file("hooks/a.py", "a\n").file("settings.json", "{}\n");
    ASSERT_TRUE(e_.back_up(e_.disk(), "one"));
    ASSERT_TRUE(e_.back_up(e_.disk(), "two"));
  }

  Result<std::vector<BackupVerdict>> verify(const VerifyRequest& request,
                                            RunMode mode = RunMode::kReal) {
    SessionRequest how;
    how.mode = mode;
    auto session = e_.open(e_.disk(), std::move(how));
    if (!session) return session.error();
    return verify_backups(**session, request);
  }

  void damage(const std::string& id) {
    e_.disk().write_file(std::string(EngineFixture::kStore) + "/backups/" + id + "/settings.json",
                         "{ }", 0600);
  }

  size_t events(model::AuditEventType type) {
    store::AuditFilter filter;
    filter.type = type;
    return (*e_.open(e_.disk()))->audit().query(filter)->events.size();
  }

  EngineFixture e_;
};

TEST_F(VerifyBackups, CarriesOnPastDamageAndRecordsBoth) {
  damage("one");
  const auto verdicts = verify({});
  ASSERT_EQ(outcome(verdicts), "ok");
  ASSERT_EQ(verdicts->size(), 2U);
  EXPECT_EQ(verdicts->at(0).id, "one");
  EXPECT_FALSE(verdicts->at(0).problems.empty());
  EXPECT_EQ(verdicts->at(1).id, "two");
  EXPECT_TRUE(verdicts->at(1).problems.empty());
  EXPECT_EQ(events(model::AuditEventType::kCorruptedBackup), 1U);
  EXPECT_EQ(events(model::AuditEventType::kBackupVerified), 1U);
}

TEST_F(VerifyBackups, OfAVersionMeansEveryOneOfThem) {
  // A damaged newest one must not hide behind a sound older one.
  damage("two");
  const auto verdicts = verify({.version_or_id = "unknown"});
  ASSERT_EQ(outcome(verdicts), "ok");
  ASSERT_EQ(verdicts->size(), 2U);
  EXPECT_FALSE(verdicts->at(1).problems.empty());
}

TEST_F(VerifyBackups, OneWithoutAManifestIsDamagedToo) {
  e_.disk().remove(std::string(EngineFixture::kStore) + "/backups/one/manifest.json");
  const auto verdicts = verify({.version_or_id = "one"});
  ASSERT_EQ(outcome(verdicts), "ok");
  ASSERT_EQ(verdicts->size(), 1U);
  EXPECT_FALSE(verdicts->front().problems.empty());
}

TEST_F(VerifyBackups, AnAbsentOneIsNotFoundAndTheOthersAreNamed) {
  const auto verdicts = verify({.version_or_id = "three"});
  ASSERT_EQ(outcome(verdicts), "not_found");
  EXPECT_EQ(verdicts.error().remedy, "There are: two, one.");
}

TEST_F(VerifyBackups, ADryRunRecordsNothing) {
  ASSERT_EQ(outcome(verify({}, RunMode::kDryRun)), "ok");
  EXPECT_EQ(events(model::AuditEventType::kBackupVerified), 0U);
}

}  // namespace
}  // namespace stravinsky::engine
