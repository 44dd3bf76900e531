#include "checks/merged_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "testing/fake_process_runner.h"

namespace stravinsky::checks {
namespace {

using testing::FakeProcessRunner;
using ::testing::HasSubstr;

constexpr MergedText kShell = {.name = "hooks/a.sh", .theirs = "theirs\n", .text = "else\n"};

// Its bash refuses these texts and takes all others.
void give_bash(FakeProcessRunner& runner, const std::vector<std::string>& refused) {
  runner.answer("bash", [refused](const ProcessRequest& request) -> Result<ProcessResult> {
    ProcessResult result;
    if (std::ranges::find(refused, request.input) != refused.end()) {
      result.exit_code = 2;
      result.errors = "/dev/stdin: line 1: syntax error near `else'\n";
    }
    return result;
  });
}

std::optional<std::string> fault_of(const MergedText& merged,
                                    std::span<const model::ReferencedFile> references,
                                    FakeProcessRunner& runner) {
  SourceJudge judge(runner);
  return merge_fault(merged, references, judge);
}

TEST(MergedText, IsAskedAboutOnceWhenItParses) {
  FakeProcessRunner runner;
  give_bash(runner, {});
  EXPECT_EQ(fault_of(kShell, {}, runner), std::nullopt);
  EXPECT_EQ(runner.requests().size(), 1U);
}

TEST(MergedText, ThatIsRefusedSaysByWhomAndWhere) {
  FakeProcessRunner runner;
  give_bash(runner, {"else\n"});
  EXPECT_EQ(fault_of(kShell, {}, runner).value_or(""),
            "line 1: bash does not accept it: syntax error near `else'");
}

TEST(MergedText, IsNoMatterOfTheMergeWhenTheNewVersionIsRefusedToo) {
  FakeProcessRunner runner;
  give_bash(runner, {"else\n", "theirs\n"});
  EXPECT_EQ(fault_of(kShell, {}, runner), std::nullopt);
}

TEST(MergedText, ThatNobodyCanReadIsNoConflict) {
  FakeProcessRunner none;
  EXPECT_EQ(fault_of(kShell, {}, none), std::nullopt);
  FakeProcessRunner slow;
  ProcessResult late;
  late.timed_out = true;
  slow.answer("bash", late);
  EXPECT_EQ(fault_of(kShell, {}, slow), std::nullopt);
}

TEST(MergedText, HasTheLanguageOfWhatRunsIt) {
  FakeProcessRunner runner;
  give_bash(runner, {"else\n"});
  const MergedText unnamed{.name = "hooks/a", .theirs = "theirs\n", .text = "else\n"};
  EXPECT_EQ(fault_of(unnamed, {}, runner), std::nullopt);
  model::ReferencedFile by_bash;
  by_bash.interpreter = model::Interpreter::kBash;
  by_bash.program = "bash";
  EXPECT_NE(fault_of(unnamed, {&by_bash, 1}, runner), std::nullopt);
}

TEST(MergedText, JsonAndFrontMatterAreReadHere) {
  FakeProcessRunner none;
  EXPECT_THAT(fault_of({"skills/s/a.json", "{}", "{,}"}, {}, none).value_or(""),
              HasSubstr("line 1, column 2"));
  EXPECT_EQ(fault_of({"skills/s/a.json", "{}", "[]"}, {}, none), std::nullopt);
  EXPECT_THAT(fault_of({"agents/a.md", "text", "---\nname: a\n- [\n---\n"}, {}, none).value_or(""),
              HasSubstr("front matter"));
  EXPECT_TRUE(none.requests().empty());
}

}  // namespace
}  // namespace stravinsky::checks
