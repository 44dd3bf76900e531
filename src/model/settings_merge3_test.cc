// Settings that both sides changed since the version that is installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "model/settings_merge.h"
#include "testing/case_step.h"
#include "testing/random_settings.h"

namespace stravinsky::model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Json = nlohmann::ordered_json;

SettingsMerge merged(std::string_view base, std::string_view mine, std::string_view theirs,
                     Side in_force = Side::kMine) {
  auto merge = merge_settings(base, mine, theirs, in_force);
  EXPECT_TRUE(merge.has_value()) << merge.error().to_string();
  return merge ? std::move(merge).value() : SettingsMerge{};
}

TEST(SettingsMerge3, ChangesOfTheirsAreMadeWhereMineIsUntouched) {
  const SettingsMerge merge =
      merged(R"({"model":"a","gone":1,"env":{"A":"1","B":"1"},"same":[1]})",
             "{\n\t\"env\" : {\"B\": \"1\", \"A\": \"1\", \"MINE\": \"x\"},\r\n"
             "\t\"mine\": {},\n\t\"gone\": 1,\n\t\"model\": \"a\", \"same\": [ 1 ]\n}",
             R"({"model":"b","env":{"A":"2"},"same":[1],"new":{"k":[true]}})");
  EXPECT_EQ(merge.text,
            "{\n\t\"env\" : {\"A\": \"2\", \"MINE\": \"x\"},\r\n"
            "\t\"mine\": {},\n\t\"model\": \"b\", \"same\": [ 1 ], \"new\" : {\"k\" : [true]}\n}");
  EXPECT_THAT(merge.added, ElementsAre("new"));
  EXPECT_THAT(merge.changed, UnorderedElementsAre("env.A", "model"));
  EXPECT_THAT(merge.removed, UnorderedElementsAre("env.B", "gone"));
  EXPECT_THAT(merge.conflicts, IsEmpty());
}

TEST(SettingsMerge3, WhatBothChangedIsAConflictAtItsPath) {
  const std::string base = R"({"a": {"x": 1, "y": 1}, "b": 1, "c": 1})";
  const std::string mine = R"({"a": {"x": 2, "y": 1}, "b": 2})";
  const std::string theirs = R"({"a": {"x": 3, "y": 3}, "c": 3})";
  const SettingsMerge keep = merged(base, mine, theirs);
  EXPECT_EQ(keep.text, R"({"a": {"x": 2, "y": 3}, "b": 2})");
  EXPECT_THAT(keep.conflicts, UnorderedElementsAre("a.x", "b", "c"));
  const SettingsMerge take = merged(base, mine, theirs, Side::kTheirs);
  EXPECT_EQ(take.text, R"({"a": {"x": 3, "y": 3}, "c": 3})");
  EXPECT_THAT(take.conflicts, UnorderedElementsAre("a.x", "b", "c"));
}

TEST(SettingsMerge3, ListsOfPermissionsAreSets) {
  const SettingsMerge merge =
      merged(R"({"permissions": {"allow": ["a", "b", "c"], "deny": ["d"]}})",
             R"({"permissions": {"allow": ["mine", "c", "a"], "deny": ["d"]}})",
             R"({"permissions": {"allow": ["c", "b", "new"]}})");
  EXPECT_EQ(merge.text, R"({"permissions": {"allow": ["mine", "c", "new"]}})");
  EXPECT_THAT(merge.added, ElementsAre("permissions.allow: 1 entry"));
  EXPECT_THAT(merge.removed,
              UnorderedElementsAre("permissions.allow: 1 entry", "permissions.deny"));
}

