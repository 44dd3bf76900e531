#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/error_matrix.h"

namespace stravinsky::cli {
namespace {

constexpr auto kLastCode = ErrorCode::kWrongType;

TEST(ExitCodeOf, EveryErrorCodeHasTheDocumentedOne) {
  // Those that are missing here are plain failures.
  const std::map<ErrorCode, int> documented{{ErrorCode::kUsage, 2},
                                            {ErrorCode::kChecksRefused, 3},
                                            {ErrorCode::kConflict, 4},
                                            {ErrorCode::kNotFound, 5},
                                            {ErrorCode::kLocked, 6},
                                            {ErrorCode::kCorrupt, 7},
                                            {ErrorCode::kRecoveryRequired, 8},
                                            {ErrorCode::kPermission, 9},
                                            {ErrorCode::kNoSpace, 10},
                                            {ErrorCode::kInterrupted, 130}};
  for (int i = 0; i <= static_cast<int>(kLastCode); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const auto expected = documented.find(code);
    EXPECT_EQ(static_cast<int>(exit_code_of(make_error(code, "cause"))),
              expected == documented.end() ? 1 : expected->second)
        << code_name(code);
  }
}

engine::OperationResult result_of(engine::Outcome outcome) {
  engine::OperationResult result;
  result.outcome = outcome;
  return result;
}

TEST(ExitCodeOf, OutcomesThatAreAsAskedForAreZero) {
  for (const auto outcome :
       {engine::Outcome::kDone, engine::Outcome::kNothingToDo, engine::Outcome::kPlanned})
    EXPECT_EQ(exit_code_of(result_of(outcome)), ExitCode::kDone) << outcome_name(outcome);
}

TEST(ExitCodeOf, WhatWasTakenBackIsAPlainFailureWhateverTheCause) {
  engine::OperationResult result = result_of(engine::Outcome::kRolledBack);
  for (const auto code : {ErrorCode::kChecksRefused, ErrorCode::kNoSpace, ErrorCode::kIo}) {
    result.failure = make_error(code, "cause");
    EXPECT_EQ(exit_code_of(result), ExitCode::kFailed) << code_name(code);
  }
  result.failure = make_error(ErrorCode::kInterrupted, "SIGINT");
  EXPECT_EQ(exit_code_of(result), ExitCode::kInterrupted);
}

TEST(ExitCodeOf, WhatFailedAndStayedIsAFailure) {
  engine::OperationResult result = result_of(engine::Outcome::kVerifyFailed);
  result.failure = make_error(ErrorCode::kChecksRefused, "cause");
  EXPECT_EQ(exit_code_of(result), ExitCode::kFailed);
}

TEST(ExitCodeOf, ATreeThatCouldNotBeTakenBackNeedsRecovery) {
  engine::OperationResult result = result_of(engine::Outcome::kRollbackFailed);
  result.failure = make_error(ErrorCode::kNoSpace, "cause");
  EXPECT_EQ(exit_code_of(result), ExitCode::kRecoveryRequired);
}

// The codes that the table of the engine promises are those that the program ends with.
TEST(ExitCodeOf, TheErrorMatrixTellsTheTruth) {
  using engine::Phase;
  for (int i = 0; i <= static_cast<int>(kLastCode); ++i) {
    const Error error = make_error(static_cast<ErrorCode>(i), "cause");
    if (error_class_name(error, Phase::kBefore).empty()) continue;
    if (error.code == ErrorCode::kRecoveryRequired) continue;  // an emergency of its own
    const engine::ErrorRow& row = row_of(classify(error, Phase::kBefore));
    EXPECT_EQ(static_cast<int>(exit_code_of(error)), row.exit_before) << code_name(error.code);
    engine::OperationResult back = result_of(engine::Outcome::kRolledBack);
    back.failure = error;
    EXPECT_EQ(static_cast<int>(exit_code_of(back)), row.exit_after) << code_name(error.code);
  }
}

TEST(ExitCodeHelp, NamesEveryCode) {
  const std::string help(exit_code_help());
  for (const auto code : {ExitCode::kDone, ExitCode::kFailed, ExitCode::kUsage,
                          ExitCode::kChecksRefused, ExitCode::kConflict, ExitCode::kNotFound,
                          ExitCode::kLocked, ExitCode::kCorrupt, ExitCode::kRecoveryRequired,
                          ExitCode::kPermission, ExitCode::kNoSpace, ExitCode::kInterrupted}) {
    const std::string number = std::to_string(static_cast<int>(code)) + " ";
    const bool named = help.find(" " + number) != std::string::npos ||
                       help.find("\n" + number) != std::string::npos;
    EXPECT_TRUE(named) << number;
  }
}

}  // namespace
}  // namespace stravinsky::cli
