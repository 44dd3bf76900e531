// Every command of docs/recovery-guide.md, word for word, against a real store.
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <set>
#include <string>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

std::map<std::string, std::string> blocks_of_guide() {
  std::ifstream file(std::string(STRAVINSKY_SOURCE) + "/docs/recovery-guide.md");
  std::map<std::string, std::string> blocks;
  std::string name;
  bool in_block = false;
  for (std::string line; std::getline(file, line);) {
    const std::string mark = "<!-- test: ";
    if (line.starts_with(mark)) name = line.substr(mark.size(), line.find(" -->") - mark.size());
    if (in_block && line == "```") in_block = false;
    if (in_block) blocks[name] += line + "\n";
    if (line == "```sh") {
      in_block = true;
      if (name.empty()) name = "first";
    }
    if (!in_block && line == "```") name.clear();
  }
  return blocks;
}

class RecoveryGuide : public ::testing::Test {
 protected:
  RecoveryGuide() {
    home_.install(1);
    home_.expect(0, {"backup", "create", "--label", "good"});
    good_ = home_.tree();
  }

  // The block as a shell script that stops at the first failure; V is what the user fills in.
  Ended run(const std::string& name, const std::string& version = "good") {
    const auto blocks = blocks_of_guide();
    const auto found = blocks.find(name);
    EXPECT_NE(found, blocks.end()) << "the guide has no block " << name;
    std::string script = found == blocks.end() ? "false" : found->second;
    for (const auto& [placeholder, end] :
         {std::pair<std::string, std::string>{" V\n", "\n"}, {" V ", " "}, {"/V\n", "\n"}}) {
      for (size_t at = script.find(placeholder); at != std::string::npos;
           at = script.find(placeholder))
        script.replace(at, placeholder.size(), placeholder.substr(0, 1) + version + end);
    }
    home_.file("bin/script.sh", "set -eu\n" + script);
    if (with_program_ && !home_.exists("bin/stravinsky"))
      home_.link("bin/stravinsky", STRAVINSKY_BINARY);
    return home_.run_program({"sh", home_.at("bin/script.sh")},
                             {.env = {{"PATH", home_.at("bin") + ":/usr/bin:/bin"}}});
  }
  void expect_good() const { EXPECT_TRUE(same_tree(home_.tree(), good_)); }

  const Home home_;
  Tree good_;
  bool with_program_ = true;
};

TEST_F(RecoveryGuide, FromDeniedToAWorkingTree) {
  home_.file(".claude/hooks/guard.sh", "exit 2 (\n");
  const Ended ended = run("denied");
  EXPECT_EQ(ended.exit, 0) << ended.out << ended.err;
  expect_good();
}

TEST_F(RecoveryGuide, TheSameWithTheProgramGone) {
  home_.file(".claude/hooks/guard.sh", "exit 2 (\n");
  with_program_ = false;
  const Ended ended = run("without-the-program");
  EXPECT_EQ(ended.exit, 0) << ended.out << ended.err;
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 1"));
  EXPECT_THAT(home_.text(".claude/settings.json"), HasSubstr("hooks"));
}

TEST_F(RecoveryGuide, ByHand) {
  home_.file(".claude/hooks/guard.sh", "exit 2 (\n");
  home_.file(".claude/settings.json", "{");
  with_program_ = false;
  const Ended ended = run("by-hand");
  EXPECT_EQ(ended.exit, 0) << ended.out << ended.err;
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 1"));
}

TEST_F(RecoveryGuide, TheLevels) {
  home_.file(".claude/hooks/guard.sh", hook("worse"));
  EXPECT_EQ(run("first").exit, 0);
  const Ended file = run("file");
  EXPECT_EQ(file.exit, 0) << file.out << file.err;
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("worse"));  // undone again
  home_.file(".claude/settings.json", "{\"hooks\": {\"PreToolUse\": []}}\n");
  const Ended value = run("value");
  EXPECT_EQ(value.exit, 0) << value.out << value.err;
  home_.erase(".claude/hooks");
  home_.erase(".claude/settings.json");
  const Ended directory = run("directory");
  EXPECT_EQ(directory.exit, 0) << directory.out << directory.err;
  const Ended version = run("version");
  EXPECT_EQ(version.exit, 0) << version.out << version.err;
  expect_good();
}

TEST_F(RecoveryGuide, TheEmergencyRecovery) {
  home_.file(".claude/hooks/guard.sh", hook("worse"));
  home_.expect(0, {"backup", "create", "--label", "newest"});
  home_.file(home_.store("backups/newest/hooks.tar.gz"), "damaged");
  const Ended ended = run("emergency");
  EXPECT_EQ(ended.exit, 0) << ended.out << ended.err;
  expect_good();
  EXPECT_TRUE(home_.exists(home_.store("quarantine/newest/reason.json")));
}

TEST_F(RecoveryGuide, EveryTrouble) {
  for (const char* name : {"not-found", "permission", "wrong-place", "still-broken", "same-version",
                           "nothing-changed", "report"}) {
    const Ended ended = run(name);
    EXPECT_EQ(ended.exit, 0) << name << "\n" << ended.out << ended.err;
  }
  expect_good();
  home_.file(".claude/hooks/guard.sh", hook("worse"));
  home_.expect(0, {"backup", "create", "--label", "newest"});
  home_.file(home_.store("backups/newest/hooks.tar.gz"), "damaged");
  const Ended corrupted = run("corrupted");
  EXPECT_EQ(corrupted.exit, 0) << corrupted.out << corrupted.err;
  const Ended full = run("disk-full");
  EXPECT_EQ(full.exit, 0) << full.out << full.err;
  // Whoever adds a block tests it: no name that is not in one of these tests.
  const std::set<std::string> tested = {
      "denied",          "first",        "file",         "value",
      "directory",       "version",      "emergency",    "without-the-program",
      "by-hand",         "not-found",    "permission",   "corrupted",
      "wrong-place",     "still-broken", "same-version", "disk-full",
      "nothing-changed", "report"};
  for (const auto& [name, block] : blocks_of_guide()) EXPECT_TRUE(tested.contains(name)) << name;
}

TEST_F(RecoveryGuide, TheReportHoldsNoSecret) {
  const std::string secret = "sk-planted-0123456789";
  home_.file(".claude/settings.json",
             "{\"env\": {\"TOKEN\": \"" + secret + "\"}, \"apiKeyHelper\": \"" + secret + "\"}\n");
  home_.file(".claude/hooks/guard.sh", "# " + secret + "\n");
  home_.expect(0, {"backup", "create"});
  const Ended printed = home_.expect(0, {"recovery", "report"});
  EXPECT_EQ(printed.out.find(secret), std::string::npos);
  EXPECT_EQ(printed.out.find(home_.home()), std::string::npos);
  EXPECT_THAT(printed.out, HasSubstr("~/.claude/hooks/guard.sh"));
  EXPECT_THAT(printed.out, HasSubstr("BACKUP_CREATED"));
}

}  // namespace
}  // namespace stravinsky::e2e
