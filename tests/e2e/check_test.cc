// `stravinsky check`: what it says, how it ends, and that it changes nothing.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "scratch.h"

namespace stravinsky::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHook =
    R"j({"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command",
"command":"python3 ~/.claude/hooks/guard.py"}]}]},"permissions":{"deny":["Read(secret)"]}})j";

std::vector<std::string> rules(const nlohmann::json& report) {
  std::vector<std::string> all;
  for (const auto& finding : report["findings"])
    all.push_back(finding["severity"].get<std::string>() + " " +
                  finding["rule"].get<std::string>());
  return all;
}

TEST(Check, GoodTreePassesAndNothingIsMade) {
  const Scratch home;
  home.file(".claude/settings.json", kHook);
  home.file(".claude/hooks/guard.py", "x = 1\n");
  const Tree before = home.tree("");
  const Ended text = home.expect(0, {"check"});
  EXPECT_THAT(text.out, HasSubstr("Checked 2 files, 0 blocking, 0 warnings. Nothing was changed.\n"
                                  "Nothing here would stop an update.\n"));
  const auto report = home.expect(0, {"check", "--json"}).json();
  EXPECT_EQ(report["success"], true);
  EXPECT_EQ(report["failed_checks"], nlohmann::json::array());
  EXPECT_EQ(report["warnings"], nlohmann::json::array());
  EXPECT_EQ(report["file_count"], 2);
  EXPECT_GT(report["disk_space_mb"], 0);
  EXPECT_TRUE(same_tree(home.tree(""), before)) << "no store either";
}

TEST(Check, BrokenTreeEndsWithThreeAndNamesThePlace) {
  const Scratch home;
  home.file(".claude/settings.json", kHook);
  home.file(".claude/hooks/guard.py", "import sys\ndef guard(:\n");
  const Ended text = home.expect(3, {"check"});
  EXPECT_THAT(text.out, HasSubstr("blocking: ~/.claude/hooks/guard.py:2: python3 does not accept "
                                  "it: invalid syntax [hook.syntax]\n"));
  EXPECT_THAT(text.out, HasSubstr("An update that brought this would be refused."));
  const auto report = home.expect(3, {"check", "--json"}).json();
  EXPECT_EQ(report["success"], false);
  EXPECT_EQ(report["exit_code"], 3);
  EXPECT_EQ(report["failed_checks"], nlohmann::json({"hooks"}));
  const auto& finding = report["findings"][0];
  EXPECT_EQ(finding["check"], "hooks");
  EXPECT_EQ(finding["line"], 2);
}

TEST(Check, BundleIsJudgedByWhatItMakesWorse) {
  const Scratch home;
  home.file(".claude/settings.local.json", "{,}");
  home.file("good/commands/a.md", "---\ndescription: x\n---\n");
  home.file("bad/settings.json", kHook);
  home.file("bad/commands/a.md", "---\ndescription: x\n---\n");
  const Tree before = home.tree("");
  EXPECT_THAT(rules(home.expect(0, {"check", "good", "--json"}).json()),
              Contains("warning settings.syntax"));
  const auto bad = home.expect(3, {"check", "bad", "--json"}).json();
  EXPECT_THAT(rules(bad), Contains("blocking hook.missing"));
  EXPECT_EQ(bad["files"].size(), 2U);
  EXPECT_THAT(home.expect(3, {"check", "bad"}).out, HasSubstr("The update would be refused."));
  EXPECT_EQ(home.run({"check", "absent"}).exit, 5);
  EXPECT_TRUE(same_tree(home.tree(""), before));
}

TEST(Check, SaysWhatTheUpdateThenDoes) {
  const Scratch home;
  home.file("bad/hooks/a.py", "def x(:\n");
  home.file("good/hooks/a.py", "x = 1\n");
  home.expect(3, {"check", "bad"});
  home.expect(3, {"update", "1.0.0", "--from", "bad"});
  home.expect(0, {"check", "good"});
  home.expect(0, {"update", "1.0.0", "--from", "good"});
}

