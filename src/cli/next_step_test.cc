#include "cli/next_step.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace stravinsky::cli {
namespace {

TEST(NextStep, WhatAnErrorSaysItselfStays) {
  const Error whole = with_next_step(
      make_error(ErrorCode::kIo, "failed").with_untouched("Nothing.").with_remedy("Do it."));
  EXPECT_EQ(whole.untouched, "Nothing.");
  EXPECT_EQ(whole.remedy, "Do it.");
}

TEST(NextStep, EveryCodeHasOne) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kWrongType); ++code)
    for (const char* path : {"", "/nope", "journal"}) {
      const Error error = with_next_step(make_error(static_cast<ErrorCode>(code), "failed", path));
      EXPECT_NE(error.remedy, "") << code << path;
      EXPECT_EQ(error.remedy.find("journal"), std::string::npos) << "leads nowhere";
    }
}

TEST(NextStep, NamesThePathForAShell) {
  EXPECT_EQ(with_next_step(errno_error(ENOENT, "/no such")).remedy,
            "Check the path, or what is there: ls -ld '/no such'");
  EXPECT_EQ(with_next_step(errno_error(EACCES, "~/.claude/a b")).remedy,
            "See its owner and mode with: ls -ld ~/'.claude/a b'");
}

TEST(NextStep, AReadOnlyFileSystemIsNoMatterOfOwners) {
  EXPECT_EQ(with_next_step(errno_error(EROFS, "/store/lock")).remedy,
            "Make the file system writable and run the command again; another store is named "
            "with --root.");
}

TEST(NextStep, DoesNotClaimThatNothingChangedWhereThatIsNotKnown) {
  EXPECT_EQ(with_next_step(make_error(ErrorCode::kRecoveryRequired, "x")).untouched, "");
  EXPECT_EQ(with_next_step(make_error(ErrorCode::kIo, "x")).untouched,
            "Nothing in the tree was changed.");
}

}  // namespace
}  // namespace stravinsky::cli
