#include "engine/doctor.h"

#include <gmock/gmock.h>

#include "testing/engine_fixture.h"

namespace stravinsky::engine {
namespace {

using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::HasSubstr;

// --- the decision alone

Diagnosis decided(const Damage& damage) {
  Diagnosis diagnosis;
  decide(damage, diagnosis);
  return diagnosis;
}

TEST(DoctorDecision, WhatIsBrokenGoesInAndTheLevelComesOut) {
  Damage damage{.broken = {}, .gone = {}, .has_intact_backup = true, .version = "good"};
  EXPECT_EQ(decided(damage).level, RecoveryLevel::kNone);
  damage.broken = {"~/.claude/hooks/a.py"};
  EXPECT_EQ(decided(damage).level, RecoveryLevel::kFile);
  EXPECT_THAT(decided(damage).commands,
              ElementsAre("stravinsky recovery file '~/.claude/hooks/a.py'"));
  damage.broken = {"~/.claude/hooks/a.py", "~/.claude/hooks/b.py", "~/.claude/hooks/c.py"};
  EXPECT_EQ(decided(damage).level, RecoveryLevel::kDirectory);
  EXPECT_THAT(decided(damage).commands,
              ElementsAre("stravinsky recovery directory '~/.claude/hooks'"));
  damage.broken.emplace_back("~/.claude/settings.json");
  EXPECT_EQ(decided(damage).level, RecoveryLevel::kVersion);
  EXPECT_THAT(decided(damage).commands, ElementsAre("stravinsky recovery version good"));
  damage.has_intact_backup = false;
  EXPECT_EQ(decided(damage).level, RecoveryLevel::kEmergency);
}

TEST(DoctorDecision, ADirectoryThatIsGone) {
  const Damage damage{
      .broken = {}, .gone = {"~/.claude/commands"}, .has_intact_backup = true, .version = "good"};
  EXPECT_EQ(decided(damage).level, RecoveryLevel::kDirectory);
  EXPECT_THAT(decided(damage).commands,
              ElementsAre("stravinsky recovery directory '~/.claude/commands'"));
}

// --- the examination

class Doctor : public ::testing::Test {
 protected:
  Diagnosis examined() {
    SessionRequest request;
    request.mode = RunMode::kDryRun;
    auto session = e_.open(e_.disk(), request);
    EXPECT_TRUE(session) << session.error().to_string();
    auto diagnosis = examine(**session);
    EXPECT_TRUE(diagnosis);
    return *diagnosis;
  }
  static bool names(const Diagnosis& diagnosis, const std::string& area, const std::string& text) {
    return std::ranges::any_of(diagnosis.ailments, [&](const Ailment& one) {
      return one.area == area && one.message.find(text) != std::string::npos;
    });
  }
  static std::string in_store(const std::string& path) {
    return std::string(EngineFixture::kStore) + "/" + path;
  }
  EngineFixture e_;
};

TEST_F(Doctor, OfAGoodTreeNothingIsSaid) {
  e_.file("CLAUDE.md", "a\n").file("settings.json", "{}\n");
  ASSERT_TRUE(e_.back_up(e_.disk(), "good"));
  const Diagnosis diagnosis = examined();
  EXPECT_TRUE(diagnosis.is_well()) << diagnosis.ailments.front().message;
  EXPECT_EQ(diagnosis.level, RecoveryLevel::kNone);
}

TEST_F(Doctor, AnAbsentHookLeadsToTheFile) {
  e_.file("hooks/a.sh", "a\n", 0755)
      .file("settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
        "command": "sh ~/.claude/hooks/a.sh"}]}]}})");
  ASSERT_TRUE(e_.back_up(e_.disk(), "good"));
  e_.disk().remove(std::string(EngineFixture::kTree) + "/hooks/a.sh");
  const Diagnosis diagnosis = examined();
  EXPECT_EQ(diagnosis.level, RecoveryLevel::kFile);
  EXPECT_THAT(diagnosis.commands, ElementsAre("stravinsky recovery file '~/.claude/hooks/a.sh'"));
}

TEST_F(Doctor, WhatIsDamagedInTheStoreIsNamedAndMended) {
  e_.file("hooks/a.sh", "a\n");
  ASSERT_TRUE(e_.back_up(e_.disk(), "one"));
  e_.file("hooks/a.sh", "b\n");
  ASSERT_TRUE(e_.back_up(e_.disk(), "two"));
  e_.disk().remove(in_store("backups/one/hooks.tar.gz"));
  e_.disk().write_file(in_store("audit/head.json"), "{}", 0600);
  e_.disk().write_file(in_store("config.json"), "{ no", 0600);
  const Diagnosis before = examined();
  EXPECT_TRUE(names(before, "backups", "one is damaged"));
  EXPECT_TRUE(names(before, "audit", ""));
  EXPECT_TRUE(names(before, "config", "config.json"));
  auto session = e_.open(e_.disk());
  const auto mended = mend(**session);
  ASSERT_TRUE(mended) << mended.error().to_string();
  EXPECT_THAT(*mended, ElementsAre(HasSubstr("quarantine/one")));
  EXPECT_FALSE(names(examined(), "backups", "one is damaged"));
}

TEST_F(Doctor, TheLastBackupIsNotMovedAwayHoweverDamaged) {
  e_.file("hooks/a.sh", "a\n");
  ASSERT_TRUE(e_.back_up(e_.disk(), "one"));
  e_.disk().remove(in_store("backups/one/hooks.tar.gz"));
  auto session = e_.open(e_.disk());
  ASSERT_TRUE(mend(**session));
  EXPECT_TRUE(e_.disk().contents(in_store("backups/one/manifest.json")));
}

TEST_F(Doctor, AnInterruptedTransactionComesFirst) {
  e_.file("hooks/a.sh", "a\n");
  ASSERT_TRUE(e_.back_up(e_.disk(), "one"));
  e_.disk().make_dirs(in_store("recovery/tx/0123456789abcdef"), 0700);
  const Diagnosis diagnosis = examined();
  ASSERT_FALSE(diagnosis.ailments.empty());
  EXPECT_EQ(diagnosis.ailments.front().area, "transactions");
  EXPECT_THAT(diagnosis.ailments.front().remedy, HasSubstr("stravinsky recovery resume"));
}

}  // namespace
}  // namespace stravinsky::engine
