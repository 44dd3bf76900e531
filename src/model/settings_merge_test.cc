#include "model/settings_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "testing/case_step.h"
#include "testing/random_settings.h"

namespace stravinsky::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::ordered_json;

SettingsMerge merged(std::string_view mine, std::string_view theirs) {
  auto merge = merge_settings_additive(mine, theirs);
  EXPECT_TRUE(merge.has_value()) << merge.error().to_string();
  return merge ? std::move(merge).value() : SettingsMerge{};
}

TEST(SettingsMerge, NothingToAddLeavesEveryByte) {
  const std::string mine = "\xEF\xBB\xBF{ \"b\" :1,\r\n\t\"c\": [ ] , \"a\":{ }}\n\n";
  const SettingsMerge merge = merged(mine, R"({"a": {}, "b": 2})");
  EXPECT_EQ(merge.text, mine);
  EXPECT_THAT(merge.added, IsEmpty());
  EXPECT_THAT(merge.inserted, IsEmpty());
  EXPECT_THAT(merge.kept, ElementsAre("b"));
}

TEST(SettingsMerge, AddsKeysAtEveryDepthInTheIndentationOfMine) {
  const std::string mine =
      "{\n"
      "    \"model\": \"opus\",\n"
      "    \"env\": {\n"
      "        \"A\": \"1\"\n"
      "    },\n"
      "    \"permissions\": {}\n"
      "}\n";
  const SettingsMerge merge =
      merged(mine, R"({"env":{"A":"2","B":"3"},"permissions":{"allow":["x","y"]},"s":{"t":[{}]}})");
  EXPECT_EQ(merge.text,
            "{\n"
            "    \"model\": \"opus\",\n"
            "    \"env\": {\n"
            "        \"A\": \"1\",\n"
            "        \"B\": \"3\"\n"
            "    },\n"
            "    \"permissions\": {\n"
            "        \"allow\": [\n"
            "            \"x\",\n"
            "            \"y\"\n"
            "        ]\n"
            "    },\n"
            "    \"s\": {\n"
            "        \"t\": [\n"
            "            {}\n"
            "        ]\n"
            "    }\n"
            "}\n");
}

TEST(SettingsMerge, OpensAnEmptyObjectThatBeginsItsLine) {
  EXPECT_EQ(merged("{}\r\n", R"({"a":1,"b":[2]})").text,
            "{\r\n  \"a\": 1,\r\n  \"b\": [\r\n    2\r\n  ]\r\n}\r\n");
  EXPECT_EQ(merged("{\n}", R"({"a":1})").text, "{\n  \"a\": 1\n}");
  EXPECT_EQ(merged("{\n\t\"e\": {\n\t}\n}", R"({"e":{"a":1}})").text,
            "{\n\t\"e\": {\n\t\t\"a\": 1\n\t}\n}");
}

TEST(SettingsMerge, CompactStaysCompact) {
  EXPECT_EQ(merged(R"({"a":{},"b":[1]})", R"({"a":{"x":[1,{"y":2}]},"c":3})").text,
            R"({"a":{"x":[1,{"y":2}]},"b":[1],"c":3})");
  EXPECT_EQ(merged(R"({"a": 1})", R"({"b": [1, 2]})").text, R"({"a": 1, "b": [1, 2]})");
}

TEST(SettingsMerge, TabsAndCrLfStay) {
  EXPECT_EQ(
      merged("{\r\n\t\"a\": {\r\n\t\t\"b\": 1\r\n\t}\r\n}", "{\"a\":\n{\"c\":\n{\"d\":1}}}").text,
      "{\r\n\t\"a\": {\r\n\t\t\"b\": 1,\r\n\t\t\"c\": {\r\n\t\t\t\"d\": 1\r\n\t\t}\r\n\t}\r\n}");
}

TEST(SettingsMerge, PermissionListsGrowAndNothingElseDoes) {
  const SettingsMerge merge = merged(
      R"({"permissions": {"allow": ["a", "b"], "deny": []}, "list": [1], "enabledX": []})",
      R"({"permissions": {"allow": ["b", "c", "c", "d", 5], "deny": ["e"], "defaultMode": "m"},
          "list": [1, 2], "enabledX": ["y"]})");
  EXPECT_EQ(merge.text, R"({"permissions": {"allow": ["a", "b", "c", "d"], "deny": ["e"], )"
                        R"("defaultMode": "m"}, "list": [1], "enabledX": ["y"]})");
  EXPECT_THAT(merge.added, ElementsAre("permissions.allow: 2 entries", "permissions.deny: 1 entry",
                                       "permissions.defaultMode", "enabledX: 1 entry"));
  EXPECT_THAT(merge.kept, ElementsAre("list"));
}