TEST(Check, GuardsThatAFirstUpdateWidensAreNamedBeforeItHappens) {
  const Scratch home;
  home.file(".claude/settings.json", R"({"permissions":{"allow":[]}})");
  home.file(
      "p/settings.json",
      R"j({"permissions":{"allow":["Bash(secret)","Edit"],"defaultMode":"bypassPermissions"}})j");
  home.file("p/commands/a.md", "---\ndescription: x\n---\n");
  const Ended text = home.expect(0, {"check", "p"});
  EXPECT_THAT(text.out, HasSubstr("this update allows 2 more things without asking: "
                                  "permissions.allow[0], permissions.allow[1]"));
  EXPECT_THAT(text.out + text.err, Not(HasSubstr("secret")));
  const auto planned = home.expect(0, {"update", "1", "--from", "p", "--dry-run", "--json"}).json();
  EXPECT_THAT(rules(planned), Contains("warning guard.wider_permissions"));
}

TEST(Check, DamagedBackupIsFound) {
  const Scratch home;
  home.file(".claude/settings.json", "{}");
  home.expect(0, {"backup", "create", "--label", "one"});
  home.expect(0, {"check"});
  home.file(".stravinsky/rollback/backups/one/settings.json", "{ }", 0600);
  const Ended text = home.expect(0, {"check"});
  EXPECT_THAT(text.out, HasSubstr("[backup.corrupt]"));
  EXPECT_THAT(text.out, HasSubstr("stravinsky backup verify one"));
}

// The shell that runs a hook knows nothing of CLAUDE_CONFIG_DIR.
TEST(Check, APathMeansWhatTheShellMakesOfIt) {
  const Scratch home;
  const RunOptions moved{.env = {{"CLAUDE_CONFIG_DIR", home.at("cfg")}}};
  home.dir("cfg");
  home.file("p/settings.json", kHook);
  home.file("p/hooks/guard.py", "x = 1\n");
  const Ended refused = home.expect(3, {"check", "p"}, moved);
  EXPECT_THAT(refused.out, HasSubstr("runs ~/.claude/hooks/guard.py, which is not there"));
  EXPECT_THAT(refused.out, HasSubstr("CLAUDE_CONFIG_DIR puts the tree elsewhere"));
  home.expect(3, {"update", "1", "--from", "p"}, moved);
  EXPECT_TRUE(home.names("cfg").empty());
  home.link(".claude", "cfg");
  home.expect(0, {"update", "1", "--from", "p"}, moved);
  EXPECT_EQ(home.run_program({"sh", "-c", "python3 ~/.claude/hooks/guard.py"}).exit, 0);
  home.expect(0, {"check"}, moved);
}

TEST(Check, PathsThatNoShellExpandsAreRefused) {
  const Scratch home;
  for (const char* command :
       {R"("python3 \"~/.claude/hooks/x.py\"")", R"("python3 '$HOME/.claude/hooks/x.py'")",
        R"("python3", "args": ["~/.claude/hooks/x.py"])"}) {
    home.file("p/settings.json", R"({"hooks":{"Stop":[{"hooks":[{"type":"command","command":)" +
                                     std::string(command) + "}]}]}}");
    home.file("p/hooks/x.py", "x = 1\n");
    EXPECT_THAT(rules(home.expect(3, {"check", "p", "--json"}).json()),
                Contains("blocking hook.unexpanded"))
        << command;
  }
}

TEST(Check, AFaultOfTheBundleIsNotSaidOfTheLiveFile) {
  const Scratch home;
  home.file(".claude/hooks/a.py", "x = 1\n");
  home.file("p/hooks/a.py", "def x(:\n");
  const Ended refused = home.expect(3, {"update", "1", "--from", "p"});
  EXPECT_THAT(refused.err, HasSubstr("invalid syntax (in the new version)"));
  EXPECT_THAT(refused.err, HasSubstr("The bundle's own file is wrong; ask its author."));
  EXPECT_THAT(refused.err, Not(HasSubstr("ls -ld")));
  home.erase("p/hooks");
  home.file("p/settings.json", kHook);
  const Ended missing = home.expect(3, {"update", "1", "--from", "p"});
  EXPECT_THAT(missing.err, HasSubstr("which is not there in the new version"));
  EXPECT_THAT(missing.err, HasSubstr("does not bring; ask its author"));
  EXPECT_THAT(missing.err, Not(HasSubstr("Put the file back")));
}

