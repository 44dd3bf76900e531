// The last rung: the newest intact backup, or what damaged ones still hold.
#include "engine/emergency.h"

#include <gmock/gmock.h>

#include "engine/resume.h"
#include "engine/take_backup.h"
#include "testing/archive_fixture.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::outcome;

class EmergencyLadder : public ::testing::Test {
 protected:
  void back_up(const std::string& label) {
    EXPECT_TRUE(e_.back_up(e_.disk(), label));
    e_.clock().advance_ms(60'000);
  }
  static std::string at(const std::string& path) {
    return std::string(EngineFixture::kTree) + "/" + path;
  }
  static std::string in_store(const std::string& path) {
    return std::string(EngineFixture::kStore) + "/" + path;
  }
  void damage(const std::string& path) {
    std::string bytes = *e_.disk().contents(in_store(path));
    bytes[bytes.size() / 2] ^= 0x20;
    e_.disk().write_file(in_store(path), bytes, 0600);
  }
  void cut(const std::string& path) {
    const std::string bytes = *e_.disk().contents(in_store(path));
    e_.disk().write_file(in_store(path), bytes.substr(0, bytes.size() / 2), 0600);
  }
  Result<EmergencyResult> run(const EmergencyRequest& request = {}) {
    auto session = e_.open(e_.disk());
    return emergency(**session, request);
  }
  std::vector<std::string> states(const EmergencyResult& result) {
    std::vector<std::string> all;
    for (const Candidate& candidate : result.candidates)
      all.push_back(candidate.id + " " + std::string(candidate_state_name(candidate.state)));
    return all;
  }
  size_t events(model::AuditEventType type) {
    auto session = e_.open(e_.disk());
    store::AuditFilter filter;
    filter.type = type;
    return (*session)->audit().query(filter)->events.size();
  }

  EngineFixture e_;
};

TEST_F(EmergencyLadder, TheNewestIntactBackupThatIsNotTheBrokenTreeItself) {
  e_.file("hooks/a.py", "good\n").file("settings.json", "{}\n");
  back_up("good");
  const auto good = e_.tree();
  e_.file("hooks/a.py", "newer\n");
  back_up("damaged");
  e_.file("hooks/a.py", "broken\n");
  back_up("broken");
  damage("backups/damaged/hooks.tar.gz");
  const auto result = run({.pick = "", .reason = "a hook blocks everything"});
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_THAT(states(*result), ElementsAre("broken as_now", "damaged damaged", "good intact"));
  EXPECT_EQ(result->chosen, "good");
  EXPECT_TRUE(result->is_whole());
  EXPECT_EQ(testing::difference(good, e_.tree()), "");
  EXPECT_THAT(result->quarantined, ElementsAre("damaged"));
  EXPECT_FALSE(result->restored->backup_created.empty());
  EXPECT_EQ(events(model::AuditEventType::kEmergencyRecoveryInitiated), 1U);
  EXPECT_EQ(events(model::AuditEventType::kCorruptedBackup), 1U);
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "broken\n");
}

TEST_F(EmergencyLadder, OfTenTheTenth) {
  e_.file("hooks/a.py", "0\n").file("hooks/b.py", "b\n").file("settings.json", "{\"v\": 0}\n");
  back_up("b0");
  const auto good = e_.tree();
  for (int i = 1; i < 10; ++i) {
    const std::string n = std::to_string(i);
    e_.file("hooks/a.py", n + "\n").file("settings.json", "{\"v\": " + n + "}\n");
    back_up("b" + n);
  }
  damage("backups/b1/hooks.tar.gz");
  cut("backups/b2/hooks.tar.gz");
  e_.disk().write_file(
      in_store("backups/b3/hooks.tar.gz"),
      std::string(e_.disk().contents(in_store("backups/b3/hooks.tar.gz"))->size(), '\0'), 0600);
  e_.disk().remove(in_store("backups/b4/hooks.tar.gz"));
  e_.disk().remove(in_store("backups/b5/hooks.tar.gz"));
  e_.disk().make_dirs(in_store("backups/b5/hooks.tar.gz"), 0700);
  damage("backups/b6/settings.json");
  e_.disk().remove(in_store("backups/b7/manifest.json"));
  cut("backups/b8/manifest.json");
  damage("backups/b9/manifest.json");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->chosen, "b0");
  EXPECT_EQ(result->candidates.size(), 10U);
  EXPECT_EQ(testing::difference(good, e_.tree()), "");
  EXPECT_EQ(result->quarantined.size(), 9U);
}