TEST(SettingsMerge, HandlersJoinTheGroupOfTheirMatcher) {
  const std::string mine = R"({
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [
          {"type": "command", "command": "a", "timeout": 5}
        ]
      }
    ]
  }
}
)";
  const SettingsMerge merge = merged(mine, R"({"hooks": {
    "PreToolUse": [
      {"matcher": "Bash", "hooks": [{"command": "a", "type": "command", "timeout": 9},
                                    {"type": "command", "command": "b"}]},
      {"matcher": "Edit", "hooks": [{"type": "command", "command": "a"}]}],
    "Stop": [{"hooks": [{"type": "command", "command": "s"}]}]}})");
  EXPECT_EQ(merge.text, R"({
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [
          {"type": "command", "command": "a", "timeout": 5},
          {
            "type": "command",
            "command": "b"
          }
        ]
      },
      {
        "matcher": "Edit",
        "hooks": [
          {
            "type": "command",
            "command": "a"
          }
        ]
      }
    ],
    "Stop": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "s"
          }
        ]
      }
    ]
  }
}
)");
  EXPECT_THAT(merge.added, ElementsAre("hooks.PreToolUse: 2 handlers", "hooks.Stop: 1 handler"));
  EXPECT_THAT(merge.kept, ElementsAre("hooks.PreToolUse[0].hooks[0]"));
}

TEST(SettingsMerge, EveryMatcherThatStandsForAllIsTheSame) {
  const std::string mine = R"({"hooks":{"Stop":[{"matcher":"*","hooks":[{"command":"a"}]}]}})";
  for (const std::string_view matcher : {R"("matcher":"",)", R"("matcher":"*",)", ""})
    EXPECT_EQ(merged(mine, R"({"hooks":{"Stop":[{)" + std::string(matcher) +
                               R"("hooks":[{"command":"a"}]}]}})")
                  .text,
              mine);
}

TEST(SettingsMerge, SameCommandWithOtherArgumentsIsAnotherHandler) {
  const SettingsMerge merge =
      merged(R"({"hooks":{"Stop":[{"hooks":[{"command":"n","args":["a"]}]}]}})",
             R"({"hooks":{"Stop":[{"hooks":[{"command":"n","args":["b"]}]}]}})");
  EXPECT_THAT(merge.added, ElementsAre("hooks.Stop: 1 handler"));
}

TEST(SettingsMerge, MissingHooksAreCountedByEvent) {
  const SettingsMerge merge =
      merged("{}", R"({"hooks":{"Stop":[{"hooks":[{"command":"a"},{"command":"b"}]}],"X":{}}})");
  EXPECT_THAT(merge.added, ElementsAre("hooks.Stop: 2 handlers", "hooks.X"));
}

TEST(SettingsMerge, UnexpectedShapesOfMineAreKept) {
  const std::string mine = R"({"hooks":[],"permissions":{"allow":"x"},"env":null})";
  const SettingsMerge merge =
      merged(mine, R"({"hooks":{"Stop":[]},"permissions":{"allow":["y"]},"env":{"A":"1"}})");
  EXPECT_EQ(merge.text, mine);
  EXPECT_THAT(merge.kept, ElementsAre("hooks", "permissions.allow", "env"));
}

TEST(SettingsMerge, AKeyThatIsThereTwiceIsRefused) {
  const auto mine = merge_settings_additive("{\n \"a\": {\"x\": 1},\n \"a\": {}}", "{}");
  ASSERT_FALSE(mine.has_value());
  EXPECT_EQ(mine.error().code, ErrorCode::kConflict);
  EXPECT_EQ(mine.error().message,
            "the settings in use hold a key twice: "
            "line 2, column 2: has no effect, a later one hides it");
  const auto theirs = merge_settings_additive("{}", R"({"a":{"q":1,"q":2}})");
  ASSERT_FALSE(theirs.has_value());
  EXPECT_EQ(theirs.error().code, ErrorCode::kChecksRefused);
}

TEST(SettingsMerge, WhatIsTooLargeIsRefused) {
  const std::string large = "{\"a\":\"" + std::string(kSettingsMergeMaxBytes, 'x') + "\"}";
  EXPECT_EQ(merge_settings_additive(large, "{}").error().code, ErrorCode::kConflict);
  EXPECT_EQ(merge_settings_additive("{}", large).error().code, ErrorCode::kChecksRefused);
}

TEST(SettingsMerge, FaultsSayWhoseAndWhere) {
  const auto mine = merge_settings_additive("{\n \"a\": 1,\n}", "{}");
  ASSERT_FALSE(mine.has_value());
  EXPECT_EQ(mine.error().code, ErrorCode::kConflict);
  EXPECT_EQ(mine.error().message,
            "the settings in use are not valid JSON: "
            "line 2, column 8: a comma after the last element is not allowed");
  const auto theirs = merge_settings_additive("{}", "[]");
  ASSERT_FALSE(theirs.has_value());
  EXPECT_EQ(theirs.error().code, ErrorCode::kChecksRefused);
  EXPECT_EQ(theirs.error().message, "the new settings must be a JSON object, not an array");
}

