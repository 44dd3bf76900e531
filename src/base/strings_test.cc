#include "base/strings.h"

#include <gtest/gtest.h>

namespace stravinsky {
namespace {

TEST(Strings, HexBothWays) {
  EXPECT_EQ(to_hex(as_byte_span(std::string("\x00\xFF\x1a", 3))), "00ff1a");
  EXPECT_EQ(as_text(*from_hex("00ff1a")), std::string("\x00\xFF\x1a", 3));
  EXPECT_TRUE(from_hex("")->empty());
  for (const char* bad : {"0", "0g", "FF", " 0", "0x"}) EXPECT_FALSE(from_hex(bad)) << bad;
}

TEST(Strings, SplitKeepsEmptyParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a/b", '/'), (Parts{"a", "b"}));
  EXPECT_EQ(split("/a//", '/'), (Parts{"", "a", "", ""}));
  EXPECT_EQ(split("", '/'), Parts{""});
}

TEST(Strings, TimesAreUtc) {
  EXPECT_EQ(utc_seconds(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_seconds(1'767'886'462'999'999'999), "2026-01-08T15:34:22Z");
  EXPECT_EQ(utc_micros(1'767'886'462'123'456'789), "2026-01-08T15:34:22.123456Z");
  EXPECT_EQ(utc_micros(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Strings, Utf8IsJudgedStrictly) {
  for (const char* good : {"", "plain", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xB5",
                           "\xEF\xBB\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  EXPECT_TRUE(is_valid_utf8(std::string_view("a\0b", 3)));
  for (const char* bad : {"\xE9", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\x80", "\xE2\x82"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << escape(bad);
  }
}

TEST(Strings, EscapeIsHarmlessAndReversible) {
  EXPECT_EQ(escape("caf\xC3\xA9 \xE2\x82\xAC"), "caf\xC3\xA9 \xE2\x82\xAC");
  EXPECT_EQ(escape("\x1b[2J\n\x7F"), "\\x1b[2J\\x0a\\x7f");
  EXPECT_EQ(escape("\xC2\x9B"), "\\xc2\\x9b");  // CSI as one character
  EXPECT_EQ(escape("caf\xE9\\x"), "caf\\xe9\\\\x");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  all += "\\x41 \xC3\xA9 \xC2\x80";
  EXPECT_EQ(unescape(escape(all)), all);
}

TEST(Strings, UnescapeRefusesWhatEscapeNeverWrites) {
  for (const char* bad : {"\\", "\\x", "\\x1", "\\n", "\\xG0"}) EXPECT_FALSE(unescape(bad)) << bad;
}

TEST(Strings, NumbersForPeople) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(counted(0, "file"), "0 files");
  EXPECT_EQ(counted(1, "file"), "1 file");
  EXPECT_EQ(counted(1234, "file"), "1,234 files");
  EXPECT_EQ(human_size(812), "812 bytes");
  EXPECT_EQ(human_size(999), "999 bytes");
  EXPECT_EQ(human_size(45'000), "45 KB");
  EXPECT_EQ(human_size(1'200'000), "1.2 MB");
  EXPECT_EQ(human_size(999'600), "1.0 MB");
  EXPECT_EQ(human_size(12'000'000'000), "12 GB");
  EXPECT_EQ(human_duration(200'000), "0.2 ms");
  EXPECT_EQ(human_duration(12'300'000'000), "12.3 seconds");
}

TEST(Strings, ShellQuoteKeepsAWordAWord) {
  EXPECT_EQ(shell_quote("plain/word-1.py"), "plain/word-1.py");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote("$(rm)"), "'$(rm)'");
  EXPECT_EQ(shell_quote("~"), "'~'");
}

}  // namespace
}  // namespace stravinsky