TEST_F(EmergencyLadder, WithAllDamagedEveryFileWhoseBytesAreSomewhere) {
  e_.file("hooks/a.py", "a\n").file("commands/c.md", "old\n").file("settings.json", "{}\n");
  back_up("old");
  e_.file("hooks/n.py", "n\n").file("commands/c.md", "new\n");
  back_up("new");
  e_.disk().remove(at("hooks"));
  e_.disk().remove(at("commands"));
  damage("backups/old/settings.json");
  e_.disk().remove(in_store("backups/new/commands.tar.gz"));
  e_.disk().remove(in_store("backups/new/settings.json"));
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_TRUE(result->is_salvage);
  EXPECT_EQ(result->chosen, "");
  EXPECT_EQ(e_.contents("hooks/a.py"), "a\n");
  EXPECT_EQ(e_.contents("hooks/n.py"), "n\n");
  // The newer one is lost; the older one is better than nothing, and told.
  EXPECT_EQ(e_.contents("commands/c.md"), "old\n");
  EXPECT_THAT(result->missing, ElementsAre("~/.claude/commands/c.md"));
  EXPECT_EQ(e_.contents("settings.json"), "{}\n");
  EXPECT_FALSE(result->is_whole());
  EXPECT_THAT(*e_.disk().contents(result->guide), HasSubstr("~/.claude/commands/c.md"));
  // Who salvages more by hand finds them under their own names.
  EXPECT_THAT(result->quarantined, IsEmpty());
}

TEST_F(EmergencyLadder, BytesThatAnotherBackupHasAreExactlyRight) {
  e_.file("hooks/a.py", "a\n").file("settings.json", "{}\n");
  back_up("one");
  e_.file("settings.json", "{ }\n");
  back_up("two");
  const auto wanted = e_.tree();
  e_.disk().remove(at("hooks"));
  // Both are damaged, each elsewhere. Unchanged archives share their bytes: so that only
  // one is, it is taken away.
  e_.disk().remove(in_store("backups/two/hooks.tar.gz"));
  damage("backups/one/settings.json");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_THAT(result->missing, IsEmpty());
  EXPECT_TRUE(result->is_whole());
  EXPECT_EQ(testing::difference(wanted, e_.tree()), "");
}

