// Scenario 23: names and contents at the edge, backed up, updated over and brought back.
#include <gmock/gmock.h>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

Files strange_files() {
  Files files{
      {"commands/with space.md", "space\n"},
      {"commands/with\nnewline.md", "newline\n"},
      {"commands/-rf", "dash\n"},
      {"commands/--help.md", "dashes\n"},
      {"commands/\x80\xff not utf-8.md", "bytes\n"},
      {"commands/\xc3\xa9t\xc3\xa9.md", "accents\n"},
      {"commands/Case.md", "upper\n"},
      {"commands/case.md", "lower\n"},
      {"commands/" + std::string(252, 'n') + ".md", "long\n"},
      {"commands/'quoted' \"twice\" $HOME `id` \\.md", "quotes\n"},
      {"commands/\x1b[31mred.md", "escape\n"},
      {"commands/empty.md", ""},
      {"commands/crlf.md", "one\r\ntwo\r\n"},
      {"commands/bom.md", "\xef\xbb\xbf# Title\n"},
      {"commands/no newline.md", "the end"},
      {"commands/nul.md", std::string("a\0b\0", 4)},
      {"skills/...dots.../SKILL.md", "dots\n"},
  };
  files[8].first.resize(std::string("commands/").size() + 255);
  std::string big;
  uint32_t seed = 7;
  while (big.size() < (2U << 20U)) {
    seed = seed * 1664525U + 1013904223U;
    big += static_cast<char>(seed >> 24U);
  }
  files.emplace_back("skills/big/data.bin", std::move(big));
  return files;
}

TEST(Scenario, 23_StrangeNamesSurviveBackupUpdateAndRollback) {
  const Home home;
  home.files(".claude", package(1));
  home.files(".claude", strange_files());
  home.dir(".claude/skills/empty directory", 0700);
  const Tree before = home.tree();
  home.expect(0, {"backup", "create", "--label", "strange"});
  home.expect(0, {"backup", "verify", "strange"});
  home.install(2);
  for (const auto& [path, bytes] : strange_files()) {
    EXPECT_EQ(home.text(".claude/" + path) == bytes, true) << path;
    home.file(".claude/" + path, "overwritten\n");
  }
  home.erase(".claude/skills");
  const Ended back = home.expect(0, {"rollback", "to", "strange"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_EQ(back.out.find('\x1b'), std::string::npos) << "a name writes to the terminal";
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.text(".claude/commands/-rf"), "overwritten\n");
  home.expect(0, {"audit", "verify"});
}

TEST(Scenario, 23_StrangeNamesInABundle) {
  const Home home;
  Files files = strange_files();
  // Refused in a bundle: a name that is equal to another but for case, which is one file
  // on some systems, and one that a terminal could act on.
  std::erase_if(files, [](const auto& one) {
    return one.first == "commands/Case.md" ||
           one.first.find_first_of("\n\x1b") != std::string::npos;
  });
  home.make_bundle("strange", files);
  home.expect(0, {"update", "1.0.0", "--from", home.bundle("strange")});
  for (const auto& [path, bytes] : files)
    EXPECT_EQ(home.text(".claude/" + path) == bytes, true) << path;
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), {}));

  home.make_bundle("cases", strange_files());
  EXPECT_NE(home.run({"update", "1.0.0", "--from", home.bundle("cases")}).exit, 0);
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(Scenario, 23_OneStrangeFileComesBackAlone) {
  const Home home;
  home.files(".claude", strange_files());
  home.expect(0, {"backup", "create"});
  for (const char* name : {"with space.md", "with\nnewline.md", "-rf", "\x80\xff not utf-8.md"}) {
    const std::string path = ".claude/commands/" + std::string(name);
    const std::string good = home.text(path);
    home.file(path, "broken\n");
    home.expect(0, {"recovery", "file", home.at(path)});
    EXPECT_EQ(home.text(path), good) << name;
  }
}

}  // namespace
}  // namespace stravinsky::e2e
