#include "checks/source_parser.h"

#include <gtest/gtest.h>

#include "testing/fake_process_runner.h"

namespace stravinsky::checks {
namespace {

using Outcome = SyntaxVerdict::Outcome;

constexpr int64_t kTimeoutMs = 60'000;

bool is_installed(const std::string& program) {
  return system_process_runner()
      .run({.argv = {program, program == "node" ? "--version" : "-c", ":"},
            .input = {},
            .timeout_ms = kTimeoutMs,
            .environment = {}})
      .has_value();
}

#define SKIP_WITHOUT(program) \
  if (!is_installed(program)) GTEST_SKIP() << (program) << " is not installed"

std::vector<SyntaxVerdict> parsed(const SourceParser& parser, const std::vector<Source>& sources) {
  return parse_sources(parser, sources, system_process_runner(), kTimeoutMs);
}

TEST(SourceParser, PythonReadsAllSourcesInOneProcess) {
  SKIP_WITHOUT("python3");
  const auto verdicts =
      parsed({Language::kPython, "python3"}, {{"a.py", "import sys\nprint('\xC3\xA4')\n"},
                                              {"b.py", "def f(:\n"},
                                              {"c.py", "x = 1\ny = (\n"},
                                              {"d.py", std::string("a\0b", 3)},
                                              {"e.py", ""},
                                              {"f.py", "x = 1\nreturn x\n"},
                                              {"g.py", std::string(3000, '(') + "\n"},
                                              {"h.py", "\xEF\xBB\xBFx = 1\r\n"},
                                              {"i.py", "raise SystemExit(7)\n"},
                                              {"j.py", "1 is 1\nx = '\\d'"}});
  ASSERT_EQ(verdicts.size(), 10U);
  const std::vector<Outcome> expected = {Outcome::kAccepted, Outcome::kRefused,  Outcome::kRefused,
                                         Outcome::kRefused,  Outcome::kAccepted, Outcome::kRefused,
                                         Outcome::kRefused,  Outcome::kAccepted, Outcome::kAccepted,
                                         Outcome::kAccepted};
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(verdicts[i].outcome, expected[i]) << i << ": " << verdicts[i].message;
  EXPECT_EQ(verdicts[1].line, 1);
  EXPECT_EQ(verdicts[2].line, 2);
  EXPECT_EQ(verdicts[5].line, 2);
  EXPECT_EQ(verdicts[5].message, "'return' outside function");
}

TEST(SourceParser, ShellsNameTheLine) {
  for (const std::string program : {"bash", "sh"}) {
    SKIP_WITHOUT(program);
    const auto verdicts = parsed({Language::kShell, program}, {{"a.sh", "echo a\nif then\n"},
                                                               {"b.sh", "#!/bin/sh\necho b\n"},
                                                               {"c.sh", "exit 3\n"},
                                                               {"d.sh", "echo 'x\n"}});
    ASSERT_EQ(verdicts.size(), 4U);
    EXPECT_EQ(verdicts[0].outcome, Outcome::kRefused) << program;
    EXPECT_EQ(verdicts[0].line, 2) << program;
    EXPECT_TRUE(verdicts[0].message.contains("then")) << verdicts[0].message;
    EXPECT_EQ(verdicts[1].outcome, Outcome::kAccepted) << program;
    EXPECT_EQ(verdicts[2].outcome, Outcome::kAccepted) << program;
    EXPECT_EQ(verdicts[3].outcome, Outcome::kRefused) << program;
  }
}

TEST(SourceParser, BashPatternsBehindAnOptionAreNoError) {
  SKIP_WITHOUT("bash");
  const auto verdicts = parsed({Language::kShell, "bash"},
                               {{"a.sh", "shopt -s extglob\ncase x in\n !(a|b)) echo;;\nesac\n"}});
  EXPECT_EQ(verdicts[0].outcome, Outcome::kAccepted) << verdicts[0].message;
}

TEST(SourceParser, NodeKnowsScriptsAndModules) {
  SKIP_WITHOUT("node");
  const std::string module = "#!/usr/bin/env node\nimport a from 'a';\nawait a();\n";
  const std::string script = "#!/usr/bin/env node\nconst a = require('a');\nreturn;\n";
  const auto verdicts =
      parsed({Language::kNode, "node"}, {{"a.mjs", module},
                                         {"a.js", module},
                                         {"a.js", script},
                                         {"a.cjs", script},
                                         {"a.cjs", module},
                                         {"a.mjs", script},
                                         {"a.js", "let a;\nlet a = '\xC3\xA4';\n"},
                                         {"a.mjs", "import a from 'a';\nlet = ;\n"},
                                         {"a.js", "process.exit(5)\n"},
                                         {"a.js", ""}});
  const std::vector<Outcome> expected = {Outcome::kAccepted, Outcome::kAccepted, Outcome::kAccepted,
                                         Outcome::kAccepted, Outcome::kRefused,  Outcome::kRefused,
                                         Outcome::kRefused,  Outcome::kRefused,  Outcome::kAccepted,
                                         Outcome::kAccepted};
  ASSERT_EQ(verdicts.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(verdicts[i].outcome, expected[i]) << i << ": " << verdicts[i].message;
  EXPECT_EQ(verdicts[4].line, 2);
  EXPECT_EQ(verdicts[6].line, 2);
  EXPECT_EQ(verdicts[7].line, 2);
}

TEST(SourceParser, MissingProgramIsNoRefusal) {
  testing::FakeProcessRunner runner;
  for (const Language language : {Language::kPython, Language::kShell, Language::kNode}) {
    const std::vector<Source> sources = {{"a", "x"}, {"b", "y"}};
    const auto verdicts = parse_sources({language, "nothing"}, sources, runner, kTimeoutMs);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_EQ(verdicts[0].outcome, Outcome::kNoProgram);
    EXPECT_EQ(verdicts[1].outcome, Outcome::kNoProgram);
  }
}

TEST(SourceParser, ParserThatEndsEarlyReadNothingAfterwards) {
  testing::FakeProcessRunner runner;
  const std::vector<Source> sources = {{"a", "x"}, {"b", "y"}, {"c", "z"}};
  const auto outcomes = [&](ProcessResult result) {
    runner.answer("python3", std::move(result));
    std::vector<Outcome> all;
    for (const SyntaxVerdict& verdict :
         parse_sources({Language::kPython, "python3"}, sources, runner, kTimeoutMs))
      all.push_back(verdict.outcome);
    return all;
  };
  using All = std::vector<Outcome>;
  EXPECT_EQ(outcomes({.exit_code = 139, .output = "ready\n-1\t\n3\tbad", .errors = {}}),
            (All{Outcome::kAccepted, Outcome::kNotRead, Outcome::kNotRead}));
  EXPECT_EQ(outcomes({.exit_code = 137, .timed_out = true, .output = "", .errors = {}}),
            (All{Outcome::kNotRead, Outcome::kNotRead, Outcome::kNotRead}));
  EXPECT_EQ(outcomes({.exit_code = 127, .output = "", .errors = "shim: no such version"}),
            (All{Outcome::kNoProgram, Outcome::kNoProgram, Outcome::kNoProgram}));
  EXPECT_EQ(outcomes({.output = "ready\n-1\t\n0\tbad\n-2\told\n", .errors = {}}),
            (All{Outcome::kAccepted, Outcome::kRefused, Outcome::kNotRead}));
}

std::string parser_name(std::string_view name, std::string_view source) {
  const auto parser = parser_of(name, source);
  return parser ? parser->program : "none";
}

TEST(SourceParser, FirstLineDecidesBeforeTheExtension) {
  EXPECT_EQ(parser_name("hooks/x", "#!/usr/bin/env python3\n"), "python3");
  EXPECT_EQ(parser_name("hooks/x", "#!/usr/bin/env -S uv run --script\n"), "python3");
  EXPECT_EQ(parser_name("hooks/x.py", "#!/bin/sh\n"), "sh");
  EXPECT_EQ(parser_name("x", "#! /bin/bash -e\r\n"), "bash");
  EXPECT_EQ(parser_name("x", "\xEF\xBB\xBF#!/usr/bin/env node\n"), "node");
  EXPECT_EQ(parser_name("x", "#!/usr/bin/ruby\n"), "none");
  EXPECT_EQ(parser_name("x", "#!"), "none");
  EXPECT_EQ(parser_name("x.d/y.py", ""), "python3");
  EXPECT_EQ(parser_name("x.sh", "echo"), "bash");
  EXPECT_EQ(parser_name("x.mjs", ""), "node");
  EXPECT_EQ(parser_name("x.ts", ""), "none");
  EXPECT_EQ(parser_name("x.py/y", ""), "none");
}

TEST(SourceParser, CommandDecidesBeforeTheFile) {
  model::ReferencedFile reference;
  reference.interpreter = model::Interpreter::kPython;
  reference.program = "/opt/evil/python3.12";
  // Looked up in the search path: a path out of settings is never started.
  EXPECT_EQ(parser_of(reference, "x.sh", "#!/bin/sh")->program, "python3.12");
  reference.interpreter = model::Interpreter::kOther;
  reference.program = "bun";
  EXPECT_FALSE(parser_of(reference, "x.js", "").has_value());
}

}  // namespace
}  // namespace stravinsky::checks
