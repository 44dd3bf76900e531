#include "checks/hooks_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "testing/fake_process_runner.h"
#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using ::testing::ElementsAre;
using testing::FakeProcessRunner;
using testing::FakeTree;
using ::testing::IsEmpty;

// Settings with one Stop hook for each command.
std::string settings_with(const std::vector<std::string>& commands) {
  std::string text = "{\"hooks\":{\"Stop\":[{\"hooks\":[";
  for (size_t i = 0; i < commands.size(); ++i)
    text += std::string(i == 0 ? "" : ",") + "{\"type\":\"command\",\"command\":\"" + commands[i] +
            "\"}";
  return text + "]}]}}";
}

// Parsers that refuse line 3 of what contains "BAD" and accept the rest.
ProcessResult framed_answer(const ProcessRequest& request) {
  ProcessResult result;
  result.output = "ready\n";
  std::string_view input = request.input;
  while (!input.empty()) {
    const size_t line = input.find('\n');
    const auto head = split(input.substr(0, line), ' ');
    const size_t length = std::stoul(std::string(head[1]));
    const std::string_view source = input.substr(line + 1, length);
    result.output += source.contains("BAD") ? "3\tinvalid syntax\n" : "-1\t\n";
    input.remove_prefix(line + 1 + length);
  }
  return result;
}

ProcessResult shell_answer(const ProcessRequest& request) {
  ProcessResult result;
  if (!request.input.contains("BAD")) return result;
  result.exit_code = 2;
  result.errors = "/dev/stdin: line 3: syntax error near unexpected token `BAD'\nBAD\n";
  return result;
}

class HooksCheck : public ::testing::Test {
 protected:
  HooksCheck() {
    runner_.answer("python3", framed_answer);
    runner_.answer("node", framed_answer);
    runner_.answer("bash", shell_answer);
    runner_.answer("sh", shell_answer);
  }

  // "blocking hook.missing", in the order of the result.
  std::vector<std::string> rules(const TreeView& next, const TreeView* present = nullptr) {
    SourceJudge judge(runner_);
    findings_ = check_hooks(next, present, judge);
    std::vector<std::string> all;
    for (const Finding& finding : findings_)
      all.push_back(std::string(severity_name(finding.severity)) + " " + finding.rule);
    return all;
  }

  FakeProcessRunner runner_;
  std::vector<Finding> findings_;
};

TEST_F(HooksCheck, GoodTreeHasNoFindings) {
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py", "~/.claude/hooks/b.sh",
                                           "node $CLAUDE_PROJECT_DIR/.claude/hooks/c.mjs",
                                           "/opt/elsewhere.sh", "$UNKNOWN/x", "true"}))
      .put("hooks/a.py", "x = 1\n")
      .put("hooks/b.sh", "#!/bin/bash\necho\n", 0755)
      .put("project:hooks/c.mjs", "export {}\n")
      .put("hooks/README.md", "BAD\n");
  EXPECT_THAT(rules(next), IsEmpty());
}

TEST_F(HooksCheck, MissingFileOfTheUpdateBlocks) {
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}));
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.missing"));
  EXPECT_EQ(findings_[0].to_string(),
            "~/.claude/settings.json:1:29: hooks.Stop[0].hooks[0] runs ~/.claude/hooks/a.py, "
            "which is not there");
}

TEST_F(HooksCheck, ReferenceThatDangledBeforeOnlyWarns) {
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}));
  EXPECT_THAT(rules(next, &next), ElementsAre("warning hook.missing"));
}

TEST_F(HooksCheck, DeletingARegisteredFileBlocks) {
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}));
  FakeTree present = next;
  present.put("hooks/a.py", "x = 1\n");
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.missing"));
}

