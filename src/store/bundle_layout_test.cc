#include "store/bundle_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "store/bundle.h"
#include "store/bundle_names.h"
#include "store/bundle_pack.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using ::testing::HasSubstr;
using testing::outcome;

// Returns itself from file(), hence public.
class LayoutTest : public ::testing::Test {
 public:
  LayoutTest& file(const std::string& path, const std::string& text = "x") {
    disk_.write_file("/in/b/" + path, text, path.ends_with(".sh") ? 0755 : 0644);
    return *this;
  }
  Result<Bundle> open(std::optional<std::string> subdir = std::nullopt) {
    return Bundle::open(disk_, "/in/b", {.subdir = std::move(subdir), .sources = Sources::kKeep});
  }
  // The file in the root, or the error.
  std::string found(std::optional<std::string> subdir = std::nullopt) {
    const auto bundle = open(std::move(subdir));
    if (!bundle) return bundle.error().to_string() + " " + bundle.error().remedy;
    std::string all = bundle->layout().display() + ":";
    for (const BundleFile& one : bundle->files()) all += " " + one.path.str();
    return all;
  }
  std::string content(const Bundle& bundle, const std::string& path) {
    for (size_t i = 0; i < bundle.files().size(); ++i)
      if (bundle.files()[i].path.str() == path) return bundle.content(i);
    return "<absent>";
  }
  testing::MemFs disk_;
};

TEST_F(LayoutTest, OneTreeBelowTheTopIsFound) {
  file("a/b/c/d/.claude/hooks/x").file("README.md");
  EXPECT_EQ(found(), "a/b/c/d/.claude: hooks/x");
}

TEST_F(LayoutTest, DeeperThanTheSearchNothingIsFound) {
  file("a/b/c/d/e/.claude/hooks/x").file("README.md");
  EXPECT_THAT(found(), HasSubstr("there is no hooks, commands, agents or skills folder"));
  EXPECT_EQ(found("a/b/c/d/e"), "a/b/c/d/e/.claude: hooks/x");
}

TEST_F(LayoutTest, SeveralTreesAreListedAndChosenFrom) {
  file("templates/one/.claude/hooks/x").file("templates/two/.claude/hooks/y").file("package.json");
  EXPECT_THAT(found(), HasSubstr("it holds 2 trees: templates/one/.claude (.claude folder), "
                                 "templates/two/.claude (.claude folder)"));
  EXPECT_THAT(found(), HasSubstr("--subdir templates/one/.claude"));
  EXPECT_EQ(found("templates/two"), "templates/two/.claude: hooks/y");
  EXPECT_EQ(found("./templates/two/.claude/"), "templates/two/.claude: hooks/y");
  EXPECT_THAT(found("templates"), HasSubstr("there is no tree in this directory"));
  EXPECT_THAT(found("../x"), HasSubstr("--subdir is no directory of a bundle"));
}

TEST_F(LayoutTest, ATreeAtTheTopComesBeforeThoseBelow) {
  file(".claude/hooks/x").file("examples/demo/.claude/hooks/y");
  EXPECT_EQ(found(), ".claude: hooks/x");
}

TEST_F(LayoutTest, FoldersAtTheTopMayBeSomebodysSources) {
  file("hooks/useThing.ts").file("templates/.claude/hooks/x").file("package.json");
  EXPECT_THAT(found(), HasSubstr("it holds 2 trees: . (folders), templates/.claude"));
  EXPECT_EQ(found("templates"), "templates/.claude: hooks/x");
}

TEST_F(LayoutTest, FoldersBelowTheTopAreOnlySuggested) {
  file("templates/one/commands/x.md").file("package.json");
  EXPECT_THAT(found(), HasSubstr("it holds what may be a tree: templates/one (folders)"));
  EXPECT_THAT(found(), HasSubstr("--subdir templates/one"));
  file("templates/two/commands/y.md");
  EXPECT_THAT(found(), HasSubstr("it holds 2 trees: templates/one (folders), templates/two"));
  EXPECT_EQ(found("templates/two"), "templates/two: commands/y.md");
}

TEST_F(LayoutTest, OtherPeoplesFilesAreNotSearched) {
  file("hooks/x").file("node_modules/p/.claude/hooks/y").file(".git/.claude/hooks/y");
  EXPECT_EQ(found(), ".: hooks/x");
}

