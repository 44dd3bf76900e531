#include "checks/settings_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using ::testing::ElementsAre;
using testing::FakeTree;
using ::testing::IsEmpty;

std::vector<std::string> described(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const Finding& finding : findings)
    all.push_back(std::string(severity_name(finding.severity)) + " " + finding.rule + " " +
                  finding.to_string());
  return all;
}

TEST(SettingsCheck, SyntaxErrorOfTheUpdateBlocksWithLineAndColumn) {
  FakeTree next;
  next.put("settings.json", "{\n  \"a\": 1,\n}\n").put("project:settings.local.json", "");
  const auto findings = check_settings(next, nullptr);
  EXPECT_THAT(described(findings),
              ElementsAre("blocking settings.syntax ~/.claude/settings.json:2:9: "
                          "a comma after the last element is not allowed",
                          "blocking settings.syntax .claude/settings.local.json:1:1: "
                          "the file is empty"));
  EXPECT_FALSE(findings[0].remedy.empty());
  EXPECT_TRUE(has_blocking(findings));
}

TEST(SettingsCheck, OldUnchangedFaultOnlyWarns) {
  FakeTree present;
  present.put("settings.json", "{").put("settings.local.json", "[]");
  FakeTree next = present;
  for (const Finding& finding : check_settings(next, &present))
    EXPECT_EQ(finding.severity, Severity::kWarning);
  next.put("settings.json", "{ ");
  const auto findings = check_settings(next, &present);
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].severity, Severity::kBlocking);
  EXPECT_EQ(findings[1].rule, "settings.not_object");
}

TEST(SettingsCheck, AnythingButAReadableFileBlocks) {
  FakeTree next;
  next.put("settings.json", "{}").break_reading("settings.json");
  next.put_node("settings.local.json", fs::NodeType::kDirectory);
  const auto findings = check_settings(next, &next);
  ASSERT_EQ(findings.size(), 2U);
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.rule, "settings.unreadable");
    EXPECT_EQ(finding.severity, Severity::kBlocking);
  }
}

TEST(SettingsCheck, GoodSettingsSayNothing) {
  FakeTree next;
  next.put("settings.json", R"({
    "model": "opus", "cleanupPeriodDays": 1,
    "permissions": {"allow": ["a"], "defaultMode": "plan"},
    "env": {"A": "1"}, "statusLine": {"type": "command", "command": "x", "padding": 0},
    "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [
      {"type": "command", "command": "x", "args": []}, {"type": "http", "url": "u"}]}]}})");
  EXPECT_THAT(described(check_settings(next, nullptr)), IsEmpty());
  EXPECT_THAT(described(check_settings(FakeTree(), nullptr)), IsEmpty());
}

TEST(SettingsCheck, ShapesOnlyWarnAndShowNoValue) {
  FakeTree next;
  next.put("settings.json",
           R"({"permissions":{"allow":"secret","deny":[7]},"env":{"A":1},"model":"m","model":"n",
"hooks":{"Stop":{},"Setup":[3,{"matcher":1},{"hooks":{}},{"hooks":[4,{"command":["secret"]}]}]},
"cleanupPeriodDays":0,"statusLine":"secret"})");
  const auto findings = check_settings(next, nullptr);
  std::vector<std::string> messages;
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.severity, Severity::kWarning) << finding.to_string();
    EXPECT_EQ(finding.to_string().find("secret"), std::string::npos);
    messages.push_back(finding.message);
  }
  EXPECT_THAT(
      messages,
      ElementsAre(
          "the key \"model\" stands twice in one object, and only the last one counts",
          "permissions.allow must be an array, not a string",
          "permissions.deny[0] must be a string, not a number",
          "env.A must be a string, not a number", "hooks.Stop must be an array, not an object",
          "hooks.Setup[0] must be an object, not a number", "hooks.Setup[1] has no \"hooks\"",
          "hooks.Setup[1].matcher must be a string, not a number",
          "hooks.Setup[2].hooks must be an array, not an object",
          "hooks.Setup[3].hooks[0] must be an object, not a number",
          "hooks.Setup[3].hooks[1] has no \"type\"",
          "hooks.Setup[3].hooks[1].command must be a string, not an array",
          "cleanupPeriodDays must be at least 1", "statusLine must be an object, not a string"));
  EXPECT_EQ(findings[4].line, 2);
  EXPECT_EQ(findings[4].column, 10);
}

std::vector<std::string> rules_of(const std::string& settings) {
  FakeTree next;
  next.put("settings.json", settings);
  std::vector<std::string> rules;
  for (const Finding& finding : check_settings(next, nullptr)) rules.push_back(finding.rule);
  return rules;
}

TEST(SettingsCheck, UnknownKeysAndEventsWarnWithTheNearestKnown) {
  FakeTree next;
  next.put("settings.json", R"({"permission": {}, "permissions": {"later": 5}, "zzz": 1,
    "hooks": {"preToolUse": [], "PreToolUse": [{"matchers": "Bash", "hooks": []}]}})");
  const auto findings = check_settings(next, nullptr);
  EXPECT_THAT(
      described(findings),
      ElementsAre(
          "warning settings.unknown_key ~/.claude/settings.json:1:2: "
          "permission is no key that is known",
          "warning settings.unknown_key ~/.claude/settings.json:1:36: "
          "permissions.later is no key that is known",
          "warning settings.unknown_key ~/.claude/settings.json:1:49: zzz is no key that is known",
          "warning settings.unknown_event ~/.claude/settings.json:2:15: "
          "hooks.preToolUse is no event that is known, so its hooks may never run",
          "warning settings.unknown_key ~/.claude/settings.json:2:49: "
          "hooks.PreToolUse[0].matchers is no key that is known"));
  EXPECT_EQ(findings[0].remedy, "Did you mean permissions?");
  EXPECT_EQ(findings[3].remedy, "Did you mean PreToolUse?");
}

