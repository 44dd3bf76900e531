// Settings: merged without moving a byte, written through links, never printed.
#include <gmock/gmock.h>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMine =
    "{\r\n\t\"model\" : \"opus\",\r\n\t\"unknownKey\": [1,2,  3],\r\n"
    "\t\"env\": {\"A\": \"caf\u00e9\"},\r\n\t\"hooks\": {}\r\n}";

TEST(Settings, MergeAddsAndMovesNoByteOfTheUsers) {
  const Home home;
  home.file(".claude/settings.json", kMine, 0600);
  home.install(1);
  const std::string merged = home.text(".claude/settings.json");
  EXPECT_THAT(merged, HasSubstr("hooks/guard.sh"));
  EXPECT_EQ(home.mode_of(".claude/settings.json"), 0600U);
  // Every byte of the user's is there, in order.
  size_t at = 0;
  for (const char byte : std::string(kMine)) {
    at = merged.find(byte, at);
    ASSERT_NE(at, std::string::npos) << merged;
    ++at;
  }
  EXPECT_THAT(merged, HasSubstr("\t\"unknownKey\": [1,2,  3],\r\n"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.text(".claude/settings.json"), kMine);
}

TEST(Settings, ALinkIsWrittenThroughAndStaysALink) {
  const Home home;
  home.file("dotfiles/settings.json", kMine);
  home.link(".claude/settings.json", "../dotfiles/settings.json");
  home.install(1);
  EXPECT_EQ(home.link_text(".claude/settings.json"), "../dotfiles/settings.json");
  EXPECT_FALSE(home.is_link("dotfiles/settings.json"));
  EXPECT_THAT(home.text("dotfiles/settings.json"), HasSubstr("hooks/guard.sh"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_EQ(home.link_text(".claude/settings.json"), "../dotfiles/settings.json");
  EXPECT_EQ(home.text("dotfiles/settings.json"), kMine);
  EXPECT_EQ(home.names("dotfiles"), std::vector<std::string>{"settings.json"});
}

TEST(Settings, ChainsOfLinksAndLinkedDirectoriesToo) {
  const Home home;
  home.file("dotfiles/real/settings.json", "{}\n");
  home.link("dotfiles/settings.json", "real/settings.json");
  home.link(".claude/settings.json", home.at("dotfiles/settings.json"));
  home.dir("dotfiles/hooks");
  home.link("middle", "dotfiles/hooks");
  home.link(".claude/hooks", "../middle");
  const Tree before = home.tree("dotfiles");
  home.install(1);
  EXPECT_EQ(home.link_text(".claude/settings.json"), home.at("dotfiles/settings.json"));
  EXPECT_EQ(home.link_text("dotfiles/settings.json"), "real/settings.json");
  EXPECT_EQ(home.link_text(".claude/hooks"), "../middle");
  EXPECT_EQ(home.link_text("middle"), "dotfiles/hooks");
  EXPECT_EQ(home.text("dotfiles/hooks/log.sh"), package(1)[1].second);
  EXPECT_THAT(home.text("dotfiles/real/settings.json"), HasSubstr("hooks/guard.sh"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree("dotfiles"), before));
}

TEST(Settings, ALinkOutsideTheHomeNeedsConsent) {
  const Home home;
  const Scratch outside;
  outside.file("settings.json", "{}\n");
  home.link(".claude/settings.json", outside.at("settings.json"));
  const Ended refused = home.run({"update", "1.0.0", "--from", home.bundle("1")});
  EXPECT_NE(refused.exit, 0);
  EXPECT_EQ(outside.text("settings.json"), "{}\n");
  EXPECT_EQ(home.link_text(".claude/settings.json"), outside.at("settings.json"));
  EXPECT_THAT(refused.err, HasSubstr("settings.json"));
}

TEST(Settings, NoValueIsEverTold) {
  const Home home;
  constexpr const char* kSecret = "hunter2-secret";
  constexpr const char* kOther = "hunter3-secret";
  const std::string with_secret =
      "{\"env\": {\"TOKEN\": \"" + std::string(kSecret) + "\"}, \"apiKeyHelper\": \"" + kSecret +
      "\", \"permissions\": {\"allow\": [\"Bash(curl -H " + kSecret + ")\"]}}\n";
  home.file(".claude/settings.json", with_secret, 0600);
  Files files = package(1);
  files.back().second = "{\"env\": {\"TOKEN\": \"" + std::string(kOther) + "\", \"NEW\": \"" +
                        kOther + "\"}, \"permissions\": {\"allow\": [\"" + kOther + "\"]}}\n";
  home.make_bundle("secret", files);
  std::string said;
  const auto run = [&](const std::vector<std::string>& args) {
    const Ended done = home.run(args);
    said += done.out + done.err;
  };
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{}, std::vector<std::string>{"--json"}}) {
    const auto with = [&](std::vector<std::string> args) {
      args.insert(args.end(), how.begin(), how.end());
      run(args);
    };
    with({"update", "1.0.0", "--from", home.bundle("secret"), "--dry-run"});
    with({"update", "1.0.0", "--from", home.bundle("secret")});
    with({"status"});
    with({"backup", "create"});
    with({"backup", "list"});
    with({"backup", "show", "v1.0.0"});
    with({"rollback", "list"});
    with({"audit", "log"});
    with({"recovery", "file", "~/.claude/settings.json"});
    with({"rollback", "undo"});
    with({"rollback", "undo"});
    with({"rollback", "redo"});
  }
  // Settings that do not parse, the secret right at the fault.
  home.file(".claude/settings.json", "{\"env\": {\"TOKEN\": \"" + std::string(kSecret) + "\"\n]");
  run({"update", "2.0.0", "--from", home.bundle("2")});
  home.file(".claude/settings.json", with_secret, 0600);
  // A shape that warns: the value is of a wrong type.
  home.file(".claude/settings.json", "{\"model\": {\"x\": \"" + std::string(kSecret) +
                                         "\"}, \"hooks\": [\"" + kSecret + "\"], \"env\": [\"" +
                                         kSecret + "\"]}\n");
  run({"update", "2.0.0", "--from", home.bundle("2")});
  run({"rollback", "undo"});
  EXPECT_THAT(said, Not(HasSubstr(kSecret)));
  EXPECT_THAT(said, Not(HasSubstr(kOther)));

  for (const auto& [path, what] : home.store_tree()) {
    // The byte-exact copies are what a backup is for.
    if (path.ends_with("settings.json") || path.ends_with(".tar.gz") ||
        path.find("/before") != std::string::npos || path.starts_with("recovery/conflicts/"))
      continue;
    EXPECT_EQ(what.find(kSecret), std::string::npos) << path;
    EXPECT_EQ(what.find(kOther), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace stravinsky::e2e
