#include "checks/source_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/fake_process_runner.h"

namespace stravinsky::checks {
namespace {

using Outcome = SyntaxVerdict::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SourceParser kPython{Language::kPython, "python3"};

// Accepts as many sources as the input has lines that begin with "either".
ProcessResult accept_all(const ProcessRequest& request) {
  ProcessResult result{.exit_code = 0, .output = "ready\n", .errors = {}};
  for (size_t at = request.input.find("either "); at != std::string::npos;
       at = request.input.find("either ", at + 1))
    result.output += "-1\t\n";
  return result;
}

class MemoryOfSet final : public AcceptedMemory {
 public:
  bool contains(const SourceParser& parser, const codec::Digest& source) override {
    return known.contains({parser, source});
  }
  void add(const SourceParser& parser, const codec::Digest& source) override {
    known.insert({parser, source});
  }
  std::set<std::pair<SourceParser, codec::Digest>> known;
};

class SourceJudgeTest : public ::testing::Test {
 protected:
  SourceJudgeTest() { runner.answer("python3", accept_all); }

  std::vector<Outcome> outcomes(const std::vector<Source>& sources) {
    std::vector<Outcome> all;
    for (const SyntaxVerdict& verdict : judge.verdicts(kPython, sources))
      all.push_back(verdict.outcome);
    return all;
  }

  testing::FakeProcessRunner runner;
  SourceJudge judge{runner};
  const Source a{"hooks/a", "1\n"};
  const Source b{"hooks/b", "2\n"};
  const Source c{"hooks/c", "3\n"};
};

TEST_F(SourceJudgeTest, AsksOnceAboutTheSameSource) {
  judge.expect(kPython, std::vector<Source>{a, b, a});
  EXPECT_THAT(outcomes({a, b}), ElementsAre(Outcome::kAccepted, Outcome::kAccepted));
  EXPECT_THAT(outcomes({b, a}), ElementsAre(Outcome::kAccepted, Outcome::kAccepted));
  ASSERT_EQ(runner.requests().size(), 1U);
  EXPECT_EQ(runner.requests()[0].input, "either 2\n1\neither 2\n2\n");
  EXPECT_THAT(outcomes({a, c}), ElementsAre(Outcome::kAccepted, Outcome::kAccepted));
  ASSERT_EQ(runner.requests().size(), 2U);
  EXPECT_EQ(runner.requests()[1].input, "either 2\n3\n");
}

TEST_F(SourceJudgeTest, OtherBytesOrAnotherNameAreAskedAboutAgain) {
  (void)outcomes({a});
  (void)outcomes({{a.name, "1 \n"}});
  (void)outcomes({{"hooks/a.mjs", a.text}});
  EXPECT_EQ(runner.requests().size(), 3U);
}

TEST_F(SourceJudgeTest, AnotherParserIsAskedAgain) {
  runner.answer("python3.12", ProcessResult{.output = "ready\n2\tbad\n", .errors = {}});
  (void)outcomes({a});
  const auto verdicts = judge.verdicts({Language::kPython, "python3.12"}, std::vector<Source>{a});
  EXPECT_EQ(verdicts[0].outcome, Outcome::kRefused);
}

TEST_F(SourceJudgeTest, WhatRanOutOfTimeIsAskedAgain) {
  runner.answer("python3",
                ProcessResult{.exit_code = 137, .timed_out = true, .output = "", .errors = {}});
  EXPECT_THAT(outcomes({a}), ElementsAre(Outcome::kNotRead));
  runner.answer("python3", accept_all);
  EXPECT_THAT(outcomes({a}), ElementsAre(Outcome::kAccepted));
}

TEST_F(SourceJudgeTest, OnlyWhatWasAcceptedIsRemembered) {
  MemoryOfSet memory;
  judge.remember_in(memory);
  runner.answer("python3", ProcessResult{.output = "ready\n-1\t\n3\tbad\n-2\t\n", .errors = {}});
  (void)outcomes({a, b, c});
  EXPECT_EQ(memory.known.size(), 1U);
  SourceJudge later(runner);
  EXPECT_FALSE(later.was_accepted(kPython, a));
  later.remember_in(memory);
  EXPECT_TRUE(later.was_accepted(kPython, a));
  EXPECT_FALSE(later.was_accepted(kPython, b));
  EXPECT_FALSE(later.was_accepted(kPython, c));
  EXPECT_FALSE(later.was_accepted({Language::kPython, "python3.12"}, a));
}

TEST_F(SourceJudgeTest, ProgramsAreLookedUpOnce) {
  runner.answer("sh", ProcessResult{.output = "bun\n", .errors = {}});
  judge.expect_programs({"bun", "perl"});
  EXPECT_THAT(judge.missing_programs({"bun", "perl"}), ElementsAre("bun"));
  EXPECT_THAT(judge.missing_programs({"bun", "perl"}), ElementsAre("bun"));
  EXPECT_EQ(runner.requests().size(), 1U);
  EXPECT_THAT(judge.missing_programs({}), IsEmpty());
  EXPECT_EQ(runner.requests().size(), 1U);
}

}  // namespace
}  // namespace stravinsky::checks
