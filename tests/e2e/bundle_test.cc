// Bundles of every kind: the hostile ones are refused before anything changes, the real
// ones are installed and taken back.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kCorpus = std::string(STRAVINSKY_SOURCE) + "/tests/corpus/bundle/";

// Of each hostile bundle of the corpus, what the refusal must say.
const std::map<std::string, std::string> kRefusals = {
    {"absolute-name.tgz", "/etc/passwd: the path is absolute"},
    {"absolute-name.zip", "/etc/passwd: the path is absolute"},
    {"bad-checksum.tgz", "its checksum does not match"},
    {"bidi-name.tgz", "hooks/\\xe2\\x80\\xaehs.exe: its name holds a control character"},
    {"block-device.tgz", "hooks/sda: it is a device"},
    {"bomb.tgz", "hooks/bomb: the archive unpacks to more than 200 times its size"},
    {"bomb-beside-the-tree.tgz", "README.md: the archive unpacks to more than 200 times"},
    {"bomb-twice-compressed.tgz", "compressed more than once"},
    {"case-folding-directories.tgz", "hooks/a: the name is there twice, in another case"},
    {"case-folding-names.tgz", "hooks/a.sh: the name is there twice, in another case"},
    {"case-folding-names.zip", "hooks/a.sh: the name is there twice, in another case"},
    {"character-device.tgz", "hooks/null: it is a device"},
    {"deep.tgz", "nested too deeply"},
    {"directory-with-content.tgz", "hooks/d/: it is a directory, and has content"},
    {"dot-dot.tgz", "hooks/../../../etc/cron.d/x: the path has a '.' or '..' component"},
    {"dot-dot.zip", "hooks/../../x.sh: the path has a '.' or '..' component"},
    {"dot-dot-long-name.tgz", "/../../../x.sh: the path has a '.' or '..' component"},
    {"dot-dot-pax.tgz", "hooks/../../x.sh: the path has a '.' or '..' component"},
    {"duplicate-name.tgz", "hooks/a.sh: the name is there twice"},
    {"duplicate-name.zip", "hooks/aA: the name is there twice"},
    {"duplicate-name-dotted.tgz", "hooks/a.sh: the name is there twice"},
    {"empty.tgz", "the file is empty"},
    {"empty.zip", "not a .tar.gz, .tar.zst or .zip archive"},
    {"escape-in-name.tgz", "hooks/\\x1b[2Jx.sh: its name holds a control character"},
    {"fifo.tgz", "hooks/fifo: it is a device, a FIFO or a socket"},
    {"file-and-directory.tgz", "hooks/d: the name is both a file and a directory"},
    {"file-and-directory-folded.tgz", "the name is both a file and a directory"},
    {"hard-link.tgz", "hooks/h.sh: it is a hard link"},
    {"hard-link-outside.tgz", "hooks/h.sh: it is a hard link"},
    {"ignorable-in-name.tgz", "the name is there twice, in another case or another form"},
    {"link.tgz", "hooks/l.sh: it is a link"},
    {"link.zip", "hooks/l.sh: it is a link"},
    {"link-as-folder.tgz", "commands: it is a link"},
    {"link-then-through.tgz", "hooks/l: it is a link"},
    {"long-name.tgz", "a component is longer than 255 bytes"},
    {"newline-in-name.tgz", "hooks/a\\x0ab.sh: its name holds a control character"},
    {"nfc-equal-names.tgz", "the name is there twice, in another case or another form"},
    {"no-tree.tgz", "there is no hooks, commands, agents or skills folder in it"},
    {"not-an-archive.tgz", "not a .tar.gz, .tar.zst or .zip archive"},
    {"nul-in-long-name.tgz", "hooks/a.sh\\x00/../../x\\x00: its name holds a NUL byte"},
    {"nul-in-name.zip", "hooks/a.sh\\x00: its name holds a NUL byte"},
    {"nul-in-pax-path.tgz", "hooks/a.sh\\x00.txt: its name holds a NUL byte"},
    {"setgid.tgz", "hooks/s.sh: it is setuid or setgid"},
    {"setuid.tgz", "hooks/s.sh: it is setuid or setgid"},
    {"setuid.zip", "hooks/s.sh: it is setuid or setgid"},
    {"shared-content.zip", "two of its members share their content"},
    {"size-larger-than-archive.tgz", "not a sound archive"},
    {"size-of-pax.tgz", "its size is no number"},
    {"sparse.tgz", "it is a sparse file"},
    {"too-large-a-file.tgz", "hooks/x.sh: it is larger than 67 MB"},
    {"truncated.tgz", "not a sound archive: truncated gzip input"},
    {"truncated.zip", "not a sound .zip: its end is missing"},
    {"truncated-at-a-member.tgz", "the archive is cut: the blocks that end a tar are not there"},
    {"truncated-tar.tgz", "hooks/x.sh: not a sound archive: Truncated tar archive"},
    {"two-names.zip", "hooks/a.sh: it has two names"},
    {"two-trees.tgz",
     "it holds 2 trees: templates/a/.claude (.claude folder), templates/b/.claude"},
    {"unknown-kind.tgz", "hooks/m: it is neither a file nor a directory"},
};

