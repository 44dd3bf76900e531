#include "fs/rel_path.h"

#include <gtest/gtest.h>

#include "testing/outcome.h"

namespace stravinsky::fs {
namespace {

using testing::outcome;

TEST(RelPath, LegalNamesAreKeptByteForByte) {
  for (const std::string text : {"a", "a/b/c", "-rf", "new\nline", "caf\xE9", "...", "..a",
                                 ".claude", "a b/ c ", "\\", "\xFF"}) {
    const auto path = RelPath::parse(text);
    ASSERT_TRUE(path) << path.error().to_string();
    EXPECT_EQ(path->str(), text);
  }
}

TEST(RelPath, HostileTextsAreUsageErrors) {
  for (const std::string& text :
       {std::string(), std::string("/"), std::string("/etc/passwd"), std::string(".."),
        std::string("../x"), std::string("a/.."), std::string("a/../b"), std::string("."),
        std::string("a/./b"), std::string("a//b"), std::string("a/"), std::string("a\0b", 3),
        std::string("\0", 1)}) {
    EXPECT_EQ(outcome(RelPath::parse(text)), "usage") << text;
  }
}

TEST(RelPath, LengthLimitsAreExact) {
  EXPECT_TRUE(RelPath::parse(std::string(255, 'n')));
  EXPECT_FALSE(RelPath::parse(std::string(256, 'n')));
  EXPECT_FALSE(RelPath::parse("a/" + std::string(256, 'n') + "/b"));
  std::string longest;
  while (longest.size() < 4000) longest += "123/";
  longest.back() = 'x';
  EXPECT_TRUE(RelPath::parse(longest));
  EXPECT_FALSE(RelPath::parse(longest + "x"));
}

TEST(RelPath, ErrorNamesTheRuleAndAnEscapedPath) {
  const auto path = RelPath::parse("a\x1b/../b");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.error().to_string(), "a\\x1b/../b: the path has a '.' or '..' component");
}

TEST(RelPath, PartsOfAPath) {
  const RelPath path = RelPath::of("a/b/c");
  EXPECT_EQ(path.name(), "c");
  EXPECT_EQ(path.parent().str(), "a/b");
  EXPECT_EQ(path.parent().parent().str(), "a");
  EXPECT_FALSE(path.parent().parent().has_parent());
  EXPECT_EQ(path.components(), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(RelPath::of("alone").name(), "alone");
}

TEST(RelPath, JoinAndSibling) {
  EXPECT_EQ((RelPath::of("a") / RelPath::of("b/c")).str(), "a/b/c");
  EXPECT_EQ(RelPath::of("a/b").sibling("x").str(), "a/x");
  EXPECT_EQ(RelPath::of("b").sibling("x").str(), "x");
}

TEST(RelPath, StartsWithLooksAtWholeComponents) {
  const RelPath path = RelPath::of("hooks/x.py");
  EXPECT_TRUE(path.starts_with(RelPath::of("hooks")));
  EXPECT_TRUE(path.starts_with(path));
  EXPECT_FALSE(path.starts_with(RelPath::of("hook")));
  EXPECT_FALSE(path.starts_with(RelPath::of("hooks/x")));
  EXPECT_FALSE(path.starts_with(RelPath::of("hooks/x.py/z")));
}

TEST(RelPathDeathTest, BrokenInvariantsCrash) {
  EXPECT_DEATH((void)RelPath::of("../x"), "internal error");
  EXPECT_DEATH((void)RelPath::of("a").parent(), "internal error");
}

}  // namespace
}  // namespace stravinsky::fs
