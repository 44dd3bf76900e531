#include "checks/guards_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using ::testing::ElementsAre;
using testing::FakeTree;
using ::testing::IsEmpty;

std::string hook(const std::string& event, const std::string& matcher, const std::string& command) {
  return "{\"hooks\":{\"" + event + "\":[{\"matcher\":\"" + matcher +
         "\",\"hooks\":[{\"type\":\"command\",\"command\":\"" + command + "\"}]}]}}";
}

// The change of the user's settings.json from before to after.
std::vector<std::string> guards_told(const std::string& before, const std::string& after) {
  FakeTree present;
  present.put("settings.json", before);
  FakeTree next;
  next.put("settings.json", after);
  std::vector<std::string> all;
  const auto findings = check_guards(next, &present);
  for (const Finding& finding : *findings) {
    EXPECT_EQ(finding.severity, Severity::kWarning);
    EXPECT_FALSE(finding.to_string().contains("secret"));
    all.push_back(finding.rule + " " + finding.to_string());
  }
  return all;
}

TEST(GuardsCheck, RemovedHooksAndRulesAreNamedTogether) {
  const std::string both =
      R"j({"permissions":{"deny":["Read(secret)","b"],"ask":["c"]},
"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command","command":"secret"}]}]}})j";
  EXPECT_THAT(guards_told(both, R"({"permissions":{"deny":["b"]}})"),
              ElementsAre("guard.removed ~/.claude/settings.json:1:25: this update removes 3 "
                          "guards: permissions.deny[0], permissions.ask[0], "
                          "hooks.PreToolUse[0].hooks[0]"));
  EXPECT_THAT(guards_told(both, both), IsEmpty());
  EXPECT_THAT(guards_told("{}", both), IsEmpty());
  // What no hook can refuse any more is no guard.
  EXPECT_THAT(guards_told(hook("PostToolUse", "Bash", "x"), "{}"), IsEmpty());
}

TEST(GuardsCheck, GuardsThatMoveOrGetStrongerStay) {
  const std::string python = hook("PreToolUse", "Bash", "python3 ~/.claude/hooks/a.py");
  EXPECT_THAT(guards_told(python, hook("PreToolUse", "Bash", "uv run ~/.claude/hooks/a.py")),
              IsEmpty());
  EXPECT_THAT(guards_told(python, hook("PreToolUse", "*", "python3 ~/.claude/hooks/a.py")),
              IsEmpty());
  EXPECT_EQ(guards_told(python, hook("PreToolUse", "Edit", "python3 ~/.claude/hooks/a.py")).size(),
            1U);
  EXPECT_EQ(guards_told(python, hook("PostToolUse", "Bash", "python3 ~/.claude/hooks/a.py")).size(),
            1U);
  EXPECT_THAT(guards_told(R"({"permissions":{"ask":["a"]}})", R"({"permissions":{"deny":["a"]}})"),
              IsEmpty());
  EXPECT_EQ(
      guards_told(R"({"permissions":{"deny":["a"]}})", R"({"permissions":{"ask":["a"]}})").size(),
      1U);

  FakeTree present;
  present.put("settings.json", python);
  FakeTree next;
  next.put("settings.local.json", python);
  EXPECT_THAT(*check_guards(next, &present), IsEmpty());
  next.remove("settings.local.json").put("project:settings.json", python);
  EXPECT_EQ(check_guards(next, &present)->size(), 1U) << "it guards only there now";
}

TEST(GuardsCheck, WiderPermissionsAreNamed) {
  EXPECT_THAT(
      guards_told(
          R"({"permissions":{"allow":["a"]}})",
          R"({"permissions":{"allow":["a","secret"],"additionalDirectories":["/secret"]}})"),
      ElementsAre("guard.wider_permissions ~/.claude/settings.json:1:30: this update allows 2 "
                  "more things without asking: permissions.allow[1], "
                  "permissions.additionalDirectories[0]"));
  EXPECT_EQ(guards_told("{}", R"({"enableAllProjectMcpServers":true})").size(), 1U);
  EXPECT_THAT(guards_told("{}", R"({"permissions":{"defaultMode":"acceptEdits"}})"),
              ElementsAre("guard.wider_mode ~/.claude/settings.json:1:17: this update makes Claude "
                          "Code ask less from the start: permissions.defaultMode"));
  EXPECT_THAT(guards_told(R"({"permissions":{"defaultMode":"acceptEdits"}})",
                          R"({"permissions":{"defaultMode":"plan"}})"),
              IsEmpty());
  EXPECT_EQ(guards_told("{}", R"({"disableAllHooks":true})").size(), 1U);
  EXPECT_THAT(guards_told(R"({"disableAllHooks":true})", R"({"disableAllHooks":true})"), IsEmpty());
}

TEST(GuardsCheck, WithoutAPresentTreeNothingIsCompared) {
  FakeTree next;
  next.put("settings.json", R"({"permissions":{"allow":["a"]}})");
  EXPECT_THAT(*check_guards(next, nullptr), IsEmpty());
  FakeTree present;
  present.put("settings.json", "{");
  EXPECT_EQ(check_guards(next, &present)->size(), 1U);
}

}  // namespace
}  // namespace stravinsky::checks