TEST_F(HooksCheck, AbsentStatusLineAndTestedFilesOnlyWarn) {
  FakeTree next;
  next.put("settings.json",
           R"({"statusLine":{"type":"command","command":"~/.claude/statusline.sh"}})")
      .put("settings.local.json",
           settings_with({"[ -f ~/.claude/hooks/a.sh ] && bash ~/.claude/hooks/a.sh"}));
  EXPECT_THAT(rules(next), ElementsAre("warning hook.missing", "warning hook.missing"));
  // One place that does not look first is enough.
  next.put("project:settings.json", settings_with({"bash ~/.claude/hooks/a.sh"}));
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.missing", "warning hook.missing"));
}

TEST_F(HooksCheck, WhatTheUpdateBringsIsNotTakenForTheUsers) {
  FakeTree present;
  present.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}))
      .put("hooks/a.py", "x = 1\n");
  FakeTree next = present;
  next.put("hooks/a.py", "BAD\n").put("hooks/b.py", "BAD\n");
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.syntax", "blocking hook.syntax"));
  for (const Finding& finding : findings_) {
    EXPECT_TRUE(finding.message.ends_with("(in the new version)")) << finding.message;
    EXPECT_EQ(finding.remedy, "The bundle's own file is wrong; ask its author.");
  }
  next = present;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/c.py"}));
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.missing"));
  EXPECT_TRUE(findings_[0].message.ends_with("which is not there in the new version"));
  EXPECT_EQ(findings_[0].remedy,
            "The bundle registers a file that it does not bring; ask its author.");
  next = present;
  next.remove("hooks/a.py");
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.missing"));
  EXPECT_TRUE(findings_[0].message.ends_with("not there any more in the new version"));
  // The user's own file, newly registered, is the user's.
  next = present;
  present.put("settings.json", "{}").put("hooks/a.py", "BAD\n");
  next.put("hooks/a.py", "BAD\n");
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.syntax"));
  EXPECT_FALSE(findings_[0].message.contains("new version"));
}

TEST_F(HooksCheck, AFileInNoTreeMustBeThere) {
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/other/a.py", "~/other/b.sh", "/opt/c.sh",
                                           "bash /opt/d.sh", "bash $CLAUDE_PROJECT_DIR/e.sh"}))
      .put_absent("/home/u/other/b.sh")
      .put_absent("/opt/c.sh")
      .put_absent("/opt/d.sh")
      .put_absent("/srv/p/e.sh");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.missing", "blocking hook.missing",
                                       "warning hook.missing"));
  EXPECT_TRUE(findings_[0].message.contains("~/other/b.sh, which is not there"));
  EXPECT_THAT(rules(next, &next),
              ElementsAre("warning hook.missing", "warning hook.missing", "warning hook.missing"));
}

TEST_F(HooksCheck, WhatNoShellExpandsBlocksWhenNew) {
  FakeTree next;
  next.put("hooks/a.py", "x = 1\n")
      .put("settings.json", settings_with({"python3 '~/.claude/hooks/a.py'"}));
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.unexpanded"));
  EXPECT_THAT(rules(next, &next), ElementsAre("warning hook.unexpanded"));
  next.put("settings.json",
           R"({"statusLine":{"type":"command","command":"'$HOME/.claude/line.sh'"}})");
  EXPECT_THAT(rules(next), ElementsAre("warning hook.unexpanded"));
}

TEST_F(HooksCheck, WhatCannotBeDecidedIsInformation) {
  FakeTree next;
  next.put("settings.json",
           settings_with({"python3 $(cat x)", "PYTHONPATH=~/.claude/hooks python3 -m x"}));
  EXPECT_THAT(rules(next), ElementsAre("information hook.undecided", "information hook.undecided"));
  EXPECT_THAT(rules(next, &next), IsEmpty());
}

