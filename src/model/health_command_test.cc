#include "model/health_command.h"

#include <gtest/gtest.h>

namespace stravinsky::model {
namespace {

std::string command_refusal(std::string_view text) {
  const auto commands = parse_health_commands(text);
  return commands ? "" : commands.error().message;
}

TEST(HealthCommand, HasWordsATimeoutAndAHome) {
  const auto commands = parse_health_commands(
      R"([{"argv": ["a", "b c"]}, {"argv": ["x"], "timeout_seconds": 3, "home": "real"}])");
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 2U);
  EXPECT_EQ((*commands)[0].argv, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ((*commands)[0].timeout_seconds, 10);
  EXPECT_EQ((*commands)[0].home, HealthHome::kScratch);
  EXPECT_EQ((*commands)[1].timeout_seconds, 3);
  EXPECT_EQ((*commands)[1].home, HealthHome::kReal);
  EXPECT_TRUE(parse_health_commands("[]")->empty());
}

TEST(HealthCommand, WhatIsWrongIsNamedWithItsNumber) {
  for (const char* text :
       {"{}", "[", "[1]", "[{}]", R"([{"argv": "ls"}])", R"([{"argv": []}])", R"([{"argv": [""]}])",
        R"([{"argv": [1]}])", R"([{"argv": ["a"], "timeout_seconds": 0}])",
        R"([{"argv": ["a"], "timeout_seconds": 3601}])",
        R"([{"argv": ["a"], "timeout_seconds": "3"}])", R"([{"argv": ["a"], "home": "mine"}])",
        R"([{"argv": ["a"], "shell": true}])", R"([{"argv": ["a\u0000b"]}])"})
    EXPECT_NE(command_refusal(text), "") << text;
  EXPECT_EQ(command_refusal(R"([{"argv": ["a"]}, {"argv": []}])").substr(0, 10), "command 2:");
}

}  // namespace
}  // namespace stravinsky::model