TEST_F(EmergencyLadder, WithNothingLeftAGuideAndNoChange) {
  e_.file("hooks/a.py", "a\n");
  back_up("one");
  const auto before = e_.tree();
  e_.disk().remove(in_store("backups/one/manifest.json"));
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_FALSE(result->restored);
  EXPECT_FALSE(result->is_whole());
  const std::string guide = *e_.disk().contents(result->guide);
  EXPECT_THAT(guide, HasSubstr("one: unreadable"));
  EXPECT_THAT(guide, HasSubstr(EngineFixture::kStore));
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(EmergencyLadder, WhatIsPickedIsTakenIfItIsIntact) {
  e_.file("hooks/a.py", "1\n");
  back_up("one");
  e_.file("hooks/a.py", "2\n");
  back_up("two");
  e_.file("hooks/a.py", "3\n");
  ASSERT_TRUE(run({.pick = "one", .reason = ""}));
  EXPECT_EQ(e_.contents("hooks/a.py"), "1\n");
  damage("backups/two/hooks.tar.gz");
  const auto damaged = run({.pick = "two", .reason = ""});
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(run({.pick = "three", .reason = ""}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(e_.contents("hooks/a.py"), "1\n");
}

TEST_F(EmergencyLadder, NeitherConfigurationNorTrailNorDerivedFilesAreNeeded) {
  e_.file("hooks/a.py", "good\n").file("settings.json", "{}\n");
  back_up("good");
  const auto good = e_.tree();
  e_.file("hooks/a.py", "broken\n").file("settings.json", "{");
  for (const char* path : {"config.json", "audit/operations.log", "audit/head.json",
                           "backups/latest.json", "backups/sequence.json"})
    e_.disk().write_file(in_store(path), "{ no json", 0600);
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_TRUE(result->is_whole());
  EXPECT_EQ(testing::difference(good, e_.tree()), "");
}

TEST_F(EmergencyLadder, AJournalThatCannotBeFollowedStandsAside) {
  e_.file("hooks/a.py", "good\n");
  back_up("good");
  e_.file("hooks/a.py", "broken\n");
  e_.disk().write_file(in_store("recovery/tx/0123456789abcdef/journal"),
                       std::string("no record at all") + std::string(200, 'x'), 0600);
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(e_.contents("hooks/a.py"), "good\n");
  auto session = e_.open(e_.disk());
  EXPECT_TRUE((*session)->begin_writing());
}

TEST_F(EmergencyLadder, WithoutRoomForABackupTheJournalKeepsWhatIsDisplaced) {
  e_.file("hooks/a.py", "good\n").file("commands/big.md", testing::noise(300'000));
  back_up("good");
  e_.file("hooks/a.py", "broken\n");
  const auto before = e_.tree();
  e_.disk().set_free(100'000, 1000);
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(e_.contents("hooks/a.py"), "good\n");
  EXPECT_TRUE(result->restored->backup_created.empty());
  e_.disk().set_free(10'000'000, 1000);
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(EmergencyLadder, ADryRunLooksAndChangesNothing) {
  e_.file("hooks/a.py", "good\n");
  back_up("good");
  e_.file("hooks/a.py", "broken\n");
  const auto before = e_.disk().snapshot("/");
  SessionRequest request;
  request.mode = RunMode::kDryRun;
  auto session = e_.open(e_.disk(), request);
  const auto result = emergency(**session, {});
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->chosen, "good");
  EXPECT_EQ(result->restored->outcome, Outcome::kPlanned);
  EXPECT_EQ(testing::difference(before, e_.disk().snapshot("/")), "");
}

TEST_F(EmergencyLadder, WithoutAnyRoomItSaysHowManyBytesAreMissing) {
  e_.file("hooks/a.py", "good\n");
  back_up("good");
  e_.file("hooks/a.py", "broken\n");
  e_.disk().set_free(0, 1000);
  const auto before = e_.tree();
  const auto result = run();
  // Either the way back needed no room, or it says what it lacks; nothing in between.
  if (result) {
    EXPECT_EQ(e_.contents("hooks/a.py"), "good\n");
  } else {
    EXPECT_EQ(result.error().code, ErrorCode::kNoSpace);
    EXPECT_THAT(result.error().to_string(), HasSubstr("bytes are free where"));
    EXPECT_EQ(testing::difference(before, e_.tree()), "");
  }
}

TEST_F(EmergencyLadder, WhatAWayBackSavedIsTheLastToBeTaken) {
  e_.file("hooks/a.py", "good\n").file("settings.json", "{}\n");
  back_up("good");
  e_.file("hooks/a.py", "broken\n");
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE(i);
    const auto result = run();
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(e_.contents("hooks/a.py"), "good\n");
    e_.clock().advance_ms(60'000);
  }
}

TEST_F(EmergencyLadder, NothingThatStandsInThePlaceBarsIt) {
  e_.file("hooks/a.py", "good\n").file("hooks/b.py", "b\n").file("settings.json", "{}\n");
  back_up("good");
  const auto good = e_.tree();
  e_.disk().remove(at("hooks/a.py"));
  e_.file("hooks/a.py/x", "mine\n");
  e_.disk().remove(at("settings.json"));
  e_.file("settings.json/y", "mine too\n");
  auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(e_.contents("hooks/a.py"), "good\n");
  EXPECT_EQ(e_.contents("settings.json"), "{}\n");
  EXPECT_EQ(e_.contents("settings.json.moved-aside/y"), "mine too\n");
  e_.disk().remove(at("settings.json.moved-aside"));
  e_.disk().remove(at("hooks"));
  e_.disk().symlink("../dotfiles/hooks", at("hooks"));
  result = run({.pick = "good", .reason = ""});
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(testing::difference(good, e_.tree()), "");
}

TEST_F(EmergencyLadder, AnOldRecordThatIsNoFileIsNoHistory) {
  e_.file("hooks/a.py", "good\n").bundle("v1", {{"commands/c.md", "c\n"}});
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  back_up("good");
  const auto good = e_.tree();
  e_.file("hooks/a.py", "broken\n");
  std::string journal;
  for (const auto& [path, node] : e_.disk().snapshot(EngineFixture::kStore))
    if (path.find("tx/done/") != std::string::npos && path.ends_with("/journal")) journal = path;
  e_.disk().remove(journal);
  e_.disk().make_dirs(journal, 0700);
  const auto result = run();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(testing::difference(good, e_.tree()), "");
}

}  // namespace
}  // namespace stravinsky::engine
