#include "base/process_runner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/clock.h"

namespace stravinsky {
namespace {

ProcessResult run_shell(const std::string& script, std::string input = {},
                        int64_t timeout_ms = 10'000) {
  auto result = system_process_runner().run({.argv = {"sh", "-c", script},
                                             .input = std::move(input),
                                             .timeout_ms = timeout_ms,
                                             .environment = {{"COLOUR", "a b"}}});
  EXPECT_TRUE(result) << result.error().to_string();
  return result ? *result : ProcessResult{};
}

ErrorCode code_of_running(std::vector<std::string> argv) {
  const auto result =
      system_process_runner().run({.argv = std::move(argv), .input = {}, .environment = {}});
  return result ? ErrorCode::kIo : result.error().code;
}

TEST(ProcessRunner, GivesInputAndKeepsBothOutputs) {
  const ProcessResult result = run_shell("cat; echo wrong >&2; exit 3", "some input");
  EXPECT_EQ(result.output, "some input");
  EXPECT_EQ(result.errors, "wrong\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_FALSE(result.timed_out);
}

TEST(ProcessRunner, LargeInputAndOutputDoNotBlockEachOther) {
  const std::string input(900'000, 'x');
  EXPECT_EQ(run_shell("cat", input).output, input);
}

TEST(ProcessRunner, InputThatNobodyReadsIsNoError) {
  EXPECT_EQ(run_shell("exec <&-; exit 0", std::string(900'000, 'x')).exit_code, 0);
}

TEST(ProcessRunner, OutputBeyondTheCapIsReadAndDropped) {
  const ProcessResult result = run_shell("head -c 3000000 /dev/zero; echo end >&2");
  EXPECT_EQ(result.output.size(), size_t{1} << 20U);
  EXPECT_EQ(result.errors, "end\n");
}

TEST(ProcessRunner, MissingProgramIsNotFound) {
  EXPECT_EQ(code_of_running({"no-such-program-anywhere"}), ErrorCode::kNotFound);
  EXPECT_EQ(code_of_running({"/no/such/program"}), ErrorCode::kNotFound);
  EXPECT_EQ(code_of_running({""}), ErrorCode::kNotFound);
}

TEST(ProcessRunner, NoProgramOrNulByteIsUsage) {
  EXPECT_EQ(code_of_running({}), ErrorCode::kUsage);
  EXPECT_EQ(code_of_running({std::string("a\0b", 3)}), ErrorCode::kUsage);
}

TEST(ProcessRunner, DeathBySignalIsReported) {
  EXPECT_EQ(run_shell("kill -TERM $$").exit_code, 128 + 15);
}

TEST(ProcessRunner, TimeoutEndsTheWholeGroup) {
  const int64_t start_ns = system_clock().monotonic_ns();
  const ProcessResult result = run_shell("sleep 600 & sleep 600", "", 50);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + 9);
  EXPECT_LT(system_clock().monotonic_ns() - start_ns, 60'000'000'000);
}

TEST(ProcessRunner, EndlessOutputDoesNotHoldBackTheTimeout) {
  const ProcessResult result = run_shell("yes", "", 50);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.output.size(), size_t{1} << 20U);
}

TEST(ProcessRunner, WhatTheChildLeavesRunningIsEnded) {
  // The one left behind holds the pipes open; without its end this would take ten minutes.
  const ProcessResult result = run_shell("sleep 600 & echo done");
  EXPECT_EQ(result.output, "done\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(ProcessRunner, EnvironmentIsMinimal) {
  ASSERT_EQ(setenv("STRAVINSKY_TEST_SECRET", "hidden", 1), 0);
  const ProcessResult result = run_shell("echo \"$COLOUR:$STRAVINSKY_TEST_SECRET:${PATH:+path}\"");
  unsetenv("STRAVINSKY_TEST_SECRET");
  EXPECT_EQ(result.output, "a b::path\n");
}

TEST(ProcessRunner, NoOtherDescriptorIsInherited) {
  const int leaky = dup(STDERR_FILENO);  // without close-on-exec
  ASSERT_GT(leaky, STDERR_FILENO);
  const ProcessResult result = run_shell("ls /proc/self/fd | wc -l");
  close(leaky);
  EXPECT_EQ(result.output, "4\n");  // three, and the one that ls itself opens
}

}  // namespace
}  // namespace stravinsky
