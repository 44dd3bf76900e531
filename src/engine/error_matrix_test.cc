#include "engine/error_matrix.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace stravinsky::engine {
namespace {

using enum ErrorCode;

Error refused_by(const std::string& rule) {
  Error error = make_error(kChecksRefused, "a check says no");
  error.rule = rule;
  return error;
}

ErrorClass class_before(const Error& error) {
  return classify(error, Phase::kBefore);
}

TEST(ErrorMatrix, HasARowAClassWithItsOwnName) {
  std::set<std::string_view> names;
  for (const ErrorRow& row : error_matrix()) {
    EXPECT_EQ(&row_of(row.error_class), &row);
    names.insert(row.name);
    for (const std::string_view text : {row.title, row.found_by, row.restores, row.next_step})
      EXPECT_FALSE(text.empty()) << row.name;
  }
  EXPECT_EQ(names.size(), 10U);
}

TEST(ErrorMatrix, ClassifiesByCodeAndByTheRuleThatRefused) {
  EXPECT_EQ(class_before(refused_by("hook.syntax")), ErrorClass::kParseError);
  EXPECT_EQ(class_before(refused_by("front_matter.syntax")), ErrorClass::kParseError);
  EXPECT_EQ(class_before(refused_by("settings.syntax")), ErrorClass::kValidationError);
  EXPECT_EQ(class_before(refused_by("")), ErrorClass::kValidationError);
  EXPECT_EQ(class_before(refused_by("health.command")), ErrorClass::kValidationError);
  EXPECT_EQ(class_before(refused_by("hook.missing")), ErrorClass::kDependencyFailure);
  EXPECT_EQ(class_before(refused_by("version.latest")), ErrorClass::kVersionMismatch);
  EXPECT_EQ(class_before(make_error(kPermission, "x")), ErrorClass::kPermissionError);
  EXPECT_EQ(class_before(make_error(kNoSpace, "x")), ErrorClass::kDiskFull);
  EXPECT_EQ(class_before(make_error(kCorrupt, "x")), ErrorClass::kCorruptedBackup);
  EXPECT_EQ(class_before(make_error(kLocked, "x")), ErrorClass::kLockTimeout);
  EXPECT_EQ(class_before(make_error(kIo, "x")), ErrorClass::kUnknownError);
  EXPECT_EQ(classify(make_error(kIo, "x"), Phase::kSwap), ErrorClass::kPartialWrite);
  EXPECT_EQ(classify(make_error(kChanged, "x"), Phase::kVerify), ErrorClass::kPartialWrite);
  EXPECT_EQ(classify(make_error(kIo, "x"), Phase::kVerify), ErrorClass::kUnknownError);
}

TEST(ErrorMatrix, BeforeTheFirstChangeEverythingAbortsAndAfterItIsTakenBack) {
  for (int code = 0; code <= static_cast<int>(kWrongType); ++code) {
    const Error error = make_error(static_cast<ErrorCode>(code), "x");
    for (const auto automatic : {AutomaticRollback::kOn, AutomaticRollback::kOff}) {
      EXPECT_EQ(respond(error, Phase::kBefore, automatic), Response::kAbort);
      EXPECT_EQ(respond(error, Phase::kSwap, automatic), Response::kTakeBack);
    }
    EXPECT_EQ(respond(error, Phase::kVerify, AutomaticRollback::kOn), Response::kTakeBack);
  }
}

TEST(ErrorMatrix, OnlyWhatIsCompleteMayStayWhereRollbackIsOff) {
  const auto stays = [](const Error& error) {
    return respond(error, Phase::kVerify, AutomaticRollback::kOff) == Response::kStay;
  };
  for (const char* rule : {"hook.syntax", "settings.shape", "hook.missing", "version.latest"})
    EXPECT_TRUE(stays(refused_by(rule))) << rule;
  for (const ErrorCode code : {kIo, kNoSpace, kPermission, kChanged, kCorrupt, kLocked})
    EXPECT_FALSE(stays(make_error(code, "x"))) << code_name(code);
}

TEST(ErrorMatrix, AnAnswerToARequestIsNoFailure) {
  for (const ErrorCode code : {kUsage, kNotFound, kConflict, kInterrupted})
    EXPECT_EQ(error_class_name(make_error(code, "x"), Phase::kBefore), "");
  EXPECT_EQ(error_class_name(make_error(kNoSpace, "x"), Phase::kBefore), "disk_full");
}

TEST(ErrorMatrix, TheDocumentHoldsTheTableOfTheCode) {
  std::ifstream file(std::string(STRAVINSKY_SOURCE_DIR) + "/docs/operations.md");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string begin = "<!-- error matrix, as src/engine/error_matrix.cc prints it -->\n";
  const std::string document = text.str();
  const size_t at = document.find(begin);
  ASSERT_NE(at, std::string::npos);
  const size_t start = at + begin.size();
  const size_t end = document.find("<!-- end of the error matrix -->", start);
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(document.substr(start, end - start), error_matrix_markdown());
}

}  // namespace
}  // namespace stravinsky::engine
