#include "cli/output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stravinsky::cli {
namespace {

using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

struct Said {
  std::string out;
  std::string err;
};

template <typename Talk>
Said said(const OutputOptions& options, const Talk& talk) {
  CaptureStdout();
  CaptureStderr();
  talk(Output(options));
  return {GetCapturedStdout(), GetCapturedStderr()};
}

const Error kError = make_error(ErrorCode::kNotFound, "there is no such backup", "v0.3.8")
                         .with_untouched("Nothing was changed.")
                         .with_remedy("See: stravinsky backup list");

void talk_about_everything(const Output& out) {
  out.line("asked for");
  out.note("beside");
  out.warning("careful");
  out.failure("wrong");
}

TEST(Output, WhatWasAskedForIsApartFromTheRest) {
  const Said all = said({}, talk_about_everything);
  EXPECT_EQ(all.out, "asked for\n");
  EXPECT_EQ(all.err, "beside\nwarning: careful\nwrong\n");
}

TEST(Output, TheCauseOfAFailureIsRedAndTheRestIsPlain) {
  const Said text = said({.color = Color::kAlways},
                         [](const Output& out) { (void)out.error("backup show", kError); });
  EXPECT_EQ(text.err,
            "\x1b[31merror: v0.3.8: there is no such backup\x1b[0m\n"
            "  Nothing was changed.\n"
            "  See: stravinsky backup list\n");
}

TEST(Output, QuietLeavesErrorsOnly) {
  const Said quiet = said({.quiet = true}, talk_about_everything);
  EXPECT_EQ(quiet.out, "");
  EXPECT_EQ(quiet.err, "wrong\n");
}

TEST(Output, AnErrorIsCauseThenWhatWasUntouchedThenWhatToDo) {
  const Said text = said({}, [](const Output& out) {
    EXPECT_EQ(out.error("backup show", kError), ExitCode::kNotFound);
  });
  EXPECT_EQ(text.out, "");
  EXPECT_EQ(text.err,
            "error: v0.3.8: there is no such backup\n"
            "  Nothing was changed.\n"
            "  See: stravinsky backup list\n");
}

TEST(Output, AnErrorAsJson) {
  const Said json = said({.format = Format::kJson},
                         [](const Output& out) { (void)out.error("backup show", kError); });
  EXPECT_EQ(json.err, "");
  EXPECT_EQ(json.out, R"({
  "command": "backup show",
  "error": {
    "code": "not_found",
    "message": "v0.3.8: there is no such backup",
    "path": "v0.3.8",
    "remedy": "See: stravinsky backup list",
    "untouched": "Nothing was changed."
  },
  "exit_code": 5,
  "format_version": 1,
  "ok": false,
  "recovery_required": false,
  "success": false
}
)");
}

TEST(Output, AnErrorWithoutANextStepGetsOne) {
  const Error bare = errno_error(2, "/nope");
  EXPECT_EQ(error_text(bare),
            "error: /nope: No such file or directory\n"
            "  Nothing in the tree was changed.\n"
            "  Check the path, or what is there: ls -ld /nope");
  EXPECT_NE(error_object(bare).at("remedy"), "");
}

TEST(Output, JsonStandsAlone) {
  const Said json = said({.format = Format::kJson}, [](const Output& out) {
    out.line("not shown");
    out.json("status", {{"version", "0.3.8"}}, ExitCode::kDone);
  });
  EXPECT_EQ(json.out, R"({
  "command": "status",
  "exit_code": 0,
  "format_version": 1,
  "ok": true,
  "success": true,
  "version": "0.3.8"
}
)");
}

TEST(Output, ACommandsOwnSuccessIsKept) {
  const Said json = said({.format = Format::kJson}, [](const Output& out) {
    out.json("update", {{"success", false}}, ExitCode::kDone);
  });
  EXPECT_EQ(nlohmann::json::parse(json.out).at("success"), false);
}

TEST(Output, BytesThatAreNoUtf8DoNotStopJson) {
  const Said json = said({.format = Format::kJson}, [](const Output& out) {
    out.json("status", {{"path", "\x80\xff"}}, ExitCode::kDone);
  });
  EXPECT_FALSE(nlohmann::json::parse(json.out, nullptr, false).is_discarded()) << json.out;
}

TEST(Output, ColourOnlyWhereItIsWanted) {
  // Standard output of a test may be a terminal: kAuto is not asked here.
  EXPECT_EQ(Output({.color = Color::kAlways}).good("well"), "\x1b[32mwell\x1b[0m");
  EXPECT_EQ(Output({.color = Color::kAlways}).bad("ill"), "\x1b[31mill\x1b[0m");
  EXPECT_EQ(Output({.color = Color::kNever}).good("well"), "well");
  EXPECT_EQ(Output({.color = Color::kAuto, .no_color_variable = true}).bad("ill"), "ill");
}

TEST(Output, TickFollowsTheLocale) {
  EXPECT_EQ(Output({.utf8 = true}).tick(), "\xe2\x9c\x85");
  EXPECT_EQ(Output({.utf8 = false}).tick(), "OK");
}

}  // namespace
}  // namespace stravinsky::cli
