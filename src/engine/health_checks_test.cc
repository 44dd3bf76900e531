#include "engine/health_checks.h"

#include <gmock/gmock.h>

#include "engine/updater.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::outcome;

class HealthChecks : public ::testing::Test {
 protected:
  HealthChecks() {
    e_.file("hooks/a.py", "a\n").bundle("v1", {{"hooks/a.py", "new\n"}});
    before_ = e_.tree();
  }
  Result<OperationResult> update_with(const std::string& commands) {
    e_.variable("STRAVINSKY_VERIFY_COMMANDS", commands);
    return e_.update("v1");
  }
  void answer(int exit_code, bool timed_out = false) {
    e_.processes().answer("probe", ProcessResult{.exit_code = exit_code,
                                                 .timed_out = timed_out,
                                                 .output = "token=SECRET",
                                                 .errors = "SECRET"});
  }
  const ProcessRequest* request() {
    for (const ProcessRequest& one : e_.processes().requests())
      if (one.argv[0] == "probe") return &one;
    return nullptr;
  }

  EngineFixture e_;
  testing::Snapshot before_;
};

TEST_F(HealthChecks, OneThatEndsWithNoughtLetsTheUpdateBe) {
  answer(0);
  const auto result = update_with(R"([{"argv": ["probe", "~/x"], "timeout_seconds": 3}])");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kDone);
  EXPECT_EQ(e_.contents("hooks/a.py"), "new\n");
  ASSERT_NE(request(), nullptr);
  EXPECT_EQ(request()->timeout_ms, 3'000);
  const std::string scratch = std::string(EngineFixture::kStore) + "/recovery/staging/health";
  EXPECT_THAT(request()->argv, ElementsAre("probe", scratch + "/x"));
  EXPECT_THAT(request()->environment, ::testing::Contains(std::make_pair("HOME", scratch)));
  EXPECT_EQ(e_.broken_rules(e_.disk()), std::vector<std::string>());
}

TEST_F(HealthChecks, AScratchHomeHoldsTheNewFilesAndIsGoneAfterwards) {
  std::string seen;
  const std::string scratch = std::string(EngineFixture::kStore) + "/recovery/staging/health";
  e_.processes().answer("probe", [&](const ProcessRequest&) -> Result<ProcessResult> {
    seen = e_.disk().contents(scratch + "/.claude/hooks/a.py").value_or("<absent>");
    return ProcessResult{};
  });
  ASSERT_EQ(outcome(update_with(R"([{"argv": ["probe"]}])")), "ok");
  EXPECT_EQ(seen, "new\n");
  EXPECT_FALSE(e_.disk().contents(scratch + "/.claude/hooks/a.py"));
}

TEST_F(HealthChecks, OneThatFailsTakesTheUpdateBackAndItsWordsAreNotKept) {
  answer(3);
  const auto result = update_with(R"([{"argv": ["probe", "--token=SECRET"], "home": "real"}])");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kRolledBack);
  EXPECT_EQ(result->error_class, "validation_error");
  EXPECT_EQ(result->failure->to_string(), "health check 1 (probe) ended with 3");
  EXPECT_EQ(testing::difference(before_, e_.tree()), "");
  EXPECT_THAT(request()->environment, ::testing::Contains(std::make_pair("HOME", "/home/u")));
  for (const auto& [path, node] : e_.disk().snapshot(EngineFixture::kStore))
    EXPECT_THAT(e_.disk().contents(path).value_or(""), Not(HasSubstr("SECRET"))) << path;
}

TEST_F(HealthChecks, OneThatDoesNotEndOrIsNotThereFails) {
  answer(0, /*timed_out=*/true);
  const auto late = update_with(R"([{"argv": ["probe"], "timeout_seconds": 1}])");
  ASSERT_EQ(outcome(late), "ok");
  EXPECT_THAT(late->failure->message, HasSubstr("did not end within 1 second"));
  const auto absent = update_with(R"([{"argv": ["nowhere"]}])");
  ASSERT_EQ(outcome(absent), "ok");
  EXPECT_THAT(absent->failure->message, HasSubstr("could not be started"));
}

TEST_F(HealthChecks, AllThatFailAreTold) {
  answer(1);
  const auto result = update_with(R"([{"argv": ["probe"]}, {"argv": ["probe", "2"]}])");
  ASSERT_EQ(outcome(result), "ok");
  ASSERT_EQ(result->verified.size(), 7U);
  EXPECT_EQ(result->verified[6].name, "health");
  EXPECT_EQ(result->verified[6].failures.size(), 2U);
}

TEST_F(HealthChecks, AreNotRunWhereVerificationIsOff) {
  answer(1);
  e_.variable("STRAVINSKY_UPDATE_POST_UPDATE_VERIFICATION_ENABLED", "false");
  EXPECT_EQ(update_with(R"([{"argv": ["probe"]}])")->outcome, Outcome::kDone);
  EXPECT_EQ(request(), nullptr);
}

}  // namespace
}  // namespace stravinsky::engine