TEST_F(LayoutTest, AWheelTellsItsNameAndVersion) {
  file("stravinsky_claude_assets/hooks/x.sh");
  file("stravinsky-0.4.2.dist-info/METADATA",
       "Metadata-Version: 2.1\nName: stravinsky\nVersion: 0.4.2\n\nVersion: 9\n");
  file("stravinsky/__init__.py");
  const auto bundle = open();
  ASSERT_TRUE(bundle) << bundle.error().to_string();
  EXPECT_EQ(bundle->name(), "stravinsky");
  EXPECT_EQ(bundle->version()->str(), "0.4.2");
  EXPECT_EQ(found(), "stravinsky_claude_assets: hooks/x.sh");
}

TEST_F(LayoutTest, TheMetadataNearestAboveTheTreeCount) {
  file("templates/one/.claude/hooks/x").file("package.json", R"({"name":"p","version":"1.0.0"})");
  EXPECT_EQ(open()->version()->str(), "1.0.0");
  file("templates/one/package.json", R"({"version":"2.0.0"})");
  EXPECT_EQ(open()->version()->str(), "2.0.0");
}

constexpr const char* kPluginHooks = R"({"description": "d", "hooks": {"PreToolUse": [{"hooks": [
  {"type": "command", "command": "\"${CLAUDE_PLUGIN_ROOT}\"/scripts/guard.sh $CLAUDE_PLUGIN_ROOTS"}]}]}})";

TEST_F(LayoutTest, APluginBecomesATree) {
  file(".claude-plugin/plugin.json", R"({"name":"guard","version":"1.2.0"})")
      .file("commands/go.md", "Run ${CLAUDE_PLUGIN_ROOT}/scripts/go.sh\n")
      .file("hooks/hooks.json", kPluginHooks)
      .file("scripts/guard.sh", "#!/bin/sh\n")
      .file("scripts/go.sh", "echo $CLAUDE_PLUGIN_ROOT\n")
      .file("scripts/other.sh")
      .file("settings.json", "{}");
  const auto bundle = open();
  ASSERT_TRUE(bundle) << bundle.error().to_string();
  EXPECT_EQ(bundle->name(), "guard");
  EXPECT_EQ(found(),
            ".: commands/go.md scripts/go.sh scripts/guard.sh scripts/other.sh settings.json");
  EXPECT_EQ(content(*bundle, "commands/go.md"), "Run $HOME/.claude/scripts/go.sh\n");
  EXPECT_THAT(content(*bundle, "settings.json"),
              HasSubstr(R"(\"$HOME/.claude\"/scripts/guard.sh $CLAUDE_PLUGIN_ROOTS)"));
  EXPECT_THAT(bundle->warnings(),
              ::testing::Contains(HasSubstr("scripts/go.sh reads CLAUDE_PLUGIN_ROOT")));
  EXPECT_THAT(bundle->warnings(), ::testing::Contains(HasSubstr("settings.json was passed over")));
}

TEST_F(LayoutTest, ThePluginsOwnRootIsSpelledAsAsked) {
  file(".claude-plugin/plugin.json", R"({"name":"g","hooks":"./config/h.json"})")
      .file("config/h.json", kPluginHooks)
      .file("hooks/x.sh");
  const auto bundle = Bundle::open(disk_, "/in/b", {.root_in_commands = "/home/u/.claude"});
  ASSERT_TRUE(bundle) << bundle.error().to_string();
  EXPECT_THAT(content(*bundle, "settings.json"), HasSubstr("/home/u/.claude"));
  EXPECT_EQ(outcome(Bundle::open(disk_, "/in/b", {.root_in_commands = "/home/$(id)/.claude"})),
            "usage");
}