TEST(Check, WhatAFirstUpdateLeavesOutOfTheSettingsIsNamed) {
  for (const char* hooks : {"null", "[]", R"({"PreToolUse":{}})"}) {
    const Scratch home;
    home.file("p/settings.json", kHook);
    home.file("p/hooks/guard.py", "x = 1\n");
    home.file(".claude/settings.json", R"({"hooks":)" + std::string(hooks) + "}");
    EXPECT_THAT(home.expect(0, {"update", "1", "--from", "p"}).err,
                HasSubstr("~/.claude/settings.json: the bundle's hooks were not added at hooks"))
        << hooks;
  }
  const Scratch home;
  home.file(".claude/settings.json", R"({"model":"mine","env":{"FOO":"secret"}})");
  home.file("p/settings.json", R"({"model":"theirs","env":{"FOO":"other","BAR":"x"}})");
  home.file("p/commands/a.md", "x");
  const Ended first = home.expect(0, {"update", "1", "--from", "p"});
  EXPECT_THAT(first.err, HasSubstr("yours stays where the bundle has something else: model, "
                                   "env.FOO"));
  EXPECT_THAT(first.out + first.err, Not(HasSubstr("secret")));
  // With a base it is a conflict, or nothing.
  EXPECT_THAT(home.expect(0, {"update", "2", "--from", "p"}).err, Not(HasSubstr("yours stays")));
}

TEST(Check, SettingsThatAreALinkToNowhereAreTold) {
  const Scratch home;
  home.link(".claude/settings.json", home.at("dotfiles/settings.json"));
  EXPECT_THAT(rules(home.expect(0, {"check", "--json"}).json()),
              Contains("warning settings.dangling_link"));
}

TEST(Check, TheTreeOfABundleIsChosenAsForAnUpdate) {
  const Scratch home;
  home.file("p/templates/a/.claude/commands/x.md", "a");
  home.file("p/templates/b/.claude/commands/x.md", "b");
  home.file(".claude/commands/x.md", "b");
  EXPECT_THAT(home.expect(2, {"check", "p"}).err, HasSubstr("--subdir templates/a"));
  home.expect(0, {"check", "p", "--subdir", "templates/a"});
  home.expect(2, {"adopt", "1", "--from", "p"});
  home.expect(0, {"adopt", "1", "--from", "p", "--subdir", "templates/b"});
}

TEST(Check, HookThatIsALinkInACircleIsMissing) {
  const Scratch home;
  home.file(".claude/settings.json", kHook);
  home.dir(".claude/hooks");
  home.link(".claude/hooks/guard.py", "other.py");
  home.link(".claude/hooks/other.py", "guard.py");
  EXPECT_THAT(rules(home.expect(3, {"check", "--json"}).json()), Contains("blocking hook.missing"));
}

TEST(Check, HostileTreesEndSoonWithASentence) {
  const Scratch home;
  home.file(".claude/settings.json",
            "{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}");
  home.expect(3, {"check"});
  home.file(".claude/settings.json", "{\"model\":\"" + std::string(50'000'000, 'x') + "\"}");
  EXPECT_THAT(home.expect(0, {"check"}).out, HasSubstr("[settings.too_large]"));
  home.file(".claude/settings.json", "{}");
  home.file(".claude/commands/a\x1b[2Jb.md", "---\nx: \"y\x1b[2J\n---\n");
  home.link(".claude/hooks", "hooks");
  const Ended text = home.run({"check"});
  EXPECT_THAT(text.out + text.err, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace stravinsky::e2e