TEST(SettingsMerge3, HandlersAreMatchedByMatcherAndCommand) {
  const std::string base = R"({"hooks": {"PreToolUse": [
    {"matcher": "Bash", "hooks": [{"type": "command", "command": "old"},
                                  {"type": "command", "command": "guard", "timeout": 5},
                                  {"type": "command", "command": "tuned", "timeout": 5}]},
    {"matcher": "Edit", "hooks": [{"type": "command", "command": "old"}]}]}})";
  const std::string mine = R"({
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [
          {"type": "command", "command": "mine"},
          {"type": "command", "command": "old"},
          {"type": "command", "command": "guard", "timeout": 5},
          {"type": "command", "command": "tuned", "timeout": 60}
        ]
      },
      {
        "matcher": "Edit",
        "hooks": [{"type": "command", "command": "old"}]
      }
    ]
  },
  "statusLine": {"type": "command", "command": "~/mine.sh"}
}
)";
  const std::string theirs = R"({"hooks": {"PreToolUse": [
    {"matcher": "Bash", "hooks": [{"type": "command", "command": "guard", "timeout": 9},
                                  {"type": "command", "command": "tuned", "timeout": 5},
                                  {"type": "command", "command": "new"}]}]}})";
  const SettingsMerge merge = merged(base, mine, theirs);
  EXPECT_EQ(merge.text, R"({
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [
          {"type": "command", "command": "mine"},
          {"type": "command", "command": "guard", "timeout": 9},
          {"type": "command", "command": "tuned", "timeout": 60},
          {
            "type": "command",
            "command": "new"
          }
        ]
      }
    ]
  },
  "statusLine": {"type": "command", "command": "~/mine.sh"}
}
)");
  EXPECT_THAT(merge.added, ElementsAre("hooks.PreToolUse: 1 handler"));
  EXPECT_THAT(merge.changed, ElementsAre("hooks.PreToolUse[0].hooks[2].timeout"));
  EXPECT_THAT(merge.removed, ElementsAre("hooks.PreToolUse: 2 handlers"));
  EXPECT_THAT(merge.conflicts, IsEmpty());
}

TEST(SettingsMerge3, AHandlerBothTimedIsAConflict) {
  const auto of = [](const char* timeout) {
    return R"({"hooks":{"Stop":[{"hooks":[{"command":"a","timeout":)" + std::string(timeout) +
           "}]}]}}";
  };
  const SettingsMerge merge = merged(of("1"), of("2"), of("3"));
  EXPECT_EQ(merge.text, of("2"));
  EXPECT_THAT(merge.conflicts, ElementsAre("hooks.Stop[0].hooks[0].timeout"));
  EXPECT_EQ(merged(of("1"), of("2"), "{}").text, of("2"));
  EXPECT_THAT(merged(of("1"), of("2"), "{}").conflicts, ElementsAre("hooks.Stop[0].hooks[0]"));
  EXPECT_EQ(merged(of("1"), of("2"), of("3"), Side::kTheirs).text, of("3"));
}

TEST(SettingsMerge3, HandlersThatTheUserDeletedStayDeleted) {
  const std::string base = R"({"hooks":{"Stop":[{"hooks":[{"command":"a"},{"command":"b"}]}]}})";
  const std::string theirs =
      R"({"hooks":{"Stop":[{"hooks":[{"command":"a","timeout":1},{"command":"b"},{"command":"c"}]}]}})";
  EXPECT_EQ(merged(base, R"({"hooks":{"Stop":[{"hooks":[{"command":"b"}]}]}})", theirs).text,
            R"({"hooks":{"Stop":[{"hooks":[{"command":"b"},{"command":"c"}]}]}})");
  EXPECT_EQ(merged(base, R"({"hooks":{"X":[]}})", theirs).text,
            R"({"hooks":{"X":[],"Stop":[{"hooks":[{"command":"c"}]}]}})");
}

TEST(SettingsMerge3, AUsersOwnHandlerKeepsTheEventThatTheirsLeft) {
  const std::string base =
      R"({"hooks":{"Stop":[{"hooks":[{"command":"a"}]}],"X":[]},"env":{"A":""}})";
  EXPECT_EQ(
      merged(
          base,
          R"({"hooks":{"Stop":[{"hooks":[{"command":"a"},{"command":"m"}]}],"X":[]},"env":{"A":""}})",
          "{}")
          .text,
      R"({"hooks":{"Stop":[{"hooks":[{"command":"m"}]}]}})");
  EXPECT_EQ(merged(base, base, "{}").text, "{}");
}

TEST(SettingsMerge3, StatusLineIsOneValue) {
  const SettingsMerge merge =
      merged("{}", R"({"statusLine":{"type":"command","command":"mine"}})",
             R"({"statusLine":{"type":"command","command":"theirs","padding":1}})");
  EXPECT_EQ(merge.text, R"({"statusLine":{"type":"command","command":"mine"}})");
  EXPECT_THAT(merge.conflicts, ElementsAre("statusLine"));
}

TEST(SettingsMerge3, GroupsWithMoreThanHandlersAreReplacedWhereUntouched) {
  const auto of = [](const char* about) {
    return R"({"hooks":{"Stop":[{"about":")" + std::string(about) +
           R"(","hooks":[{"command":"a"}]}]}})";
  };
  EXPECT_EQ(merged(of("x"), of("x"), of("y")).text, of("y"));
  EXPECT_EQ(merged(of("x"), of("mine"), of("y")).text, of("mine"));
}

TEST(SettingsMerge3, ABaseThatIsNoObjectIsNone) {
  EXPECT_EQ(merged("[]", R"({"a":1})", R"({"a":2,"b":3})").text, R"({"a":1,"b":3})");
}