// Of the store; that an update was refused is on record.
Tree but_for_the_record(const Home& home) {
  Tree tree = home.store_tree();
  std::erase_if(tree, [](const auto& node) {
    return node.first.starts_with("audit/") || node.first == "lock";
  });
  return tree;
}

TEST(BundleCorpus, EachAttackIsRefusedByNameAndNothingChanges) {
  const Home home;
  home.install(1);
  const Tree tree = home.tree();
  const Tree store = but_for_the_record(home);
  for (const auto& [name, words] : kRefusals) {
    const Ended ended = home.run({"update", "9.0.0", "--from", kCorpus + name});
    // Where no tree can be told the request is wrong; all else is damage, or worse.
    const bool has_no_one_tree = name == "no-tree.tgz" || name == "two-trees.tgz";
    EXPECT_EQ(ended.exit, has_no_one_tree ? 2 : 7) << name << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(words)) << name;
    EXPECT_THAT(ended.err, HasSubstr("Nothing was changed.")) << name;
    EXPECT_THAT(ended.err, Not(HasSubstr("\x1b"))) << name;
    EXPECT_EQ(ended.out, "") << name;
    EXPECT_TRUE(same_tree(home.tree(), tree)) << name;
    EXPECT_TRUE(same_tree(but_for_the_record(home), store)) << name;
  }
  home.expect(0, {"audit", "verify"});
}

TEST(BundleCorpus, EveryFileOfItIsTestedAndMadeByItsScript) {
  const Home home;
  const std::string made = home.at("made");
  ASSERT_EQ(home.run_program({"python3", kCorpus + "make.py", made}).exit, 0);
  for (const std::string& name : home.names(made)) {
    EXPECT_TRUE(name.starts_with("good") || kRefusals.contains(name)) << name;
    EXPECT_EQ(home.text(made + "/" + name), home.text(kCorpus + name)) << name;
  }
  EXPECT_EQ(home.names(made).size() + 1, home.names(kCorpus).size());
}

TEST(BundleCorpus, WhatIsGoodIsInstalled) {
  for (const char* name : {"good.tgz", "good.tar", "good.zip", "good-longest-name.tgz"}) {
    const Home home;
    home.expect(0, {"update", "9.0.0", "--from", kCorpus + name});
    EXPECT_EQ(home.names(".claude/hooks").size(), 2U) << name;
    EXPECT_EQ(home.mode_of(".claude/hooks/good.sh"), 0755U) << name;
    home.expect(0, {"rollback", "undo"});
    EXPECT_FALSE(home.exists(".claude/hooks")) << name;
  }
}

constexpr const char* kPluginHooks = R"({"hooks": {"Stop": [{"hooks": [
    {"type": "command", "command": "bash ${CLAUDE_PLUGIN_ROOT}/hooks/guard.sh"}]}]}})";

TEST(Bundle, APluginsHooksRunFromWhereTheyLand) {
  const Home home;
  home.file(".claude/settings.json", R"({"model": "mine"})");
  home.file("plugin/.claude-plugin/plugin.json", R"({"name": "guard", "version": "1.2.0"})");
  home.file("plugin/hooks/hooks.json", kPluginHooks);
  home.file("plugin/commands/go.md", "Go.\n");
  home.file("plugin/hooks/guard.sh", hook("guard"), 0755);
  const Tree before = home.tree();
  const Ended ended = home.expect(0, {"update", "--from", home.at("plugin")});
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("guard"));
  EXPECT_EQ(home.text(".claude/commands/go.md"), "Go.\n");
  EXPECT_THAT(home.text(".claude/settings.json"),
              HasSubstr("bash " + home.at(".claude") + "/hooks/guard.sh"));
  EXPECT_THAT(home.text(".claude/settings.json"), HasSubstr("\"model\": \"mine\""));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Bundle, InspectShowsWhatWouldCome) {
  const Home home;
  const auto shown = home.expect(0, {"bundle", "inspect", home.bundle("1"), "--json"}).json();
  EXPECT_EQ(shown["tree"]["kind"], ".claude folder");
  EXPECT_FALSE(shown["files"].empty());
  EXPECT_EQ(shown["files"][0]["sha256"].get<std::string>().size(), 64U);
  ASSERT_FALSE(shown["hooks"].empty());
  EXPECT_EQ(shown["hooks"][0]["files"].size(), 1U);
  const Ended text = home.expect(0, {"bundle", "inspect", home.bundle("1")});
  EXPECT_THAT(text.out, HasSubstr("hook:"));
  EXPECT_FALSE(home.exists(home.store()));
  home.expect(5, {"bundle", "inspect", home.at("absent")});
}

