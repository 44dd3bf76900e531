#include "checks/imports_check.h"

#include <gmock/gmock.h>

#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using ::testing::ElementsAre;
using testing::FakeTree;
using ::testing::IsEmpty;

// "blocking 2 x" a finding: severity, line and what it imports.
std::vector<std::string> imports_told(const FakeTree& next, const FakeTree* present = nullptr) {
  std::vector<std::string> out;
  const auto findings = check_imports(next, present);
  EXPECT_TRUE(findings);
  for (const Finding& finding : *findings) {
    EXPECT_EQ(finding.rule, "hook.import_missing");
    const size_t begin = std::string("it imports ").size();
    out.push_back(std::string(severity_name(finding.severity)) + " " +
                  std::to_string(finding.line) + " " +
                  finding.message.substr(begin, finding.message.find(',') - begin));
  }
  return out;
}

std::vector<std::string> imports_told(std::string_view name, const std::string& text) {
  FakeTree next;
  next.put(name, text).put("hooks/there.py", "1\n").put("hooks/there.js", "1\n");
  next.put("hooks/pack/__init__.py", "").put("hooks/there.sh", "true\n").put("lib/l.mjs", "1\n");
  return imports_told(next);
}

TEST(ImportsCheck, ScriptsThatSettingsRunElsewhereAreReadToo) {
  FakeTree next;
  next.put("scripts/a.sh", ". \"$(dirname \"$0\")/gone.sh\"\n")
      .put("settings.json", R"({"hooks":{"Stop":[{"hooks":[{"type":"command",
        "command":"bash ~/.claude/scripts/a.sh"}]}]}})");
  EXPECT_THAT(imports_told(next), ElementsAre("blocking 1 gone.sh"));
  EXPECT_THAT(imports_told(next, &next), ElementsAre("warning 1 gone.sh"));
  next.put("settings.json", "{}");
  EXPECT_THAT(imports_told(next), IsEmpty());
}

TEST(ImportsCheck, JavaScriptNamesItsFiles) {
  EXPECT_THAT(
      imports_told("hooks/a.js", "const a = require('./gone');\nconst b = require('./there');\n"),
      ElementsAre("blocking 1 ./gone"));
  EXPECT_THAT(imports_told("hooks/a.mjs", "import x from './gone.mjs'\nimport '../lib/l.mjs'\n"),
              ElementsAre("blocking 1 ./gone.mjs"));
  EXPECT_THAT(imports_told("hooks/a.cjs", "  require(\"./gone\")\n"),
              ElementsAre("warning 1 ./gone"));
  EXPECT_THAT(
      imports_told("hooks/a.js", "// require('./gone')\n/* require('./gone')\n*/\nrequire('fs')\n"),
      IsEmpty());
}

TEST(ImportsCheck, PythonNamesWhatIsRelativeOrWasThere) {
  EXPECT_THAT(imports_told("hooks/pack/a.py", "from .gone import x\nfrom ..there import y\n"),
              ElementsAre("blocking 1 gone"));
  EXPECT_THAT(
      imports_told("hooks/a.py", "import os, json\nimport requests.x\nfrom there import z\n"),
      IsEmpty());
  EXPECT_THAT(imports_told("hooks/a.py", "\"\"\"\nfrom .gone import x\n\"\"\"\nimport pack\n"),
              IsEmpty());
  FakeTree present;
  present.put("hooks/a.py", "import helper\n").put("hooks/helper.py", "1\n");
  FakeTree next;
  next.put("hooks/a.py", "import helper\n");
  EXPECT_THAT(imports_told(next, &present), ElementsAre("blocking 1 helper"));
  next.put("hooks/helper/__init__.py", "");
  EXPECT_THAT(imports_told(next, &present), IsEmpty()) << "it became a package";
}

// On one line, too, an import may be tried, or made only where it can be.
TEST(ImportsCheck, AnImportThatMayFailOrNeverBeReachedOnlyWarns) {
  EXPECT_THAT(imports_told("hooks/a.js",
                           "let c; try { c = require('./gone') } catch {}\n"
                           "try { c = require('./gone1') } catch {}\n"
                           "const d = ok ? require('./gone2') : {}\n"
                           "if (ok) require('./gone3')\n"
                           "const load = () => require('./gone4')\n"
                           "const tryout = require('./gone5')\n"),
              ElementsAre("warning 1 ./gone", "warning 2 ./gone1", "warning 3 ./gone2",
                          "warning 4 ./gone3", "warning 5 ./gone4", "blocking 6 ./gone5"));
}

TEST(ImportsCheck, ShellSourcesWhatIsBesideIt) {
  EXPECT_THAT(
      imports_told("hooks/a.sh",
                   ". \"$(dirname \"$0\")/gone.sh\"\nsource \"${BASH_SOURCE%/*}/there.sh\"\n"
                   "source ~/.claude/hooks/gone.sh\n. \"$LIB/x.sh\"\n"
                   ". \"$(dirname \"$0\")/$name\"\nsource ~/.claude/hooks/gone.sh || true\n"),
      ElementsAre("blocking 1 gone.sh", "blocking 3 hooks/gone.sh"));
}

TEST(ImportsCheck, WhatWasMissingBeforeOnlyWarns) {
  FakeTree present;
  present.put("hooks/a.js", "require('./gone')\n").put("hooks/b.js", "1\n");
  FakeTree next;
  next.put("hooks/a.js", "require('./gone')\n").put("hooks/b.js", "2\n");
  EXPECT_THAT(imports_told(next, &present), ElementsAre("warning 1 ./gone"));
}

}  // namespace
}  // namespace stravinsky::checks
