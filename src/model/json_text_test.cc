#include "model/json_text.h"

#include <gtest/gtest.h>

#include <utility>

namespace stravinsky::model {
namespace {

JsonText parsed(std::string_view text) {
  auto document = JsonText::parse(text);
  EXPECT_TRUE(document.has_value()) << text << ": " << document.error().to_string();
  return std::move(document).value();
}

TEST(JsonText, SpansCoverExactlyTheValue) {
  const JsonText document = parsed("{ \"a\" : [1, \"x\"] ,\r\n\"b\":{}}");
  const JsonIndex a = document.find(JsonIndex::kRoot, "a");
  ASSERT_NE(a, JsonIndex::kNone);
  EXPECT_EQ(document.raw(document[a].key), "\"a\"");
  EXPECT_EQ(document.raw(document[a].value), "[1, \"x\"]");
  const auto items = document.children(a);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(document.raw(document[items[0]].value), "1");
  EXPECT_EQ(document.string_value(items[1]), "x");
  const TextPosition position = document.position(document.find(JsonIndex::kRoot, "b"));
  EXPECT_EQ(position.line, 2);
  EXPECT_EQ(position.column, 1);
  EXPECT_EQ(document.find(JsonIndex::kRoot, "c"), JsonIndex::kNone);
}

TEST(JsonText, FaultsNameLineColumnAndRule) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1, column 1: the file is empty"},
      {" \n", "line 2, column 1: the file is empty"},
      {"{\n  \"a\": 1\n  \"b\": 2\n}",
       "line 3, column 3: a comma or a closing brace is missing here"},
      {"{\"a\": [1 2]}", "line 1, column 10: a comma or a closing bracket is missing here"},
      {"{\"a\": 1,\r\n}", "line 1, column 8: a comma after the last element is not allowed"},
      {"{\"\xC3\xA4\": tru}", "line 1, column 7: a value is expected here"},
      {"{// x\n}", "line 1, column 2: comments are not allowed in JSON"},
      {"{'a': 1}", "line 1, column 2: strings need double quotes"},
      {"{\"a\" 1}", "line 1, column 6: a colon is missing after the key"},
      {"{a: 1}", "line 1, column 2: a key in double quotes is expected here"},
      {"{\"a\": \"x\n\"}", "line 1, column 7: the string is not closed on its line"},
      {"\"a", "line 1, column 1: the string is not closed"},
      {"\"a\\", "line 1, column 3: this escape does not exist in JSON"},
      {"\"\\x\"", "line 1, column 2: this escape does not exist in JSON"},
      {"\"\\u12g4\"", "line 1, column 2: this escape does not exist in JSON"},
      {"\"\t\"", "line 1, column 2: a control character in a string must be written as an escape"},
      {"01", "line 1, column 2: a number must not begin with a zero"},
      {"1.", "line 1, column 3: the file ends too early: a digit is expected here"},
      {"-x", "line 1, column 2: a digit is expected here"},
      {"{} {}", "line 1, column 4: there is text after the end of the document"},
      {"[1,", "line 1, column 4: the file ends too early: a value is expected here"},
      {"{\n<<<<<<< ours\n}", "line 2, column 1: there is an unresolved merge conflict marker"},
      {"\xFF\xFE{\0", "line 1, column 1: the file is UTF-16; JSON must be UTF-8"},
      {std::string("{\0}\0", 4), "line 1, column 1: the file is UTF-16; JSON must be UTF-8"},
      {"NaN", "line 1, column 1: a value is expected here"},
  };
  for (const auto& [text, expected] : cases) {
    const auto document = JsonText::parse(text);
    ASSERT_FALSE(document.has_value()) << text;
    EXPECT_EQ(document.error().to_string(), expected) << text;
  }
}

TEST(JsonText, AcceptsWhatJsonParseAccepts) {
  for (const std::string_view text :
       {"0", "-0.5e+10", "null", "\"\\ud800\"", "[]", " [ ] ", "{\"\":{}}", "\"\x7F\"",
        "\xEF\xBB\xBF{}", "\"\xFF\"", "1e999", "[true,false]"})
    EXPECT_TRUE(JsonText::parse(text).has_value()) << text;
}

TEST(JsonText, DepthIsLimited) {
  const std::string deep(512, '[');
  EXPECT_TRUE(JsonText::parse(deep + std::string(512, ']')).has_value());
  const auto deeper = JsonText::parse(deep + "[]" + std::string(512, ']'));
  ASSERT_FALSE(deeper.has_value());
  EXPECT_EQ(deeper.error().rule, "values are nested deeper than 512 levels");
  EXPECT_FALSE(JsonText::parse(std::string(1'000'000, '[')).has_value());
}

TEST(JsonText, SizeAndValuesAreLimited) {
  const auto large = JsonText::parse(std::string(kJsonSizeMaxBytes + 1, ' '));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().rule, "the file is larger than 64 MiB");
  std::string many = "[0";
  for (size_t i = 0; i < kJsonValuesMax; ++i) many += ",0";
  const auto too_many = JsonText::parse(many + "]");
  ASSERT_FALSE(too_many.has_value());
  EXPECT_EQ(too_many.error().rule, "the file holds more than a million values");
}

TEST(JsonText, LastDuplicateWinsAndTheOthersAreReported) {
  const JsonText document = parsed("{\"a\":1,\"\\u0061\":2,\"b\":{\"c\":1,\"c\":2}}");
  EXPECT_EQ(document.raw(document[document.find(JsonIndex::kRoot, "a")].value), "2");
  const auto hidden = document.hidden_members();
  ASSERT_EQ(hidden.size(), 2U);
  EXPECT_EQ(document[hidden[0]].key.begin, 1U);
  EXPECT_EQ(document.key(hidden[1]), "c");
}

TEST(JsonText, StringsAreDecoded) {
  const JsonText document = parsed(R"("\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00")");
  EXPECT_EQ(document.string_value(JsonIndex::kRoot), "\"\\/\b\f\n\r\t\xC3\xA4\xF0\x9F\x98\x80");
}

TEST(JsonText, CanonicalIgnoresSpellingAndOrderOnly) {
  const auto canonical = [](std::string_view text) {
    return parsed(text).canonical(JsonIndex::kRoot);
  };
  EXPECT_EQ(canonical("{\"a\":1.0,\"b\":[\"\\u0041\"]}"),
            canonical("{ \"b\" : [ \"A\" ], \"a\" : 1e0 }"));
  EXPECT_NE(canonical("[1,2]"), canonical("[2,1]"));
  EXPECT_NE(canonical("\"1\""), canonical("1"));
  EXPECT_NE(canonical("[\"a\",\"b\"]"), canonical("[\"a\\\",\\\"b\"]"));
  EXPECT_NE(canonical("\"\\ud800\""), canonical("\"\\ud801\""));
  EXPECT_NE(canonical("1e999"), canonical("2e999"));
  EXPECT_EQ(canonical("-0"), canonical("0"));
  EXPECT_EQ(canonical("-0.0e7"), canonical("0"));
  EXPECT_NE(canonical("{\"a\":null}"), canonical("{}"));
}

}  // namespace
}  // namespace stravinsky::model