TEST(SettingsMerge3, HostileTextsAreRefusedWithTheirPlace) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (const std::string& mine :
       {std::string("{} // mine"), "{\"a\":" + deep + "}", std::string("{\"a\":1,\"a\":1}"),
        std::string("\xFF\xFE{\0}\0", 6)}) {
    const auto merge = merge_settings("{}", mine, R"({"b":1})", Side::kMine);
    ASSERT_FALSE(merge.has_value()) << mine.substr(0, 20);
    EXPECT_EQ(merge.error().code, ErrorCode::kConflict);
    EXPECT_NE(merge.error().message.find("line 1, column"), std::string::npos);
  }
}

// With whole paths, 60 GB would be copied.
TEST(SettingsMerge3, LongKeysAreNoTrap) {
  std::string inside;
  for (int i = 0; i < 30'000; ++i) inside += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  const std::string key = "\"" + std::string(2'000'000, 'k') + "\"";
  const std::string base = "{" + key + ":{" + inside + "}}";
  const SettingsMerge merge = merged(base, "{" + key + ":{" + inside + ",\"m\":1}}",
                                     "{" + key + ":{" + inside + ",\"t\":1}}");
  EXPECT_EQ(merge.text, "{" + key + ":{" + inside + ",\"m\":1,\"t\":1}}");
}

TEST(SettingsMerge3, ReportHoldsNoValues) {
  const std::string base =
      R"({"env":{"K":"secret1","L":"secret2","M":"secret3"},
          "hooks":{"Stop":[{"matcher":"secret4","hooks":[{"command":"secret5","timeout":1}]}]}})";
  const std::string mine =
      R"({"env":{"K":"secret6","L":"secret2","M":"secret3"},
          "hooks":{"Stop":[{"matcher":"secret4","hooks":[{"command":"secret5","timeout":2}]}]}})";
  const std::string theirs =
      R"({"env":{"K":"secret7","L":"secret8"},"permissions":{"deny":["secret9"]},
          "hooks":{"Stop":[{"matcher":"secret4","hooks":[{"command":"secret5","timeout":3}]},
                           {"matcher":"secret10","hooks":[{"command":"secret11"}]}]}})";
  const SettingsMerge merge = merged(base, mine, theirs);
  EXPECT_THAT(merge.conflicts, ::testing::Not(IsEmpty()));
  for (const auto& list : {merge.added, merge.changed, merge.removed, merge.conflicts})
    for (const std::string& line : list) EXPECT_EQ(line.find("secret"), std::string::npos) << line;
}

// --- properties, over random triples

// A document as single facts that are merged each by itself: path, and value.
using Facts = std::map<std::string, std::string>;

bool is_string_list(const std::string& path) {
  return path == "/permissions/allow" || path == "/permissions/deny" ||
         path == "/permissions/additionalDirectories" || path == "/enabledServers";
}

std::string handler_key(const std::string& event, const Json& group, const Json& handler) {
  const std::string matcher = group.value("matcher", "");
  return event + "/" + (matcher == "*" ? "" : matcher) + "|" + handler.value("command", "") + "|" +
         handler.value("args", Json()).dump() + "|";
}

bool is_event(const Json& json) {
  return json.is_array() && std::ranges::all_of(json, [](const Json& group) {
           return group.is_object() && group.contains("hooks");
         });
}

void collect(const Json& json, const std::string& path, Facts& facts) {
  if (path.starts_with("/hooks/") && is_event(json)) {
    for (const Json& group : json)
      for (const Json& handler : group["hooks"]) {
        const std::string key = handler_key(path, group, handler);
        facts[key] = "is there";
        if (handler.contains("timeout")) facts[key + "timeout"] = handler["timeout"].dump();
      }
  } else if (json.is_array() && is_string_list(path)) {
    for (const Json& item : json) facts[path + "{" + item.dump()] = "is there";
  } else if (json.is_object()) {
    for (const auto& [key, item] : json.items()) collect(item, path + "/" + key, facts);
  } else {
    facts[path] = nlohmann::json(json).dump();
  }
}

Facts facts_of(const Json& json) {
  Facts facts;
  collect(json, "", facts);
  return facts;
}

std::string at(const Facts& facts, const std::string& path) {
  const auto found = facts.find(path);
  return found == facts.end() ? "" : found->second;
}