TEST(SettingsCheck, HandlersNeedWhatTheirTypeNeeds) {
  const auto handler = [](const std::string& body) {
    return rules_of("{\"hooks\":{\"PreToolUse\":[{\"hooks\":[{" + body + "}]}]}}");
  };
  EXPECT_THAT(handler(R"("type":"command","command":"x","timeout":5,"async":true)"), IsEmpty());
  EXPECT_THAT(handler(R"("type":"prompt","prompt":"x")"), IsEmpty());
  EXPECT_THAT(handler(R"("type":"mcp_tool","server":"x","tool":"y","input":{})"), IsEmpty());
  for (const char* wrong :
       {R"("type":"command")", R"("type":"command","command":"")", R"("type":"prompt")",
        R"("type":"agent","command":"x")", R"("type":"http")", R"("type":"mcp_tool","server":"x")",
        R"("type":"commnd","command":"x")", R"("command":"x")",
        R"("type":"command","command":"x","timeout":"5")",
        R"("type":"command","command":"x","args":[1])"})
    EXPECT_THAT(handler(wrong), ElementsAre("settings.shape")) << wrong;
}

TEST(SettingsCheck, MatchersThatCannotMatchAndDeprecatedKeysWarn) {
  const auto matcher = [](const std::string& event, const std::string& text) {
    return rules_of("{\"hooks\":{\"" + event + "\":[{\"matcher\":\"" + text +
                    "\",\"hooks\":[]}]}}");
  };
  EXPECT_THAT(matcher("PreToolUse", "Edit|Write"), IsEmpty());
  EXPECT_THAT(matcher("PreToolUse", "Edit("), ElementsAre("settings.matcher"));
  EXPECT_THAT(matcher("Stop", "*"), IsEmpty());
  EXPECT_THAT(matcher("Stop", "Edit"), ElementsAre("settings.matcher_ignored"));
  EXPECT_THAT(rules_of(R"({"includeCoAuthoredBy":true})"), ElementsAre("settings.deprecated"));
}

TEST(SettingsCheck, EncodingsAndHostileSizes) {
  EXPECT_THAT(rules_of(std::string("\xFF\xFE{\0}\0", 6)), ElementsAre("settings.syntax"));
  EXPECT_THAT(rules_of("\xEF\xBB\xBF{}"), ElementsAre("settings.bom"));
  EXPECT_THAT(rules_of("{\"model\":\"\xFF\"}"), ElementsAre("settings.utf8"));
  EXPECT_THAT(rules_of("{\"model\":\"" + std::string(50'000'000, 'x') + "\"}"),
              ElementsAre("settings.too_large"));
  EXPECT_THAT(rules_of("{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}"),
              ElementsAre("settings.syntax"));
  EXPECT_THAT(rules_of("{\"env\":" + std::string(500, '[') + std::string(500, ']') + "}"),
              ElementsAre("settings.shape"));
}

// valijson counts characters by trusting the bytes: a run of continuation bytes led it out
// of its table, which UndefinedBehaviorSanitizer sees.
TEST(SettingsCheck, BytesThatAreNotUtf8AreNoShortText) {
  for (const std::string text : {"\xC0\x80", "x\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"}) {
    EXPECT_THAT(rules_of("{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"" +
                         text + "\"}]}]}}"),
                ElementsAre("settings.utf8"));
  }
}

TEST(SettingsCheck, ManyFaultsCostLittle) {
  std::string keys = "{\"a\":0";
  for (int i = 0; i < 20'000; ++i) keys += ",\"k" + std::to_string(i) + "\":0";
  EXPECT_EQ(rules_of(keys + "}").size(), 20U);
  std::string events = "{\"hooks\":{\"a\":0";
  for (int i = 0; i < 10'000; ++i) events += ",\"k" + std::to_string(i) + "\":[0,0]";
  EXPECT_EQ(rules_of(events + "}}").size(), 40U);
  std::string hooks = "{\"hooks\":{\"Stop\":[{\"hooks\":[{}";
  for (int i = 0; i < 60'000; ++i) hooks += ",{}";
  EXPECT_EQ(rules_of(hooks + "]}]}}").size(), 20U);
  EXPECT_THAT(rules_of("{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\""
                       "\xFF\"}]}],\"\":[],\"]\":{\"[\":1}}}"),
              ElementsAre("settings.utf8", "settings.unknown_event", "settings.shape",
                          "settings.unknown_event"));
}

TEST(SettingsCheck, FindingsAreLimited) {
  std::string many = "{\"permissions\":{\"allow\":[0";
  for (int i = 0; i < 10000; ++i) many += ",0";
  FakeTree next;
  next.put("settings.json", many + "]}}");
  EXPECT_EQ(check_settings(next, nullptr).size(), 20U);
}

}  // namespace
}  // namespace stravinsky::checks
