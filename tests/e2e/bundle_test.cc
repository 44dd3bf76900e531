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
    {"truncated-tar.tgz", "hooks/x.sh: not a sound archive: Truncated tar archive"},
    {"two-names.zip", "hooks/a.sh: it has two names"},
    {"two-trees.tgz",
     "it holds 2 trees: templates/a/.claude (.claude folder), templates/b/.claude"},
    {"unknown-kind.tgz", "hooks/m: it is neither a file nor a directory"},
};

TEST(BundleCorpus, EachAttackIsRefusedByNameAndNothingChanges) {
  const Home home;
  home.install(1);
  const Tree tree = home.tree();
  const Tree store = home.store_tree();
  for (const auto& [name, words] : kRefusals) {
    const Ended ended = home.run({"update", "9.0.0", "--from", kCorpus + name});
    EXPECT_EQ(ended.exit, 2) << name << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(words)) << name;
    EXPECT_THAT(ended.err, HasSubstr("Nothing was changed.")) << name;
    EXPECT_THAT(ended.err, Not(HasSubstr("\x1b"))) << name;
    EXPECT_EQ(ended.out, "") << name;
    EXPECT_TRUE(same_tree(home.tree(), tree)) << name;
    EXPECT_TRUE(same_tree(home.store_tree(), store)) << name;
  }
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

}  // namespace
}  // namespace stravinsky::e2e
