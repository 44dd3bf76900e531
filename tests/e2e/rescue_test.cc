// The way back without the program: recovery/rescue.sh under the shells that people have.
#include "rescue.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace stravinsky::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string shell_name(const ::testing::TestParamInfo<const char*>& one) {
  return one.param;
}
INSTANTIATE_TEST_SUITE_P(RescueIn, Rescue, ::testing::Values("dash", "busybox", "bash"),
                         shell_name);

size_t lines_with(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

// The lines of the sh blocks in the section of a document.
std::string shell_lines(const std::string& document, const std::string& heading) {
  std::ifstream in(std::string(STRAVINSKY_SOURCE) + "/" + document);
  std::string lines;
  bool in_section = false;
  bool in_block = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) in_section = line == "## " + heading;
    if (line == "```") in_block = false;
    if (in_section && in_block) lines += line + "\n";
    if (line == "```sh") in_block = true;
  }
  return lines;
}

TEST_P(Rescue, EveryLineOfItsHelpRuns) {
  break_tree();
  const std::string help = expect(0, {}).out;
  const std::vector<std::string> commands = commands_in(help);
  ASSERT_EQ(commands.size(), 7U) << help;
  for (std::string command : commands) {
    command = replaced(command, "DIR", home_.at("project"));
    const std::vector<std::string> times = home_.names(home_.store("recovery/aside"));
    if (!times.empty()) command = replaced(command, "TIME", times.back());
    const Ended done = paste(command);
    EXPECT_EQ(done.exit, 0) << command << done.err;
  }
  expect_no_litter();
}

TEST_P(Rescue, EveryShellLineOfTheDocumentRuns) {
  const Tree before = trees();
  back_up("v0.3.8");
  break_tree();
  home_.erase("project/.claude/hooks");
  expect(0, {"file", "one", "hooks/guard.sh"});
  const std::string time = home_.names(home_.store("recovery/aside")).front();
  const std::string lines = shell_lines("docs/formats.md", "recovery/rescue.sh");
  EXPECT_GT(lines_with(lines, "\n"), 8U);
  const Ended done = paste(replaced(lines, "20260108T153422Z", time));
  EXPECT_EQ(done.exit, 0) << done.out << done.err;
  // The last of them put everything back by hand, over what disarm had moved.
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard"));
  EXPECT_EQ(home_.text(".claude/settings.json"), before.at("dotfiles/settings.json").substr(10));
  EXPECT_EQ(home_.text("project/.claude/hooks/p.sh"), "p");
}

TEST_P(Rescue, ListsTheNewestFirst) {
  back_up("two");
  const std::string list = expect(0, {"list"}).out;
  EXPECT_EQ(lines_with(list, "\n"), 3U) << list;
  EXPECT_LT(list.find("\ntwo "), list.find("\none "));
  EXPECT_THAT(list, HasSubstr("unknown      manual"));
  home_.file(in_backup("manifest.json"), "{}", 0600);
  EXPECT_THAT(expect(0, {"list"}).out, HasSubstr("one                              ?"));
}

TEST_P(Rescue, VerifiesEveryFileOfABackup) {
  const std::string good = expect(0, {"verify", "one"}).out;
  EXPECT_EQ(lines_with(good, "ok   "), home_.names(in_backup("")).size()) << good;

  flip_a_byte(in_backup("hooks.tar.gz"));
  home_.erase(in_backup("project_settings.json"));
  const Ended bad = expect(7, {"verify", "one"});
  EXPECT_EQ(lines_with(bad.out, "BAD"), 2U) << bad.out;
  EXPECT_THAT(bad.out, HasSubstr("BAD  hooks.tar.gz is not what was written"));
  EXPECT_THAT(bad.out, HasSubstr("BAD  project_settings.json is missing"));
  EXPECT_THAT(bad.err, HasSubstr("damaged"));

  flip_a_byte(in_backup("manifest.json"));
  EXPECT_THAT(expect(7, {"verify", "one"}).err, HasSubstr("manifest"));
}

TEST_P(Rescue, PutsEverythingBackByteForByteAndKeepsTheRest) {
  Tree expected = trees();
  break_tree();
  const auto started = std::filesystem::last_write_time(home_.at(".claude/hooks/mine.sh"));
  const Ended done = expect(0, {"restore", "one"});
  expected[".claude/hooks/mine.sh"] = "file 0644 not in the backup";
  EXPECT_TRUE(same_tree(trees(), expected)) << done.out;
  EXPECT_TRUE(home_.is_link(".claude/settings.json"));
  EXPECT_TRUE(home_.is_link(".claude/skills"));
  EXPECT_GE(std::filesystem::last_write_time(home_.at(".claude/hooks/guard.sh")), started)
      << "a package that copies what is newer would overwrite it";
  // Settings last, and nothing is said of what was as it should be.
  EXPECT_LT(done.out.rfind("/.claude/hooks/"), done.out.find("/.claude/settings.json"));
  EXPECT_LT(done.out.rfind("/.claude/skills/"), done.out.find("/.claude/settings.json"));
  EXPECT_THAT(done.out, Not(HasSubstr("large.bin")));
  expect_no_litter();
  EXPECT_THAT(expect(0, {"restore", "one"}).out, HasSubstr("Nothing was changed"));
  home_.expect(0, {"backup", "verify", "--all"});
  home_.expect(0, {"audit", "verify"});
}

