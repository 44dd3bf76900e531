#include "cli/operation_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "testing/fake_clock.h"
#include "testing/fake_process_runner.h"
#include "testing/mem_fs.h"
#include "testing/seeded_random.h"

namespace stravinsky::cli {
namespace {

using engine::FileAction;
using engine::OperationResult;
using engine::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;

OperationResult update_result() {
  OperationResult result;
  result.from_version = "v0.3.8";
  result.to_version = "v0.3.9";
  result.backup_created = "v0.3.8.pre_update";
  result.transaction_id = "0123456789abcdef";
  result.duration_ns = 250'000'000;
  result.swap_ns = 500'000;
  result.steps = {{.name = "PREPARE", .status = "ok", .duration_ns = 12'000'000, .detail = "d"}};
  result.files = {{.action = FileAction::kAdd,
                   .path = "~/.claude/hooks/new.py",
                   .note = {},
                   .command = {},
                   .old_hash = {},
                   .new_hash = "aa"},
                  {.action = FileAction::kReplaceTheirs,
                   .path = "~/.claude/hooks/x.py",
                   .note = "not known",
                   .command = "stravinsky recovery file ~/.claude/hooks/x.py v0.3.8.pre_update",
                   .old_hash = "bb",
                   .new_hash = "cc"},
                  {.action = FileAction::kDelete,
                   .path = "~/.claude/commands/old.md",
                   .note = {},
                   .command = {},
                   .old_hash = "dd",
                   .new_hash = {}},
                  {.action = FileAction::kKeepMine,
                   .path = "~/.claude/agents/me.md",
                   .note = "yours",
                   .command = {},
                   .old_hash = "ee",
                   .new_hash = "ee"}};
  return result;
}

struct Told {
  ExitCode code;
  std::string out;
  std::string err;
};

Told told(const OperationResult& result, const OutputOptions& options = {}) {
  testing::MemFs fs;
  testing::FakeClock clock;
  testing::SeededRandom random(1);
  testing::FakeProcessRunner processes;
  const engine::Environment environment{.fs = fs,
                                        .clock = clock,
                                        .random = random,
                                        .processes = processes,
                                        .variable = {},
                                        .home = "/home",
                                        .working_directory = "/home",
                                        .user_name = "user",
                                        .hostname = "host",
                                        .system = {}};
  const Output output(options);
  const Invocation invocation{environment, output, {}, "update"};
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const ExitCode code = tell_operation(invocation, result);
  return {code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

TEST(OperationOutput, TellsFilesTheStateAndTheWayBack) {
  const Told text = told(update_result(), {.color = Color::kNever});
  EXPECT_EQ(text.code, ExitCode::kDone);
  EXPECT_EQ(text.err, "");
  EXPECT_EQ(text.out,
            "1 added\n"
            "  ~/.claude/hooks/new.py\n"
            "1 replaced\n"
            "  ~/.claude/hooks/x.py  not known\n"
            "    old one back: stravinsky recovery file ~/.claude/hooks/x.py v0.3.8.pre_update\n"
            "1 deleted\n"
            "  ~/.claude/commands/old.md\n"
            "1 kept\n"
            "  ~/.claude/agents/me.md  yours\n"
            "Restart Claude Code so that running sessions see the change.\n"
            "Now at v0.3.9. To take it back: stravinsky rollback undo\n");
}

TEST(OperationOutput, AnUndoIsTakenBackByRedo) {
  OperationResult result = update_result();
  result.kind = model::TransactionKind::kUndo;
  EXPECT_THAT(told(result).out, HasSubstr("To take it back: stravinsky rollback redo\n"));
}

TEST(OperationOutput, LongListsAreCountedButNothingReplacedIsHidden) {
  OperationResult result = update_result();
  result.files.clear();
  for (int i = 100; i < 150; ++i) {
    const std::string number = std::to_string(i);
    result.files.push_back({.action = FileAction::kAdd,
                            .path = "plain" + number,
                            .note = {},
                            .command = {},
                            .old_hash = {},
                            .new_hash = "aa"});
    result.files.push_back({.action = FileAction::kReplaceTheirs,
                            .path = "replaced" + number,
                            .note = {},
                            .command = "bring back " + number,
                            .old_hash = "aa",
                            .new_hash = "bb"});
  }
  const Told text = told(result);
  EXPECT_THAT(text.out, HasSubstr("50 added\n"));
  EXPECT_THAT(text.out, HasSubstr("plain100\n"));
  EXPECT_THAT(text.out, Not(HasSubstr("plain149\n")));
  EXPECT_THAT(text.out, HasSubstr("more\n"));
  EXPECT_THAT(text.out, HasSubstr("bring back 149\n"));
}

TEST(OperationOutput, APlanHidesNothing) {
  OperationResult result = update_result();
  result.outcome = Outcome::kPlanned;
  for (int i = 100; i < 150; ++i)
    result.files.push_back({.action = FileAction::kAdd,
                            .path = "plain" + std::to_string(i),
                            .note = {},
                            .command = {},
                            .old_hash = {},
                            .new_hash = "aa"});
  result.files.push_back({.action = FileAction::kConflict,
                          .path = "both",
                          .note = "both changed it",
                          .command = {},
                          .old_hash = "aa",
                          .new_hash = "aa"});
  const Told text = told(result, {.color = Color::kNever});
  EXPECT_THAT(text.out, HasSubstr("51 to add\n"));
  EXPECT_THAT(text.out, HasSubstr("plain149\n"));
  EXPECT_THAT(text.out, HasSubstr("1 in conflict\n  both  both changed it\n"));
  EXPECT_THAT(text.out, HasSubstr("Dry run: nothing was changed.\n"));
}

TEST(OperationOutput, WhatWasTakenBackIsToldEvenWhenQuiet) {
  OperationResult result = update_result();
  result.outcome = Outcome::kRolledBack;
  result.failure = make_error(ErrorCode::kChecksRefused, "does not parse", "~/.claude/hooks/x.py");
  const Told quiet = told(result, {.quiet = true});
  EXPECT_EQ(quiet.code, ExitCode::kFailed);
  EXPECT_EQ(quiet.out, "");
  EXPECT_EQ(quiet.err,
            "Update Failed - Automatic Rollback Completed\n"
            "error: Rolled back to v0.3.8 due to: ~/.claude/hooks/x.py: does not parse\n"
            "  The tree is the old one again (v0.3.8).\n"
            "  Nothing is installed; see what happened with: stravinsky audit log --limit 5\n");
}

TEST(OperationOutput, WhatWasTakenBackLeadsOn) {
  OperationResult result = update_result();
  result.outcome = Outcome::kRolledBack;
  result.failure = make_error(ErrorCode::kNoSpace, "no space").with_remedy("Free some.");
  EXPECT_TRUE(told(result).err.ends_with("(v0.3.8).\n  Free some.\n"));
  result.failure->remedy.clear();
  result.kind = model::TransactionKind::kUndo;
  EXPECT_TRUE(told(result).err.ends_with(
      "(v0.3.8).\n  See what happened with: stravinsky audit log --limit 5\n"));
}

TEST(OperationOutput, WhatStaysInForceIsToldWithTheCommandThatTakesItBack) {
  OperationResult result = update_result();
  result.outcome = Outcome::kVerifyFailed;
  result.failure = make_error(ErrorCode::kChecksRefused, "does not parse");
  const Told text = told(result);
  EXPECT_EQ(text.code, ExitCode::kFailed);
  EXPECT_THAT(text.err, HasSubstr("stravinsky rollback undo"));
}

TEST(OperationOutput, JsonHasTheDocumentedKeys) {
  const Told json = told(update_result(), {.format = Format::kJson});
  const auto object = nlohmann::json::parse(json.out);
  EXPECT_EQ(object.at("success"), true);
  EXPECT_EQ(object.at("from_version"), "v0.3.8");
  EXPECT_EQ(object.at("to_version"), "v0.3.9");
  EXPECT_EQ(object.at("backup_created"), "v0.3.8.pre_update");
  EXPECT_EQ(object.at("duration_seconds"), 0.25);
  EXPECT_EQ(object.at("auto_rolled_back"), false);
  EXPECT_TRUE(object.at("rolled_back_to").is_null());
  EXPECT_TRUE(object.at("failures").empty());
  EXPECT_TRUE(object.at("rollback_error").is_null());
  EXPECT_EQ(object.at("recovery_required"), false);
  EXPECT_EQ(object.at("steps").at(0).at("duration_ms"), 12);
  const auto& files = object.at("files");
  EXPECT_EQ(files.at(0).at("type"), "create");
  EXPECT_EQ(files.at(1).at("type"), "modify");
  EXPECT_EQ(files.at(1).at("action"), "replace");
  EXPECT_EQ(files.at(2).at("type"), "delete");
  EXPECT_EQ(files.at(3).at("type"), "");
  EXPECT_EQ(files.at(3).at("action"), "keep");
}

TEST(OperationOutput, JsonOfWhatWasTakenBackSaysSoAndWhy) {
  OperationResult result = update_result();
  result.outcome = Outcome::kRolledBack;
  result.failure = make_error(ErrorCode::kIo, "failed", "~/.claude/hooks/x.py");
  const Told json = told(result, {.format = Format::kJson});
  EXPECT_EQ(json.code, ExitCode::kFailed);
  const auto object = nlohmann::json::parse(json.out);
  EXPECT_EQ(object.at("success"), false);
  EXPECT_EQ(object.at("auto_rolled_back"), true);
  EXPECT_EQ(object.at("rolled_back_to"), "v0.3.8");
  EXPECT_EQ(object.at("failures").at(0), "~/.claude/hooks/x.py: failed");
  EXPECT_EQ(object.at("error").at("code"), "io");
  EXPECT_EQ(object.at("exit_code"), 1);
}

OperationResult not_taken_back() {
  OperationResult result = update_result();
  result.outcome = Outcome::kRollbackFailed;
  result.failure = make_error(ErrorCode::kChecksRefused, "does not parse", "~/.claude/hooks/x.py");
  result.error_class = "parse_error";
  result.verified = {{.name = "hooks_syntax", .failures = {"a", "b"}},
                     {.name = "dependencies", .failures = {}}};
  result.rollback_error = make_error(ErrorCode::kRecoveryRequired, "Permission denied", "hooks");
  result.rollback_error->remedy = "Run: stravinsky recovery resume";
  result.recovery_instructions = "/store/recovery/manual-0123456789abcdef.txt";
  return result;
}

TEST(OperationOutput, WhatCouldNotBeTakenBackIsCriticalEvenWhenQuiet) {
  const Told text = told(not_taken_back(), {.color = Color::kNever, .quiet = true});
  EXPECT_EQ(text.code, ExitCode::kRecoveryRequired);
  EXPECT_EQ(text.out, "");
  for (const char* part :
       {"CRITICAL: Rollback Failed\n", "error: Automatic rollback failed: hooks: Permission denied",
        "~/.claude/hooks/x.py: does not parse", "Manual recovery required.",
        "Run: stravinsky recovery resume", "/store/recovery/manual-0123456789abcdef.txt"})
    EXPECT_THAT(text.err, HasSubstr(part));
}

TEST(OperationOutput, JsonOfWhatCouldNotBeTakenBackHasBothErrors) {
  const Told json = told(not_taken_back(), {.format = Format::kJson});
  const auto object = nlohmann::json::parse(json.out);
  EXPECT_EQ(object.at("exit_code"), 8);
  EXPECT_EQ(object.at("success"), false);
  EXPECT_EQ(object.at("auto_rolled_back"), false);
  EXPECT_EQ(object.at("recovery_required"), true);
  EXPECT_EQ(object.at("rollback_error"), "hooks: Permission denied");
  EXPECT_EQ(object.at("failures"), nlohmann::json::array({"hooks_syntax: a", "hooks_syntax: b"}));
  EXPECT_EQ(object.at("error").at("class"), "parse_error");
  EXPECT_EQ(object.at("error").at("response"), "emergency_recovery");
  EXPECT_EQ(object.at("verifications").at(1).at("success"), true);
}

}  // namespace
}  // namespace stravinsky::cli