TEST(Bundle, SubdirChoosesAmongSeveralTrees) {
  const Home home;
  home.file("p/templates/a/.claude/commands/a.md", "a\n");
  home.file("p/templates/b/.claude/commands/b.md", "b\n");
  const Ended refused = home.expect(2, {"update", "1.0", "--from", home.at("p")});
  EXPECT_THAT(refused.err, HasSubstr("it holds 2 trees"));
  EXPECT_THAT(refused.err, HasSubstr("--subdir templates/a/.claude"));
  home.expect(0, {"update", "1.0", "--from", home.at("p"), "--subdir", "templates/b"});
  EXPECT_EQ(home.names(".claude/commands"), std::vector<std::string>{"b.md"});
}

TEST(Bundle, OfEveryKindOfArchiveTheTreeIsTheSame) {
  const Home home;
  home.files("src/.claude", package(1));
  const std::string src = home.at("src");
  ASSERT_EQ(home.run_program({"tar", "czf", home.at("b.tar.gz"), "-C", src, ".claude"}).exit, 0);
  ASSERT_EQ(home.run_program({"tar", "cf", home.at("b.tar"), "-C", src, ".claude"}).exit, 0);
  ASSERT_EQ(
      home.run_program({"bsdtar", "cf", home.at("b.tar.zst"), "--zstd", "-C", src, ".claude"}).exit,
      0);
  ASSERT_EQ(
      home.run_program({"bsdtar", "cf", home.at("b.whl"), "--format=zip", "-C", src, ".claude"})
          .exit,
      0);
  home.expect(0, {"bundle", "create", src, "-o", home.at("created.tgz")});
  std::vector<nlohmann::json> seen;
  for (const char* name : {"src", "b.tar.gz", "b.tar", "b.tar.zst", "b.whl", "created.tgz"}) {
    seen.push_back(home.expect(0, {"bundle", "inspect", home.at(name), "--json"}).json()["files"]);
    EXPECT_EQ(seen.back(), seen.front()) << name;
  }
}

TEST(Bundle, CreateWritesTheSameBytesAndReplacesNothing) {
  const Home home;
  home.expect(0, {"bundle", "create", home.bundle("1"), "-o", home.at("a.tgz")});
  home.expect(0, {"bundle", "create", home.bundle("1"), "-o", home.at("b.tgz")});
  EXPECT_EQ(home.text("a.tgz"), home.text("b.tgz"));
  home.expect(1, {"bundle", "create", home.bundle("2"), "-o", home.at("a.tgz")});
  EXPECT_EQ(home.text("a.tgz"), home.text("b.tgz"));
}

TEST(Bundle, CreateRefusesANameThatIsNotTheFormats) {
  const Home home;
  for (const char* name : {"a.zip", "a", "a.tar", "tgz"}) {
    const Ended ended = home.expect(2, {"bundle", "create", home.bundle("1"), "-o", home.at(name)});
    EXPECT_THAT(ended.err, HasSubstr("Give a name that ends in .tgz or .tar.gz.")) << name;
    EXPECT_FALSE(home.exists(name));
  }
  home.expect(0, {"bundle", "create", home.bundle("1"), "-o", home.at("a.tar.gz")});
}

TEST(Bundle, ADryRunSaysWhatWouldBeWritten) {
  const Home home;
  home.expect(0, {"bundle", "create", home.bundle("1"), "-o", home.at("b.tgz")});
  home.expect(0, {"bundle", "keygen", "-o", home.at("key.pem")});
  const Tree before = home.tree("");
  const auto says = [&](const std::vector<std::string>& args, const char* file) {
    std::vector<std::string> dry = args;
    dry.emplace_back("--dry-run");
    EXPECT_THAT(home.expect(0, dry).out,
                HasSubstr("Dry run: " + home.at(file) + " would be written.\n"));
    dry.emplace_back("--json");
    auto told = home.expect(0, dry).json();
    EXPECT_EQ(told["dry_run"], true);
    EXPECT_EQ(told["would_write"][0], home.at(file));
    EXPECT_TRUE(same_tree(home.tree(""), before));
  };
  says({"bundle", "create", home.bundle("1"), "-o", home.at("c.tgz")}, "c.tgz");
  says({"bundle", "keygen", "-o", home.at("k.pem")}, "k.pem");
  says({"bundle", "sign", home.at("b.tgz"), "--key", home.at("key.pem")}, "b.tgz.sig");
  home.expect(1, {"bundle", "create", home.bundle("1"), "-o", home.at("b.tgz"), "--dry-run"});
  home.expect(1, {"bundle", "keygen", "-o", home.at("key.pem"), "--dry-run"});
}

