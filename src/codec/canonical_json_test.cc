#include "codec/canonical_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stravinsky::codec {
namespace {

std::string canonical(std::string_view text) {
  auto value = parse_strict_json(text);
  return value ? canonical_json(*value) : value.error().message;
}

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  auto value = parse_strict_json(text, limits);
  return value ? "parsed" : value.error().message;
}

// RFC 8785, 3.2.3: U+1F600 is above U+FB33 but its surrogates sort before it.
TEST(CanonicalJson, OrdersMembersByUtf16CodeUnits) {
  EXPECT_EQ(canonical(R"({"\u20ac":"Euro Sign","\r":"Carriage Return",)"
                      R"("\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",)"
                      R"("\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",)"
                      R"("\u00f6":"Latin Small Letter O With Diaeresis"})"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\","
            "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
            "\"\U0001F600\":\"Emoji: Grinning Face\","
            "\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(CanonicalJson, AShorterNameComesBeforeALongerOne) {
  EXPECT_EQ(canonical(R"({"ab":1,"a":2,"":3})"), R"({"":3,"a":2,"ab":1})");
}

// RFC 8785, 3.2.2: the string of its example, the literals and arrays.
TEST(CanonicalJson, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(canonical(R"({"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",)"
                      R"("literals":[null, true, false]})"),
            "{\"literals\":[null,true,false],"
            "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  EXPECT_EQ(canonical(R"("\b\t\n\f\r\u001f\u007f")"), "\"\\b\\t\\n\\f\\r\\u001f\x7f\"");
}

TEST(CanonicalJson, EmptyAndNestedContainers) {
  EXPECT_EQ(canonical(" { \"b\" : [ ] , \"a\" : { } } "), R"({"a":{},"b":[]})");
  EXPECT_EQ(canonical("[[],[{}],[[1,2],3]]"), "[[],[{}],[[1,2],3]]");
}

TEST(CanonicalJson, IntegersUpToTwoToThe53) {
  EXPECT_EQ(canonical("[9007199254740991,-9007199254740991,0,-0]"),
            "[9007199254740991,-9007199254740991,0,0]");
  EXPECT_FALSE(has_canonical_form(nlohmann::json(9007199254740992)));
  EXPECT_FALSE(has_canonical_form(nlohmann::json(-9007199254740992)));
  EXPECT_FALSE(has_canonical_form(nlohmann::json(UINT64_MAX)));
}

TEST(CanonicalJson, RefusesFractionsBadTextAndDepth) {
  EXPECT_FALSE(has_canonical_form(nlohmann::json(1.0)));
  EXPECT_FALSE(has_canonical_form({{"a", {1, 2, 0.5}}}));
  EXPECT_FALSE(has_canonical_form(nlohmann::json("\xFF")));
  EXPECT_FALSE(has_canonical_form({{"\xC3", 1}}));
  nlohmann::json deep = 1;
  for (size_t i = 0; i < kJsonDepthMax; ++i) deep = nlohmann::json::array({deep});
  EXPECT_TRUE(has_canonical_form(deep));
  EXPECT_FALSE(has_canonical_form(nlohmann::json::array({deep})));
  EXPECT_DEATH(canonical_json(nlohmann::json(0.5)), "has_canonical_form");
}

TEST(StrictJson, CanonicalBytesParseToTheSameValue) {
  const nlohmann::json value = {{"b", {1, "x\n\u20ac", nullptr, true}}, {"a", {{"c", -5}}}};
  const auto parsed = parse_strict_json(canonical_json(value));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, value);
}

TEST(StrictJson, ReadsFractionsToo) {
  const auto parsed = parse_strict_json(" [1.5, 1e3, 18446744073709551615] ");
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)[0], 1.5);
  EXPECT_TRUE((*parsed)[1].is_number_float());
  EXPECT_EQ((*parsed)[2], UINT64_MAX);
}

TEST(StrictJson, RefusesDuplicateNames) {
  EXPECT_EQ(refusal("{\"a\": 1,\n \"b\": {\"x\": 1}, \"a\": 2}"),
            "line 2, column 19: a name stands twice in one object");
  EXPECT_EQ(refusal(R"([{"k":{"x":1,"\u0078":2}}])"),
            "line 1, column 21: a name stands twice in one object");
  EXPECT_EQ(refusal(R"([{"a":1},{"a":1}])"), "parsed");
}

TEST(StrictJson, NamesThePlace) {
  EXPECT_EQ(refusal(""),
            "line 1, column 1: unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(refusal("{\n  \"a\": 1\n  \"b\": 2\n}"),
            "line 3, column 5: unexpected string literal; expected '}'");
  EXPECT_EQ(refusal("[\"\u00e9\u00e9\", x]"), "line 1, column 8: invalid literal");
  EXPECT_EQ(refusal("[1,\n"),
            "line 2, column 1: unexpected end of input; expected '[', '{', or a literal");
}

TEST(StrictJson, NeverQuotesAValue) {
  EXPECT_EQ(refusal("{\"token\": \"hunter2 - ; expected hunter2"),
            "line 1, column 39: invalid string: missing closing quote");
  EXPECT_EQ(refusal("[hunter2]").find("hunter2"), std::string::npos);
  EXPECT_EQ(refusal("[1e4711]"), "line 1, column 8: a number is too large");
}

TEST(StrictJson, RefusesBytesAfterTheValue) {
  EXPECT_EQ(refusal("{} {}"), "line 1, column 4: unexpected '{'; expected end of input");
  EXPECT_EQ(refusal(std::string("{}\0", 3)), "line 1, column 3: a NUL byte");
  EXPECT_EQ(refusal("{}\n \t\r\n"), "parsed");
}

TEST(StrictJson, RefusesWhatIsNotUtf8) {
  for (const char* text :
       {"\"\xFF\"", "\"\xC3\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\xEF\xBB\xBF{}", "\xFE\xFF{}"}) {
    EXPECT_NE(refusal(text), "parsed") << text;
  }
}

TEST(StrictJson, RefusesWhatRfc8259Refuses) {
  for (const char* text : {"{'a':1}", "[1,]", "{\"a\":1,}", "[01]", "[+1]", "[.5]", "[1.]", "[0x1]",
                           "[NaN]", "[Infinity]", "// c\n{}", "{a:1}", "[\"\t\"]", "nul", "[1 2]",
                           "{\"a\"}", "]", "[\"\\x\"]"}) {
    EXPECT_NE(refusal(text), "parsed") << text;
  }
}

TEST(StrictJson, Limits) {
  EXPECT_EQ(refusal("[[1]]", {.depth_max = 2}), "parsed");
  EXPECT_EQ(refusal("[[1,{}]]", {.depth_max = 2}), "line 1, column 5: nested too deeply");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), "line 1, column 65: nested too deeply");
  EXPECT_EQ(refusal("[1]", {.size_max_bytes = 2}), "line 1, column 1: the text is too large");
}

TEST(StrictJson, EveryCutIsRefused) {
  const std::string text = R"({"a":[1,{"b":"c\u0041"}],"d":true})";
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_NE(refusal(text.substr(0, size)), "parsed") << size;
}

}  // namespace
}  // namespace stravinsky::codec