TEST_F(HooksCheck, AnInterpreterThatIsNotThereWarns) {
  runner_.answer("sh", ProcessResult{.output = "nosuch\nruby9\n", .errors = {}});
  FakeTree next;
  next.put("settings.json",
           settings_with({"nosuch ~/.claude/hooks/x", "/opt/none/python3 ~/.claude/hooks/a.py",
                          "~/.claude/hooks/b.rb", "~/.claude/hooks/c"}))
      .put("hooks/a.py", "x = 1\n")
      .put("hooks/b.rb", "#!/usr/bin/env ruby9\n", 0755)
      .put("hooks/c", "#!/opt/none/perl -w\n", 0755)
      .put_absent("/opt/none/python3")
      .put_absent("/opt/none/perl");
  (void)rules(next);
  std::vector<std::string> missing;
  for (const Finding& finding : findings_)
    if (finding.rule == "hook.interpreter_missing") {
      EXPECT_EQ(finding.severity, Severity::kWarning);
      missing.push_back(finding.to_string().substr(0, finding.to_string().find(" is not")));
    }
  EXPECT_THAT(missing,
              ElementsAre("/opt/none/python3", "nosuch", "ruby9",
                          "~/.claude/hooks/c:1: its first line names /opt/none/perl, which"));
}

TEST_F(HooksCheck, PythonTwoIsAnotherLanguage) {
  FakeTree next;
  next.put("settings.json", settings_with({"python2 ~/.claude/hooks/a.py", "~/.claude/hooks/b.py"}))
      .put("hooks/a.py", "BAD\n")
      .put("hooks/b.py", "#!/usr/bin/env python2.7\nBAD\n", 0755);
  EXPECT_THAT(rules(next),
              ElementsAre("information hook.not_parsed", "information hook.not_parsed"));
}

TEST_F(HooksCheck, SyntaxErrorBlocksWhenNewOrChanged) {
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}))
      .put("hooks/a.py", "BAD\n");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.syntax"));
  EXPECT_EQ(findings_[0].to_string(),
            "~/.claude/hooks/a.py:3: python3 does not accept it: invalid syntax");

  EXPECT_THAT(rules(next, &next), ElementsAre("warning hook.syntax"));

  FakeTree present = next;
  present.put("hooks/a.py", "x=1\n");
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.syntax"));

  present.put("hooks/a.py", "BAD\n").put("settings.json", "{}");
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.syntax"));
}

TEST_F(HooksCheck, UnregisteredScriptsAreParsedWhenTheUpdateBringsThem) {
  FakeTree next;
  next.put("hooks/a.sh", "BAD\n")
      .put("hooks/lib/b.mjs", "BAD\n")
      .put("hooks/__init__.py", "")
      .put("hooks/notes.txt", "BAD\n");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.syntax", "blocking hook.syntax"));
  EXPECT_EQ(findings_[0].line, 3);
  EXPECT_THAT(rules(next, &next), IsEmpty());
}

TEST_F(HooksCheck, OneProcessForAllFilesOfALanguage) {
  FakeTree next;
  std::vector<std::string> commands;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "hooks/h" + std::to_string(i) + ".py";
    next.put(name, "x = 1\n");
    commands.push_back("python3 ~/.claude/" + name);
    commands.push_back("python3 -u ~/.claude/" + name);
  }
  next.put("settings.json", settings_with(commands));
  EXPECT_THAT(rules(next), IsEmpty());
  EXPECT_EQ(runner_.requests().size(), 1U);
}

TEST_F(HooksCheck, WhatIsNoReadableFileWithSomethingInItBlocks) {
  FakeTree next;
  next.put("settings.json",
           settings_with({"python3 ~/.claude/hooks/a.py", "python3 ~/.claude/hooks/b.py",
                          "python3 ~/.claude/hooks/c.py", "python3 ~/.claude/hooks/d.py"}))
      .put("hooks/a.py", "")
      .put_node("hooks/b.py", fs::NodeType::kDirectory)
      .put("hooks/c.py", "x", 0)
      .put("hooks/d.py", "x")
      .break_reading("hooks/d.py");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.empty", "blocking hook.not_a_file",
                                       "blocking hook.unreadable", "blocking hook.unreadable"));
  EXPECT_THAT(rules(next, &next),
              ElementsAre("warning hook.empty", "warning hook.not_a_file",
                          "warning hook.unreadable", "warning hook.unreadable"));
}