TEST_P(Rescue, TheLineItPrintsTakesItBackAndThatToo) {
  const Tree good = trees();
  break_tree();
  const Tree broken = trees();
  const Ended there = expect(0, {"restore", "one"});
  const Ended back = paste(way_back(there));
  EXPECT_EQ(back.exit, 0) << back.err;
  EXPECT_TRUE(same_tree(trees(), broken)) << back.out;
  const Ended again = paste(way_back(back));
  EXPECT_EQ(again.exit, 0) << again.err;
  Tree expected = good;
  expected[".claude/hooks/mine.sh"] = "file 0644 not in the backup";
  EXPECT_TRUE(same_tree(trees(), expected)) << again.out;
  expect_no_litter();
}

TEST_P(Rescue, PutsBackATreeThatIsGone) {
  Tree expected = trees();
  home_.erase(".claude");
  const Ended done = expect(0, {"restore", "one"});
  // What was reached by a link of the user is a file of the tree now.
  expected[".claude/settings.json"] = expected["dotfiles/settings.json"];
  expected[".claude/skills"] = "dir 0755";
  expected[".claude/skills/x"] = "dir 0755";
  expected[".claude/skills/x/SKILL.md"] = "file 0644 k";
  EXPECT_TRUE(same_tree(trees(), expected)) << done.out;
  EXPECT_EQ(paste(way_back(done)).exit, 0);
  EXPECT_EQ(home_.tree(), Tree());
}

TEST_P(Rescue, WorksForAUserWhoIsNotRootAndInReadOnlyFolders) {
  if (geteuid() != 0) GTEST_SKIP() << "all the other tests show it";
  const bool unpacks_read_only_folders = std::string_view(GetParam()) != "busybox";
  constexpr uint32_t kSomebody = 12345;
  const RunOptions as_user{.user_id = kSomebody};
  home_.file(".claude/hooks/sealed/deep/x.md", "x", 0400);
  if (unpacks_read_only_folders) {
    home_.mode(".claude/hooks/sealed/deep", 0500);
    home_.mode(".claude/hooks/sealed", 0555);
  }
  back_up("two");
  const Tree sealed = home_.tree(".claude/hooks");
  home_.erase(".claude/hooks");
  ASSERT_EQ(home_.run_program({"chown", "-R", std::to_string(kSomebody), home_.home()}).exit, 0);
  const Ended there = expect(0, {"restore", "two"}, as_user);
  EXPECT_TRUE(same_tree(home_.tree(".claude/hooks"), sealed)) << there.err;
  const Ended back = paste(way_back(there), as_user);
  EXPECT_EQ(back.exit, 0) << back.err;
  EXPECT_FALSE(home_.exists(".claude/hooks"));
  const Ended again = paste(way_back(back), as_user);
  EXPECT_EQ(again.exit, 0) << again.err;
  EXPECT_TRUE(same_tree(home_.tree(".claude/hooks"), sealed)) << again.out;
  expect_no_litter();

  home_.mode(".claude/hooks", 0500);
  home_.file(".claude/hooks/guard.sh", "changed");
  EXPECT_THAT(expect(9, {"restore", "two"}, as_user).err, HasSubstr("you may not write in"));
}

TEST_P(Rescue, HonoursTheConfigurationDirectory) {
  const Tree expected = home_.tree(".claude/hooks");
  expect(0, {"restore", "one"}, {.env = {{"CLAUDE_CONFIG_DIR", home_.at("elsewhere/claude")}}});
  EXPECT_TRUE(same_tree(home_.tree("elsewhere/claude/hooks"), expected));
  EXPECT_THAT(expect(2, {"restore", "one"}, {.env = {{"CLAUDE_CONFIG_DIR", "claude"}}}).err,
              HasSubstr("absolute"));
}

TEST_P(Rescue, PutsTheProjectsPartIntoItsProjectAlone) {
  const Tree before = trees();
  home_.erase("project/.claude");
  home_.file(".claude/hooks/guard.sh", "not of the project");
  expect(0, {"restore", "one", "--project", home_.at("project")});
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), "not of the project");
  home_.file(".claude/hooks/guard.sh", hook("guard"), 0755);
  EXPECT_TRUE(same_tree(trees(), before));

  home_.dir("other");
  EXPECT_THAT(expect(1, {"restore", "one", "--project", home_.at("other")}).err,
              HasSubstr("of another project"));
  EXPECT_EQ(home_.names("other"), std::vector<std::string>());
  expect(0, {"restore", "one", "--project", home_.at("other"), "--force"});
  EXPECT_TRUE(same_tree(home_.tree("other"), home_.tree("project")));
}