// @torka/claude-workflows describes what lies in its own folders.
TEST_F(LayoutTest, OnlyPathsOfAPluginLeadElsewhere) {
  file("commands/x.md").file("agents/a.md");
  const auto warned = [&](const std::string& commands) {
    file(".claude-plugin/plugin.json", R"({"name":"g","commands":)" + commands + "}");
    const auto bundle = open();
    EXPECT_TRUE(bundle) << commands;
    return bundle && !bundle->warnings().empty();
  };
  for (const char* own : {R"([{"name":"x","description":"does"}])", R"("./commands")",
                          R"(["commands/x.md"])", R"({"x":{"source":"./commands/x.md"}})", "[]"})
    EXPECT_FALSE(warned(own)) << own;
  for (const char* other :
       {R"("./more")", R"(["./commands","./more/y.md"])", R"([{"name":"y","path":"more/y.md"}])",
        R"({"y":{"source":"./more/y.md"}})", R"({"y":{"content":"text"}})"})
    EXPECT_TRUE(warned(other)) << other;
}

TEST_F(LayoutTest, HooksOfAPluginThatCannotBeUnderstoodAreRefused) {
  file(".claude-plugin/plugin.json", R"({"name":"g"})").file("commands/x.md");
  for (const char* bad : {"{", "[]", R"({"hooks": []})", R"({"hooks": {"Stop": {}}})"}) {
    file("hooks/hooks.json", bad);
    EXPECT_THAT(found(), HasSubstr("hooks/hooks.json: ")) << bad;
  }
  file("hooks/hooks.json", "{}");
  file(".claude-plugin/plugin.json", R"({"hooks": "./absent.json"})");
  EXPECT_THAT(found(), HasSubstr("absent.json: plugin.json names it, and it is missing"));
  file(".claude-plugin/plugin.json", R"({"hooks": "../../etc/x.json"})");
  EXPECT_THAT(found(), HasSubstr("component"));
}

TEST_F(LayoutTest, PackingIsDeterministicAndOpensAsTheSame) {
  file("templates/.claude/hooks/x.sh", "echo\n")
      .file("templates/.claude/settings.json", "{}")
      .file("templates/.claude/.credentials.json", "secret")
      .file("package.json", R"({"name":"p","version":"1.0.0"})");
  const auto bundle = open();
  const std::string packed = pack_bundle(*bundle).value();
  EXPECT_EQ(packed, pack_bundle(*open()).value());
  const auto again = Bundle::open_archive(packed, "packed");
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(again->files().size(), 2U);
  EXPECT_EQ(again->version()->str(), "1.0.0");
  EXPECT_EQ(again->name(), "p");
  EXPECT_EQ(again->files()[0].mode, 0755U);
}

TEST_F(LayoutTest, ContentThatIsNotTheManifestsIsRefused) {
  file(".claude/hooks/x.sh", "good\n").file("package.json", R"({"version":"1.0.0"})");
  const std::string packed = pack_bundle(*open()).value();
  disk_.write_file("/in/packed.tgz", packed);
  // The same, as a directory with one thing wrong.
  const auto source = archive_source(packed, BundleLimits());
  const auto manifest = (*source)->read("stravinsky-bundle.json").value();
  file("stravinsky-bundle.json", manifest->content);
  EXPECT_EQ(found(), ".claude: hooks/x.sh");
  file(".claude/hooks/x.sh", "evil\n");
  EXPECT_THAT(found(), HasSubstr("hooks/x.sh: its content is not what the bundle's manifest says"));
  file(".claude/hooks/x.sh", "good\n").file(".claude/hooks/y.sh");
  EXPECT_THAT(found(), HasSubstr("hooks/y.sh: the bundle's manifest does not name it"));
  disk_.remove("/in/b/.claude/hooks/y.sh");
  disk_.remove("/in/b/package.json");
  EXPECT_THAT(found(), HasSubstr("package.json: the bundle's manifest names it"));
  file("stravinsky-bundle.json", "{}");
  EXPECT_EQ(outcome(open()), "corrupt");
}

TEST(BundleNames, WhatAFileSystemTakesForOneIsOne) {
  EXPECT_EQ(fold_name("Hooks/A.sh"), fold_name("hooks/a.SH"));
  EXPECT_EQ(fold_name("caf\xc3\xa9"), fold_name("cafe\xcc\x81"));
  EXPECT_EQ(fold_name("STRASSE"), fold_name("stra\xc3\x9f"
                                            "e"));
  EXPECT_EQ(fold_name("a\xe2\x80\x8c"), fold_name("a"));
  EXPECT_NE(fold_name("a\x80"), fold_name("a\x81"));
}

}  // namespace
}  // namespace stravinsky::store