// Handlers that are there twice have no meaning by fact.
Json without_doubles(Json settings) {
  if (!settings.contains("hooks") || !settings["hooks"].is_object()) return settings;
  for (auto& [event, groups] : settings["hooks"].items()) {
    if (!is_event(groups)) continue;
    std::map<std::string, bool> seen;
    for (Json& group : groups) {
      Json handlers = Json::array();
      for (const Json& handler : group["hooks"])
        if (seen.emplace(handler_key(event, group, handler), true).second)
          handlers.push_back(handler);
      group["hooks"] = handlers;
    }
  }
  return settings;
}

bool has_lone_newline(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
  return false;
}

TEST(SettingsMerge3, PropertiesHoldForTenThousandTriples) {
  size_t changed = 0;
  size_t conflicts = 0;
  for (uint64_t seed = 1; seed <= 10'000; seed += testing::kCaseStep) {
    SCOPED_TRACE(seed);
    testing::RandomSettings random(seed);
    const Json base_json = without_doubles(random.settings());
    const Json my_json = without_doubles(random.changed(base_json));
    const Json their_json = without_doubles(random.changed(base_json));
    const std::string base = random.print(base_json);
    const std::string mine = random.print(my_json);
    const std::string theirs = random.print(their_json);
    const auto merge = merge_settings(base, mine, theirs, Side::kMine);
    ASSERT_TRUE(merge.has_value()) << merge.error().to_string();
    const Json result = Json::parse(merge->text, nullptr, false);
    ASSERT_FALSE(result.is_discarded()) << merge->text;
    SCOPED_TRACE(base + "\n----\n" + mine + "\n----\n" + theirs + "\n----\n" + merge->text);

    const Facts in_base = facts_of(base_json);
    const Facts in_mine = facts_of(my_json);
    const Facts in_theirs = facts_of(their_json);
    const Facts in_result = facts_of(result);
    // The user's: never lost.
    for (const auto& [path, value] : in_mine) {
      if (value == at(in_base, path)) continue;
      ASSERT_EQ(at(in_result, path), value) << path;
    }
    for (const auto& [path, value] : in_base) {
      if (!at(in_mine, path).empty()) continue;
      ASSERT_EQ(at(in_result, path), "") << path;
    }
    // Theirs: made where the user did nothing. What both changed is told.
    if (merge->conflicts.empty()) {
      Facts all = in_base;
      all.insert(in_theirs.begin(), in_theirs.end());
      for (const auto& [path, value] : all) {
        if (at(in_base, path) != at(in_mine, path)) continue;
        const bool is_member_of_handler = path.ends_with("|timeout");
        if (is_member_of_handler && !at(in_base, path.substr(0, path.size() - 7)).empty() &&
            at(in_mine, path.substr(0, path.size() - 7)).empty())
          continue;  // the user deleted the handler
        ASSERT_EQ(at(in_result, path), at(in_theirs, path)) << path;
      }
    } else {
      ++conflicts;
    }
    ASSERT_EQ(merge->text == mine,
              merge->added.empty() && merge->changed.empty() && merge->removed.empty());
    // The style stays.
    ASSERT_EQ(merge->text.starts_with("\xEF\xBB\xBF"), mine.starts_with("\xEF\xBB\xBF"));
    ASSERT_EQ(merge->text.ends_with('\n'), mine.ends_with('\n'));
    if (mine.find("\r\n") != std::string::npos && !has_lone_newline(mine)) {
      ASSERT_FALSE(has_lone_newline(merge->text));
    }

    // Once is enough.
    ASSERT_EQ(merge_settings(base, merge->text, theirs, Side::kMine)->text, merge->text);
    ASSERT_EQ(merge_settings(theirs, merge->text, theirs, Side::kMine)->text, merge->text);
    const auto take = merge_settings(base, mine, theirs, Side::kTheirs);
    ASSERT_TRUE(take.has_value());
    ASSERT_EQ(take->conflicts, merge->conflicts);
    ASSERT_FALSE(Json::parse(take->text, nullptr, false).is_discarded()) << take->text;
    ASSERT_EQ(merge_settings(base, take->text, theirs, Side::kTheirs)->text, take->text);

    // One side alone.
    ASSERT_EQ(merge_settings(base, mine, base, Side::kMine)->text, mine);
    const auto untouched = merge_settings(base, base, theirs, Side::kMine);
    ASSERT_EQ(facts_of(Json::parse(untouched->text)), in_theirs);
    ASSERT_THAT(untouched->conflicts, IsEmpty());
    if (merge->text != mine) ++changed;
  }
  EXPECT_GT(changed, 6000U / testing::kCaseStep);
  EXPECT_GT(conflicts, 1000U / testing::kCaseStep);
}

}  // namespace
}  // namespace stravinsky::model
