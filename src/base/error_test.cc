#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace stravinsky {
namespace {

Result<int> half_of(int number) {
  if (number % 2 != 0) return make_error(ErrorCode::kUsage, "odd", "number");
  return number / 2;
}

Result<int> quarter_of(int number) {
  ASSIGN_OR_RETURN(const int half, half_of(number));
  ASSIGN_OR_RETURN_WHILE(const int quarter, half_of(half), "while halving again");
  return quarter;
}

Status check_eighth(int number) {
  RETURN_IF_ERROR(quarter_of(number));
  RETURN_IF_ERROR_WHILE(half_of(number / 4), "while halving a third time");
  return {};
}

TEST(Error, PassesUpWithItsContext) {
  EXPECT_EQ(*quarter_of(8), 2);
  EXPECT_EQ(quarter_of(3).error().to_string(), "number: odd");
  EXPECT_EQ(quarter_of(6).error().to_string(), "number: odd (while halving again)");
  EXPECT_TRUE(check_eighth(8));
  EXPECT_EQ(check_eighth(12).error().to_string(), "number: odd (while halving a third time)");
  EXPECT_EQ(check_eighth(6).error().to_string(), "number: odd (while halving again)");
}

TEST(Error, ContextIsInnermostFirst) {
  const Error error =
      make_error(ErrorCode::kIo, "cause").with_context("while a").with_context("while b");
  EXPECT_EQ(error.to_string(), "cause (while a, while b)");
}

TEST(Error, OnlyEnoentIsAbsent) {
  for (int number = 1; number < 134; ++number) {
    EXPECT_EQ(is_not_found(errno_error(number, "")), number == ENOENT) << number;
  }
}

TEST(Error, ErrnoBecomesTheCodeThatACallerReactsTo) {
  EXPECT_EQ(code_of_errno(EEXIST), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of_errno(ENOTEMPTY), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of_errno(EROFS), ErrorCode::kPermission);
  EXPECT_EQ(code_of_errno(EDQUOT), ErrorCode::kNoSpace);
  EXPECT_EQ(code_of_errno(ELOOP), ErrorCode::kWrongType);
  EXPECT_EQ(code_of_errno(EWOULDBLOCK), ErrorCode::kLocked);
  EXPECT_EQ(code_of_errno(ENOSYS), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of_errno(EIO), ErrorCode::kIo);
}

TEST(Error, ErrnoErrorSaysPathAndReason) {
  const Error error = errno_error(ENOSPC, "store/x");
  EXPECT_EQ(error.to_string(), "store/x: No space left on device");
  EXPECT_EQ(error.sys_errno, ENOSPC);
}

TEST(Error, CodeNamesAreDistinct) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorCode::kWrongType);
  for (int code = 0; code <= last; ++code) names.insert(code_name(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<size_t>(last) + 1);
}

}  // namespace
}  // namespace stravinsky
