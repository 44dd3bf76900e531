#include "checks/run_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "testing/fake_process_runner.h"
#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using testing::FakeProcessRunner;
using testing::FakeTree;

// Fails where there is a file "broken".
Result<std::vector<Finding>> fails_on_broken(const CheckInput& input) {
  const auto found = input.next.find(FakeTree::path_of("broken"));
  if (found && found->has_value()) return make_error(ErrorCode::kIo, "it broke", "broken");
  return std::vector<Finding>();
}
Result<std::vector<Finding>> warns(const CheckInput&) {
  Finding finding;
  finding.rule = "second.said";
  return std::vector<Finding>{finding};
}
constexpr std::array<Check, 2> kTwo = {
    {{"first", "first.failed", fails_on_broken}, {"second", "second.failed", warns}}};

TEST(RunChecks, CheckThatFailsIsAFindingAndStopsNoOther) {
  FakeProcessRunner runner;
  SourceJudge judge(runner);
  FakeTree next;
  next.put("broken", "");
  const auto findings = run_checks({.next = next, .judge = judge}, kTwo);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].rule, "first.failed");
  EXPECT_EQ(findings[0].severity, Severity::kBlocking);
  EXPECT_EQ(findings[0].message, "the check of first could not be carried out: broken: it broke");
  EXPECT_EQ(findings[1].rule, "second.said");
}

TEST(RunChecks, FailureThatWasThereBeforeOnlyWarns) {
  FakeProcessRunner runner;
  SourceJudge judge(runner);
  FakeTree next;
  next.put("broken", "");
  EXPECT_EQ(run_checks({.next = next, .present = &next, .judge = judge}, kTwo)[0].severity,
            Severity::kWarning);
  const FakeTree present;
  EXPECT_EQ(run_checks({.next = next, .present = &present, .judge = judge}, kTwo)[0].severity,
            Severity::kBlocking);
}

TEST(RunChecks, EveryCheckOfATreeRuns) {
  std::vector<std::string_view> names;
  for (const Check& check : all_checks()) names.push_back(check.name);
  EXPECT_THAT(names, ::testing::ElementsAre("settings", "hooks", "imports", "commands", "agents",
                                            "skills", "guards"));
}

}  // namespace
}  // namespace stravinsky::checks
