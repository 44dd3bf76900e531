#include "checks/front_matter.h"

#include <gtest/gtest.h>

namespace stravinsky::checks {
namespace {

TEST(FrontMatter, KeysOfTheBlockAreRead) {
  const FrontMatter read = read_front_matter(
      "---\nname: a\ndescription: |\n  two\n  lines\ntools: [Read, Grep]\nmodel:\nhooks:\n"
      "  Stop:\n    - x: 1\n---\nname: not this\n");
  ASSERT_TRUE(read.is_there);
  EXPECT_FALSE(read.fault) << read.fault->rule;
  EXPECT_EQ(read.fields.size(), 5U);
  EXPECT_EQ(read.find("name")->text, "a");
  EXPECT_EQ(read.find("name")->line, 2);
  EXPECT_EQ(read.find("description")->text, "two\nlines\n");
  EXPECT_EQ(read.find("tools")->kind, FieldKind::kList);
  EXPECT_EQ(read.find("hooks")->kind, FieldKind::kMap);
  EXPECT_FALSE(read.find("model")->says_something());
  EXPECT_EQ(read.find("absent"), nullptr);
}

TEST(FrontMatter, FilesWithoutABlockAreNoFault) {
  for (const char* text : {"", "# Title\n", "text\n---\nname: x\n---\n", "----\nname: x\n----\n",
                           " ---\nname: x\n---\n"}) {
    const FrontMatter read = read_front_matter(text);
    EXPECT_FALSE(read.is_there) << text;
    EXPECT_FALSE(read.fault) << text;
  }
  EXPECT_FALSE(read_front_matter("---\n---\n").fault);
  EXPECT_FALSE(read_front_matter("---\n# nothing\n---").fault);
}

TEST(FrontMatter, MarksAndLineEndsOfOtherSystemsAreRead) {
  const FrontMatter read = read_front_matter("\xEF\xBB\xBF---\r\nname: a\r\nx: 'y'\r\n---\r\nBody");
  ASSERT_TRUE(read.is_there);
  EXPECT_FALSE(read.fault);
  EXPECT_EQ(read.find("name")->text, "a");
  EXPECT_EQ(read.find("x")->text, "y");
}

TEST(FrontMatter, FaultsHaveALine) {
  const FrontMatter read = read_front_matter("---\nname: a\nx:\n  y: z: z\n---\n");
  ASSERT_TRUE(read.fault);
  EXPECT_EQ(read.fault->line, 4);
  EXPECT_GT(read.fault->column, 1);
  EXPECT_EQ(read.find("name")->text, "a");
  EXPECT_EQ(read_front_matter("---\nname: a\n").fault->line, 1);
  EXPECT_EQ(read_front_matter("---").fault->line, 1);
  EXPECT_TRUE(read_front_matter("---\n- a\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\nname: \"a\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\nname: [a\n---\n").strict_fault);
  EXPECT_TRUE(read_front_matter("---\n\tname: a\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\nname: \xff\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\nname: *nobody\n---\n").strict_fault);
}

TEST(FrontMatter, TextsThatNeedQuotesAreReadAsClaudeCodeDoes) {
  const FrontMatter read = read_front_matter(
      "---\nname: a\nargument-hint: [file] [line]\ndescription: it's for: this\ntools: [A]\n"
      "more: |\n  text: x: y\n---\n");
  EXPECT_FALSE(read.fault);
  ASSERT_TRUE(read.strict_fault);
  EXPECT_EQ(read.strict_fault->line, 3);
  EXPECT_EQ(read.find("argument-hint")->text, "[file] [line]");
  EXPECT_EQ(read.find("description")->text, "it's for: this");
  EXPECT_EQ(read.find("description")->line, 4);
  EXPECT_FALSE(read_front_matter("---\nname: a\n---\n").strict_fault);
}

TEST(FrontMatter, DuplicateKeysAreNamed) {
  const FrontMatter read = read_front_matter("---\nname: a\nmodel: x\nname: b\n---\n");
  EXPECT_FALSE(read.fault);
  EXPECT_EQ(read.duplicates, (std::map<std::string, int>{{"name", 4}}));
  EXPECT_EQ(read.find("name")->text, "b");
}

TEST(FrontMatter, HostileBlocksEndSoon) {
  std::string bomb = "---\na0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string n = std::to_string(i);
    const std::string before = std::to_string(i - 1);
    bomb += "a" + n + ": &a" + n + " [*a" + before + ", *a" + before + "]\n";
  }
  const FrontMatter read = read_front_matter(bomb + "name: a\n---\n");
  EXPECT_FALSE(read.fault) << "aliases stay names";
  EXPECT_EQ(read.find("name")->text, "a");

  const std::string many(60'000, '[');
  EXPECT_TRUE(read_front_matter("---\nx: " + many + "\n---\n").fault);
  std::string deep;
  for (int i = 0; i < 30'000; ++i) deep += "- ";
  EXPECT_TRUE(read_front_matter("---\nx:\n  " + deep + "\n---\n").fault);
  deep.clear();
  for (int i = 0; i < 20'000; ++i) deep += "? ";
  EXPECT_TRUE(read_front_matter("---\n" + deep + "\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\nx: " + std::string(50'000'000, 'y') + "\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\n" + std::string(60'000, '\0') + "\n---\n").is_there);
  EXPECT_TRUE(read_front_matter("---\n" + std::string(60'000, '"') + "\n---\n").fault);
  EXPECT_TRUE(read_front_matter("---\n" + std::string(60'000, '&') + "\n---\n").fields.empty());
}

}  // namespace
}  // namespace stravinsky::checks