TEST(SettingsMerge, ReportHoldsNoValues) {
  const SettingsMerge merge =
      merged(R"({"env":{"K":"secret1"}})",
             R"({"env":{"K":"secret2","L":"secret3"},"permissions":{"allow":["secret4"]},
                 "hooks":{"Stop":[{"matcher":"secret7","hooks":[{"command":"secret5"}]}]},
                 "m":"secret6"})");
  for (const auto& list : {merge.added, merge.kept})
    for (const std::string& line : list) EXPECT_EQ(line.find("secret"), std::string::npos) << line;
}

TEST(SettingsMerge, PathsQuoteWhatIsNoName) {
  EXPECT_EQ(json_path("", "a"), "a");
  EXPECT_EQ(json_path("a", "b-c"), "a.b-c");
  EXPECT_EQ(json_path("a", "b.c\n"), "a[\"b.c\\x0a\"]");
  EXPECT_EQ(json_path("a", std::string(300, 'k')), "a[\"" + std::string(200, 'k') + "...\"]");
  const std::string cut = json_path(std::string(1001, 'a'), "b");
  EXPECT_EQ(cut, std::string(1001, 'a') + "...");
  EXPECT_EQ(json_path(cut, "c"), cut);
}

// --- properties, over random pairs of settings

// Every key and value of mine is in result, in the same order; lists may be longer.
void expect_contains(const Json& result, const Json& mine, const std::string& path) {
  ASSERT_EQ(result.type(), mine.type()) << path;
  if (mine.is_object()) {
    auto at = result.begin();
    for (auto item = mine.begin(); item != mine.end(); ++item, ++at) {
      ASSERT_NE(at, result.end()) << path;
      ASSERT_EQ(at.key(), item.key()) << path;
      expect_contains(at.value(), item.value(), path + "." + item.key());
    }
  } else if (mine.is_array()) {
    ASSERT_GE(result.size(), mine.size()) << path;
    for (size_t i = 0; i < mine.size(); ++i) expect_contains(result[i], mine[i], path + "[]");
  } else {
    ASSERT_EQ(result, mine) << path;
  }
}

std::set<std::string> handlers_in(const Json& settings) {
  std::set<std::string> all;
  const Json hooks = settings.value("hooks", Json::object());
  for (const auto& [event, groups] : hooks.items())
    for (const Json& group : groups) {
      const std::string matcher = group.value("matcher", "");
      for (const Json& handler : group["hooks"])
        all.insert(event + "|" + (matcher == "*" ? "" : matcher) + "|" +
                   handler.value("command", "") + "|" + handler.value("args", Json()).dump());
    }
  return all;
}

TEST(SettingsMerge, PropertiesHoldForRandomPairs) {
  size_t changed = 0;
  for (uint64_t seed = 1; seed <= 6000; seed += testing::kCaseStep) {
    SCOPED_TRACE(seed);
    testing::RandomSettings generator(seed);
    const Json my_json = generator.settings();
    const Json their_json = generator.settings();
    const std::string mine = generator.print(my_json);
    const std::string theirs = generator.print(their_json);
    const auto merge = merge_settings_additive(mine, theirs);
    ASSERT_TRUE(merge.has_value()) << merge.error().to_string();
    const Json result = Json::parse(merge->text, nullptr, false);
    ASSERT_FALSE(result.is_discarded()) << merge->text;

    expect_contains(result, my_json, "");
    if (HasFatalFailure()) return;
    const auto present = handlers_in(result);
    for (const std::string& handler : handlers_in(their_json))
      ASSERT_TRUE(present.contains(handler)) << handler;
    for (const auto& [key, item] : their_json.items()) ASSERT_TRUE(result.contains(key)) << key;
    const Json their_permissions = their_json.value("permissions", Json::object());
    for (const auto& [list, entries] : their_permissions.items()) {
      for (const Json& entry : entries) {
        const Json& all = result["permissions"][list];
        ASSERT_NE(std::ranges::find(all, entry), all.end());
      }
    }

    const auto again = merge_settings_additive(merge->text, theirs);
    ASSERT_TRUE(again.has_value());
    ASSERT_EQ(again->text, merge->text);
    ASSERT_THAT(again->added, IsEmpty());

    std::string without = merge->text;
    for (auto span = merge->inserted.rbegin(); span != merge->inserted.rend(); ++span)
      without.erase(span->begin, span->size());
    ASSERT_EQ(without, mine);
    ASSERT_EQ(merge->added.empty(), merge->text == mine);
    if (merge->text != mine) ++changed;
  }
  EXPECT_GT(changed, 4000U / testing::kCaseStep);  // the generator makes pairs that differ
}

}  // namespace
}  // namespace stravinsky::model
