#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "testing/mem_fs.h"

namespace stravinsky::cli {
namespace {

using ::testing::HasSubstr;

struct Ended {
  ExitCode code;
  std::string out;
  std::string err;
};

// Only what ends before the real environment is looked at.
Ended run(std::vector<std::string> words) {
  words.insert(words.begin(), "stravinsky");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  testing::MemFs fs;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const ExitCode code = run_program(static_cast<int>(argv.size()), argv.data(), fs);
  std::string out = ::testing::internal::GetCapturedStdout();
  return {code, std::move(out), ::testing::internal::GetCapturedStderr()};
}

TEST(Program, BareItNamesWhatPeopleComeFor) {
  const Ended bare = run({});
  EXPECT_EQ(bare.code, ExitCode::kDone);
  for (const char* command : {"status", "update --from", "rollback undo", "rollback to",
                              "recovery file", "backup create"})
    EXPECT_THAT(bare.out, HasSubstr(std::string("stravinsky ") + command));
}

TEST(Program, UnknownCommandsGetASuggestion) {
  const Ended top = run({"stauts"});
  EXPECT_EQ(top.code, ExitCode::kUsage);
  EXPECT_EQ(top.out, "");
  EXPECT_EQ(top.err,
            "error: there is no command: stravinsky stauts\n"
            "  Nothing was changed.\n"
            "  Did you mean: stravinsky status\n");
  const Ended inner = run({"--root", "status", "rollback", "udno"});
  EXPECT_EQ(inner.code, ExitCode::kUsage);
  EXPECT_THAT(inner.err, HasSubstr("Did you mean: stravinsky rollback undo\n"));
  EXPECT_THAT(run({"frobnicate"}).err, HasSubstr("See: stravinsky --help\n"));
}

TEST(Program, WordsOfOtherProgramsGetASuggestion) {
  const auto hint = [](std::vector<std::string> words) {
    const Ended ended = run(std::move(words));
    EXPECT_EQ(ended.code, ExitCode::kUsage);
    return ended.err.substr(ended.err.find("  Did you"));
  };
  EXPECT_EQ(hint({"undo"}), "  Did you mean: stravinsky rollback undo\n");
  EXPECT_EQ(hint({"redo"}), "  Did you mean: stravinsky rollback redo\n");
  EXPECT_EQ(hint({"resume"}), "  Did you mean: stravinsky recovery resume\n");
  EXPECT_EQ(hint({"rollback", "v0.1.0"}), "  Did you mean: stravinsky rollback to v0.1.0\n");
  EXPECT_THAT(hint({"restore"}), HasSubstr("stravinsky rollback to VERSION"));
  EXPECT_THAT(hint({"restore"}), HasSubstr("stravinsky recovery file PATH"));
  EXPECT_THAT(hint({"list"}), HasSubstr("stravinsky rollback list, or stravinsky backup list"));
}

TEST(Program, AnArgumentIsNoUnknownCommand) {
  const Ended ended = run({"update", "1.0.0", "--no-such-option"});
  EXPECT_EQ(ended.code, ExitCode::kUsage);
  EXPECT_THAT(ended.err, HasSubstr("--no-such-option"));
  EXPECT_THAT(ended.err, HasSubstr("See: stravinsky update --help\n"));
}

TEST(Program, AnEmptyArgumentIsNamed) {
  const Ended option = run({"rollback", "undo", "--root", ""});
  EXPECT_EQ(option.code, ExitCode::kUsage);
  EXPECT_EQ(option.err,
            "error: --root: must not be empty\n"
            "  Nothing was changed.\n"
            "  See: stravinsky --help\n");
  const Ended argument = run({"rollback", "to", ""});
  EXPECT_EQ(argument.code, ExitCode::kUsage);
  EXPECT_THAT(argument.err, HasSubstr("error: version: must not be empty\n"));
}

TEST(Program, AGlobalOptionsErrorPointsToTheHelpThatListsIt) {
  const Ended ended = run({"rollback", "undo", "--color", "green"});
  EXPECT_EQ(ended.code, ExitCode::kUsage);
  EXPECT_THAT(ended.err, HasSubstr("See: stravinsky --help\n"));
  EXPECT_THAT(run({"audit", "log", "--version", ""}).err,
              HasSubstr("See: stravinsky audit log --help\n"));
  EXPECT_THAT(run({"--help"}).out, HasSubstr("--color"));
  EXPECT_THAT(run({"rollback", "undo", "--help"}).out,
              HasSubstr("Options for every command: --json, --dry-run, --yes, --quiet, --root, "
                        "--project, --color;\nsee stravinsky --help\n"));
}

TEST(Program, AGroupAloneNamesItsCommands) {
  const Ended group = run({"rollback"});
  EXPECT_EQ(group.code, ExitCode::kUsage);
  EXPECT_THAT(group.err, HasSubstr("There are: list, show, to, undo, redo, auto.\n"));
}

TEST(Program, AHostileWordCannotMoveTheCursor) {
  EXPECT_EQ(run({"\x1b[2Jstatus"}).err.find('\x1b'), std::string::npos);
}

TEST(Program, UsageErrorsAreJsonToo) {
  const Ended json = run({"rollback", "to", "--json"});
  EXPECT_EQ(json.code, ExitCode::kUsage);
  EXPECT_EQ(json.err, "");
  const auto object = nlohmann::json::parse(json.out);
  EXPECT_EQ(object.at("command"), "rollback to");
  EXPECT_EQ(object.at("success"), false);
  EXPECT_EQ(object.at("error").at("code"), "usage");
}

TEST(Program, HelpHasExamplesAndExitCodes) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"update"},
                                                  {"rollback", "to"},
                                                  {"rollback", "undo"},
                                                  {"backup", "verify"},
                                                  {"recovery", "file"},
                                                  {"recovery", "resume"},
                                                  {"audit", "log"},
                                                  {"status"},
                                                  {"config", "list"}}) {
    std::vector<std::string> words = command;
    words.emplace_back("--help");
    const Ended help = run(words);
    EXPECT_EQ(help.code, ExitCode::kDone);
    EXPECT_THAT(help.out, HasSubstr("Examples:\nstravinsky ")) << words[0];
    EXPECT_THAT(help.out, HasSubstr("Exit codes: 0 done")) << words[0];
  }
}

}  // namespace
}  // namespace stravinsky::cli
