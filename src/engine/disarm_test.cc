#include "engine/disarm.h"

#include <gmock/gmock.h>

#include "engine/rollback.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using ::testing::HasSubstr;
using testing::outcome;

constexpr const char* kSettings =
    "{\n\t\"permissions\": {\"deny\": [\"Bash(rm *)\"]},\n\t\"hooks\": {\"Stop\": []},\n"
    "\t\"model\": \"x\"\n}\n";
constexpr const char* kDisarmed =
    "{\n\t\"permissions\": {\"deny\": [\"Bash(rm *)\"]},\n\t\"model\": \"x\"\n}\n";

class Disarm : public ::testing::Test {
 protected:
  Disarm() { e_.file("settings.json", kSettings).file("settings.local.json", "{\"a\": 1}\n"); }
  Result<OperationResult> off() {
    auto session = e_.open(e_.disk());
    return disarm(**session);
  }
  Result<OperationResult> on() {
    auto session = e_.open(e_.disk());
    return arm(**session);
  }
  EngineFixture e_;
};

TEST_F(Disarm, TakesHooksOutAndLeavesTheRest) {
  const auto before = e_.tree();
  ASSERT_EQ(outcome(off()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), kDisarmed);
  EXPECT_EQ(e_.contents("settings.local.json"), "{\"a\": 1}\n");
  EXPECT_EQ(off()->outcome, Outcome::kNothingToDo);
  ASSERT_EQ(outcome(on()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
  const auto again = on();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kNotFound);
}

TEST_F(Disarm, WhatIsNoJsonGoesAsAWholeAndComesBack) {
  e_.file("settings.json", "{ \"hooks\": ");
  const auto before = e_.tree();
  ASSERT_EQ(outcome(off()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), "<absent>");
  ASSERT_EQ(outcome(on()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(Disarm, EveryDuplicateOfTheKeyGoes) {
  e_.file("settings.json", R"({"hooks": {"Stop": []}, "a": 1, "hooks": {"Start": []}})");
  ASSERT_EQ(outcome(off()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), R"({"a": 1})");
}

TEST_F(Disarm, ALinkIsWrittenThrough) {
  e_.disk().remove(std::string(EngineFixture::kTree) + "/settings.json");
  e_.disk().write_file("/home/u/dotfiles/settings.json", kSettings);
  e_.disk().symlink("../dotfiles/settings.json",
                    std::string(EngineFixture::kTree) + "/settings.json");
  ASSERT_EQ(outcome(off()), "ok");
  EXPECT_EQ(e_.disk().contents("/home/u/dotfiles/settings.json"), kDisarmed);
  ASSERT_EQ(outcome(on()), "ok");
  EXPECT_EQ(e_.disk().contents("/home/u/dotfiles/settings.json"), kSettings);
}

TEST_F(Disarm, ArmingKeepsWhatWasChangedMeanwhile) {
  ASSERT_EQ(outcome(off()), "ok");
  e_.file("settings.json", "{\n  \"model\": \"y\"\n}\n");
  ASSERT_EQ(outcome(on()), "ok");
  EXPECT_THAT(e_.contents("settings.json"), HasSubstr("\"model\": \"y\""));
  EXPECT_THAT(e_.contents("settings.json"), HasSubstr("\"hooks\""));
}

TEST_F(Disarm, ArmingLeavesHooksOfTheUsersAlone) {
  ASSERT_EQ(outcome(off()), "ok");
  e_.file("settings.json", R"({"hooks": {"Mine": []}})");
  const auto result = on();
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(e_.contents("settings.json"), R"({"hooks": {"Mine": []}})");
  ASSERT_EQ(result->files.size(), 1U);
  EXPECT_EQ(result->files[0].action, FileAction::kKeepMine);
}

TEST_F(Disarm, UndoTakesBothBack) {
  ASSERT_EQ(outcome(off()), "ok");
  ASSERT_EQ(outcome(on()), "ok");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), kDisarmed);
  // Armed no more, so it can be armed again.
  ASSERT_EQ(outcome(on()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), kSettings);
  ASSERT_EQ(outcome(e_.undo()), "ok");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), kSettings);
  EXPECT_FALSE(on());
}

TEST_F(Disarm, SettingsThatCannotBeReadAreNoSuccess) {
  e_.disk().set_mode(std::string(EngineFixture::kTree) + "/settings.json", 0);
  const auto refused = off();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
}

TEST_F(Disarm, AJournalThatCannotBeFollowedDoesNotStandInTheWay) {
  ASSERT_TRUE(e_.back_up(e_.disk(), "one"));
  e_.disk().write_file(std::string(EngineFixture::kStore) + "/recovery/tx/0123456789abcdef/journal",
                       std::string("no record at all") + std::string(200, 'x'), 0600);
  ASSERT_EQ(outcome(off()), "ok");
  EXPECT_EQ(e_.contents("settings.json"), kDisarmed);
}

}  // namespace
}  // namespace stravinsky::engine