TEST_F(HooksCheck, DirectRunNeedsTheExecuteBit) {
  FakeTree next;
  next.put("settings.json", settings_with({"~/.claude/hooks/a.sh"}))
      .put("hooks/a.sh", "#!/bin/sh\n", 0644);
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.not_executable"));
  EXPECT_THAT(rules(next, &next), ElementsAre("warning hook.not_executable"));
  FakeTree present = next;
  present.put("hooks/a.sh", "#!/bin/sh\n", 0755);
  EXPECT_THAT(rules(next, &present), ElementsAre("blocking hook.not_executable"));
  next.put("settings.json", settings_with({"sh ~/.claude/hooks/a.sh"}));
  EXPECT_THAT(rules(next), IsEmpty());
}

TEST_F(HooksCheck, OddFirstLinesAndConflictMarkersWarn) {
  FakeTree next;
  next.put("settings.json", settings_with({"~/.claude/hooks/a.sh", "~/.claude/hooks/b.sh",
                                           "~/.claude/hooks/c.sh", "bash ~/.claude/hooks/d.sh"}))
      .put("hooks/a.sh", "\xEF\xBB\xBF#!/bin/sh\n", 0755)
      .put("hooks/b.sh", "#!/bin/sh\r\necho\r\n", 0755)
      .put("hooks/c.sh", "echo\n", 0755)
      .put("hooks/d.sh", "#\n<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n");
  EXPECT_THAT(rules(next),
              ElementsAre("warning hook.bom", "warning hook.crlf", "warning hook.no_first_line",
                          "warning hook.conflict_marker"));
  EXPECT_EQ(findings_[3].line, 2);
}

TEST_F(HooksCheck, MissingInterpreterWarnsOnce) {
  FakeProcessRunner nothing;
  FakeTree next;
  next.put("settings.json",
           settings_with({"python3 ~/.claude/hooks/a.py", "python3 ~/.claude/hooks/b.py"}))
      .put("hooks/a.py", "BAD\n")
      .put("hooks/b.py", "BAD\n");
  SourceJudge judge(nothing);
  const auto findings = check_hooks(next, nullptr, judge);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
  EXPECT_EQ(findings[0].rule, "hook.interpreter_missing");
  EXPECT_TRUE(findings[0].message.contains("it and 1 more were not parsed")) << findings[0].message;
}

TEST_F(HooksCheck, InterpretersWithoutParserAreLookedUp) {
  runner_.answer("sh", ProcessResult{.output = "bun\n", .errors = {}});
  FakeTree next;
  next.put("settings.json",
           settings_with({"bun ~/.claude/hooks/a.ts", "uv run ~/.claude/hooks/b.py"}))
      .put("hooks/a.ts", "let a\n")
      .put("hooks/b.py", "x = 1\n");
  EXPECT_THAT(rules(next),
              ElementsAre("warning hook.interpreter_missing", "information hook.not_parsed"));
  EXPECT_THAT(
      std::vector(runner_.requests().back().argv.begin() + 4, runner_.requests().back().argv.end()),
      ElementsAre("bun", "uv"));
}

TEST_F(HooksCheck, ParserThatRunsOutOfTimeIsAFinding) {
  runner_.answer(
      "python3",
      ProcessResult{.exit_code = 137, .timed_out = true, .output = "ready\n", .errors = {}});
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}))
      .put("hooks/a.py", "x\n");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.not_read"));
  EXPECT_EQ(findings_[0].message, "its syntax could not be checked: python3 ran out of time");
  EXPECT_THAT(rules(next, &next), ElementsAre("warning hook.not_read"));
}