TEST_P(Rescue, PutsBackOneFileOrFolder) {
  const Tree before = trees();
  for (const std::string path :
       {"hooks/new\nline.md", "~/.claude/hooks/with space.md", "hooks/-dash.md", "hooks/lib",
        ".claude/statusline.sh", "skills/x/SKILL.md", "settings.local.json"}) {
    break_tree();
    home_.erase(".claude/settings.local.json");
    const Ended done = expect(0, {"file", "one", path});
    EXPECT_EQ(lines_with(done.out, "added") + lines_with(done.out, "replaced"), 1U) << done.out;
    const size_t tree = path.find(".claude/");
    const std::string name =
        ".claude/" + (tree == std::string::npos ? path : path.substr(tree + 8));
    EXPECT_TRUE(home_.exists(name)) << name;
    EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), "if\n");
  }
  expect(0, {"file", "one", home_.at(".claude/settings.json")});
  EXPECT_EQ(home_.tree("dotfiles")["settings.json"], before.at("dotfiles/settings.json"));
  EXPECT_TRUE(home_.is_link(".claude/settings.json"));
  home_.erase("project/.claude/hooks/p.sh");
  expect(0, {"file", "one", ".claude/hooks/p.sh", "--project", home_.at("project")});
  EXPECT_EQ(home_.text("project/.claude/hooks/p.sh"), "p");

  EXPECT_THAT(expect(5, {"file", "one", "hooks/absent.sh"}).err, HasSubstr("does not hold"));
  for (const char* bad : {"../x", "hooks/../../x", "/etc/passwd", "hooks//x", "."})
    expect(2, {"file", "one", bad});
  expect(5, {"file", "one", "--", "-x"});
  expect_no_litter();
}

TEST_P(Rescue, SwitchesHooksOffAndThePrintedLinesSwitchThemOn) {
  const Tree before = trees();
  const Ended done = expect(0, {"disarm", "--project", home_.at("project")});
  for (const char* name :
       {".claude/settings.json", ".claude/settings.local.json", "project/.claude/settings.json"})
    EXPECT_FALSE(home_.exists(name)) << name;
  EXPECT_EQ(trees().size(), before.size()) << "nothing is deleted";
  const std::vector<std::string> lines = commands_in(done.out);
  ASSERT_EQ(lines.size(), 3U) << done.out;
  EXPECT_EQ(paste(lines[0] + "\n" + lines[1] + "\n" + lines[2]).exit, 0);
  EXPECT_TRUE(same_tree(trees(), before));
  // It needs nothing but itself.
  home_.copy(home_.store("recovery/rescue.sh"), "rescue.sh");
  home_.erase(home_.store());
  EXPECT_EQ(paste("sh rescue.sh disarm").exit, 0);
  EXPECT_FALSE(home_.exists(".claude/settings.json"));
}

TEST_P(Rescue, WorksInACopyOfTheStoreElsewhere) {
  const Tree before = home_.tree(".claude/hooks");
  home_.copy(home_.store(), "usb stick's/store");
  home_.erase(home_.store());
  home_.erase(".claude/hooks");
  const std::string copy = home_.at("usb stick's/store/recovery/rescue.sh");
  const Ended done = paste("sh \"" + copy + "\" restore one");
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_TRUE(same_tree(home_.tree(".claude/hooks"), before));
  const Ended back = paste(way_back(done));
  EXPECT_EQ(back.exit, 0) << back.err;
  EXPECT_FALSE(home_.exists(".claude/hooks/guard.sh"));
  // The script alone, beside no store.
  home_.file("rescue.sh", home_.text(copy));
  EXPECT_EQ(paste("sh rescue.sh list").exit, 5);
  EXPECT_EQ(paste("sh rescue.sh list --store \"usb stick's/store\"").exit, 0);
}

TEST(RescueFile, IsMadeByTheFirstBackupAndAgainWhenItWasTouched) {
  const Home home;
  home.install(1);
  const std::string script = home.store("recovery/rescue.sh");
  const std::string text = home.text(script);
  EXPECT_EQ(home.tree(Home::kStore)["recovery/rescue.sh"].substr(0, 20), "file 0700 #!/bin/sh\n");
  const auto written = std::filesystem::last_write_time(script);
  home.install(2);
  EXPECT_EQ(std::filesystem::last_write_time(script), written) << "it was as it should be";
  home.file(script, "exit 0\n", 0644);
  home.expect(0, {"backup", "create"});
  EXPECT_EQ(home.text(script), text);
  EXPECT_EQ(home.mode_of(script), 0700U);
  home.erase(script);
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.text(script), text);
}

}  // namespace
}  // namespace stravinsky::e2e