// A script needs what lies beside it, and a plugin's own folders are as good as ours.
TEST(Bundle, AHooksHelpersComeAlong) {
  const Home home;
  const std::string run = ". \"$(dirname \"$0\")/lib/say.sh\"\nsay good\n";
  home.files("plugin", {{".claude-plugin/plugin.json", R"({"name": "p", "version": "1.0.0"})"},
                        {"hooks/hooks.json",
                         R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
                             "command": "bash ${CLAUDE_PLUGIN_ROOT}/scripts/run.sh"}]}]}})"},
                        {"scripts/run.sh", run},
                        {"scripts/lib/say.sh", "say() { echo \"$1\"; }\n"},
                        {"scripts/.env", "secret"},
                        {"bin/other", "x"},
                        {"README.md", "x"}});
  const Ended told = home.expect(0, {"update", "--from", home.at("plugin")});
  EXPECT_EQ(home.run_program({"bash", home.at(".claude/scripts/run.sh")}).out, "good\n");
  EXPECT_FALSE(home.exists(".claude/scripts/.env"));
  EXPECT_THAT(told.err, HasSubstr("passed over, since no hook names them: bin/"));
  home.expect(0, {"bundle", "create", home.at("plugin"), "-o", home.at("p.tgz")});
  EXPECT_EQ(home.expect(0, {"bundle", "inspect", home.at("p.tgz"), "--json"}).json()["files"],
            home.expect(0, {"bundle", "inspect", home.at("plugin"), "--json"}).json()["files"]);
  home.expect(0, {"rollback", "undo"});
  EXPECT_FALSE(home.exists(".claude/scripts/lib"));
}

TEST(Bundle, OnlyTrustedSignaturesPassWhereTheyAreRequired) {
  const Home home;
  const std::string file = home.at("b.tgz");
  home.expect(0, {"bundle", "create", home.bundle("1"), "-o", file});
  home.expect(0, {"bundle", "keygen", "-o", home.at("key.pem")});
  EXPECT_EQ(home.mode_of("key.pem"), 0600U);
  home.expect(0, {"bundle", "keygen", "-o", home.at("other.pem")});
  const std::string key = home.text("key.pem.pub").substr(0, 72);
  home.file(home.store("config.json"),
            R"({"update": {"require_signature": true, "trusted_keys": [")" + key + R"("]}})", 0600);
  home.mode(home.store(), 0700);
  const auto update = [&](int exit) {
    return home.expect(exit, {"update", "1.0.0", "--from", file});
  };
  EXPECT_THAT(update(3).err, HasSubstr("the bundle has no signature"));
  home.expect(5, {"bundle", "verify", file});
  home.expect(0, {"bundle", "sign", file, "--key", home.at("other.pem")});
  EXPECT_THAT(update(3).err, HasSubstr("signed with a key that is not trusted"));
  home.expect(3, {"bundle", "verify", file});
  home.expect(0, {"bundle", "verify", file, "--key", home.at("other.pem.pub")});
  home.erase("b.tgz.sig");
  home.expect(0, {"bundle", "sign", file, "--key", home.at("key.pem")});
  home.expect(0, {"bundle", "verify", file});
  const std::string good = home.text("b.tgz");
  home.file("b.tgz", good + std::string(1, '\0'));
  EXPECT_THAT(update(3).err, HasSubstr("the bundle's signature does not hold"));
  EXPECT_TRUE(same_tree(home.tree(), {}));
  home.file("b.tgz", good);
  update(0);
  EXPECT_THAT(home.expect(3, {"update", "1.0.0", "--from", home.bundle("2")}).err,
              HasSubstr("a directory has no signature"));
}

TEST(Bundle, ADowngradeIsAskedFor) {
  const Home home;
  for (const char* version : {"0.3.9", "0.3.10"}) {
    home.files(std::string(version) + "/.claude", {{"commands/x.md", version}});
    home.file(std::string(version) + "/package.json",
              R"({"name": "p", "version": ")" + std::string(version) + "\"}");
  }
  home.expect(0, {"update", "--from", home.at("0.3.9")});
  home.expect(0, {"update", "--from", home.at("0.3.10")});
  const Ended refused = home.expect(3, {"update", "--from", home.at("0.3.9")});
  EXPECT_THAT(refused.err, HasSubstr("v0.3.9 is older than v0.3.10"));
  EXPECT_EQ(home.text(".claude/commands/x.md"), "0.3.10");
  home.expect(0, {"update", "--from", home.at("0.3.9"), "--allow-downgrade"});
  EXPECT_EQ(home.text(".claude/commands/x.md"), "0.3.9");
}

}  // namespace
}  // namespace stravinsky::e2e
