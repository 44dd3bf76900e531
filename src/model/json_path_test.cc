#include "model/json_path.h"

#include <gtest/gtest.h>

namespace stravinsky::model {
namespace {

JsonText parsed_for_path(std::string_view text) {
  auto parsed = JsonText::parse(text);
  EXPECT_TRUE(parsed) << text;
  return std::move(*parsed);
}

std::optional<std::string> taken_over(std::string_view mine, std::string_view theirs,
                                      std::string_view path) {
  return with_value_of(parsed_for_path(mine), parsed_for_path(theirs), path);
}

TEST(JsonPath, FindsTheLastOfDuplicates) {
  const JsonText text = parsed_for_path(R"({"a": {"b": 1}, "a": {"b": 2}})");
  EXPECT_EQ(text.canonical(value_at(text, "a.b")), "2");
  EXPECT_EQ(value_at(text, "a.c"), JsonIndex::kNone);
  EXPECT_EQ(value_at(text, "a.b.c"), JsonIndex::kNone);
}

TEST(JsonPath, ReplacesThatValueAndKeepsEveryOtherByte) {
  EXPECT_EQ(taken_over("{\n\t\"z\": 1e2,\n\t\"hooks\": {\"Stop\": [1], \"Start\": []}\n}\n",
                       R"({"hooks": {"Stop": [7, 8]}, "z": 5})", "hooks.Stop"),
            "{\n\t\"z\": 1e2,\n\t\"hooks\": {\"Stop\": [7, 8], \"Start\": []}\n}\n");
}

TEST(JsonPath, MakesTheObjectsOnTheWayWithThatValueAlone) {
  const auto text =
      taken_over("{\n  \"a\": 1\n}\n",
                 R"({"hooks": {"Stop": [1], "Start": [2], "Stop": [3]}, "b": 2})", "hooks.Stop");
  ASSERT_TRUE(text);
  const JsonText result = parsed_for_path(*text);
  EXPECT_EQ(result.canonical(JsonIndex::kRoot),
            parsed_for_path(R"({"a": 1, "hooks": {"Stop": [3]}})").canonical(JsonIndex::kRoot));
}

TEST(JsonPath, NothingIsMadeInsideOfWhatIsNoObject) {
  EXPECT_EQ(taken_over(R"({"hooks": 5})", R"({"hooks": {"Stop": [1]}})", "hooks.Stop"),
            std::nullopt);
  EXPECT_EQ(taken_over("[]", R"({"hooks": 1})", "hooks"), std::nullopt);
}

}  // namespace
}  // namespace stravinsky::model