// What an update does not touch can only warn, so what was accepted once is believed;
// what it brings is parsed whatever anybody remembers.
TEST_F(HooksCheck, OnlyUntouchedScriptsAreTakenFromMemory) {
  class AcceptsAll final : public AcceptedMemory {
   public:
    bool contains(const SourceParser&, const codec::Digest&) override { return true; }
    void add(const SourceParser&, const codec::Digest&) override {}
  } memory;
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}))
      .put("hooks/a.py", "BAD\n");
  SourceJudge judge(runner_);
  judge.remember_in(memory);
  EXPECT_THAT(check_hooks(next, &next, judge), IsEmpty());
  ASSERT_EQ(runner_.requests().size(), 1U);  // whether python3 is there at all
  EXPECT_EQ(runner_.requests()[0].argv[0], "sh");
  FakeTree before = next;
  before.put("hooks/a.py", "good\n");
  ASSERT_EQ(check_hooks(next, &before, judge).size(), 1U);
  EXPECT_EQ(check_hooks(next, nullptr, judge).size(), 1U);
}

TEST_F(HooksCheck, UvMayKnowANewerPython) {
  FakeTree next;
  next.put("settings.json", settings_with({"uv run ~/.claude/hooks/a.py"}))
      .put("hooks/a.py", "# /// script\n# ///\nBAD\n");
  EXPECT_THAT(rules(next), ElementsAre("warning hook.syntax"));
  next.put("hooks/a.py", "BAD\n");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.syntax"));
}

TEST_F(HooksCheck, SettingsThatAreNotJsonAreLeftToTheirOwnCheck) {
  FakeTree next;
  next.put("settings.json", "{");
  EXPECT_THAT(rules(next), IsEmpty());
}

TEST_F(HooksCheck, RealParsersAgree) {
  for (const char* program : {"python3", "bash", "node"})
    if (!system_process_runner().run(
            {.argv = {program, "--version"}, .input = {}, .timeout_ms = 60'000, .environment = {}}))
      GTEST_SKIP() << program << " is not installed";
  FakeTree next;
  next.put("settings.json", settings_with({"python3 ~/.claude/hooks/a.py"}))
      .put("hooks/a.py", "def f(:\n    pass\n")
      .put("hooks/b.sh", "if then\n")
      .put("hooks/c.js", "let = ;\n")
      .put("hooks/d.py", "print('x')\n")
      .put("hooks/e.sh", "echo\n")
      .put("hooks/f.mjs", "export {}\n");
  std::vector<std::string> places;
  SourceJudge judge(system_process_runner(), RunsIn::kBackground, /*timeout_ms=*/60'000);
  for (const Finding& finding : check_hooks(next, nullptr, judge)) {
    EXPECT_EQ(finding.rule, "hook.syntax") << finding.to_string();
    places.push_back(finding.file + ":" + std::to_string(finding.line));
  }
  EXPECT_THAT(places, ElementsAre("~/.claude/hooks/a.py:1", "~/.claude/hooks/b.sh:1",
                                  "~/.claude/hooks/c.js:1"));
}

TEST_F(HooksCheck, HookThatRunsOurOwnUpdateIsTold) {
  FakeTree next;
  next.put("settings.json", settings_with({"cd x && stravinsky --yes update --from ~/p",
                                           "stravinsky status", "echo my-stravinsky update"}));
  EXPECT_THAT(rules(next), ElementsAre("warning hook.recursion"));
  EXPECT_TRUE(findings_[0].message.starts_with("hooks.Stop[0].hooks[0] runs stravinsky itself"));
  // The change that an update makes calls this one again.
  next.put("settings.json", R"({"hooks":{"ConfigChange":[{"hooks":[{"type":"command",
    "command":"stravinsky","args":["rollback","undo"]}]}]}})");
  EXPECT_THAT(rules(next), ElementsAre("blocking hook.recursion"));
  EXPECT_THAT(rules(next, &next), ElementsAre("warning hook.recursion"));
  next.put("settings.json", settings_with({"bash ~/.claude/hooks/a.sh"}))
      .put("hooks/a.sh", "# stravinsky update\necho stravinsky update\nexec stravinsky update x\n");
  EXPECT_THAT(rules(next), ElementsAre("warning hook.recursion"));
  EXPECT_EQ(findings_[0].line, 3);
}

}  // namespace
}  // namespace stravinsky::checks
