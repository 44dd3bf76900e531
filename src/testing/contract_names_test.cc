// Contract of names: open, stat, list, links, directories, rename, removal.

#include <gmock/gmock.h>

#include "testing/contract_suite.h"

namespace stravinsky::testing {
namespace {

using fs::File;
using fs::NodeType;
using fs::OpenMode;
using fs::RenameMode;

TEST_P(FileSystemContract, OpenRootNeedsAnExistingDirectory) {
  put("file", "x");
  EXPECT_EQ(outcome(fs().open_root(root_path() + "/absent")), "not_found");
  EXPECT_EQ(outcome(fs().open_root(root_path() + "/file")), "wrong_type");
  EXPECT_EQ(outcome(fs().open_root("relative")), "usage");
}

TEST_P(FileSystemContract, OpenRootFollowsLinks) {
  put_dir("real");
  put("real/file", "x");
  put_link("link", "real");
  const auto opened = File::open_root(fs(), root_path() + "/link");
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(outcome(fs().stat(opened->fd(), rel("file"))), "ok");
  EXPECT_EQ(*fs().path_of(opened->fd()), root_path() + "/real");
}

TEST_P(FileSystemContract, AbsentIsNotFoundForEveryOperation) {
  for (const char* path : {"absent", "absent/below"}) {
    const auto p = rel(path);
    EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kRead)), "not_found");
    EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kDirectory)), "not_found");
    EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kReadWrite)), "not_found");
    EXPECT_EQ(outcome(fs().stat(dir(), p)), "not_found");
    EXPECT_EQ(outcome(fs().read_link(dir(), p)), "not_found");
    EXPECT_EQ(outcome(fs().unlink(dir(), p)), "not_found");
    EXPECT_EQ(outcome(fs().remove_dir(dir(), p)), "not_found");
    EXPECT_EQ(outcome(fs().hard_link(dir(), p, dir(), rel("to"))), "not_found");
    for (const auto mode : {RenameMode::kReplace, RenameMode::kNoReplace, RenameMode::kExchange}) {
      EXPECT_EQ(outcome(fs().rename(dir(), p, dir(), rel("to"), mode)), "not_found");
    }
  }
}

TEST_P(FileSystemContract, ParentMustExistToCreate) {
  const auto p = rel("absent/new");
  put("file", "x");
  EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kCreateExclusive)), "not_found");
  EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kOpenOrCreate)), "not_found");
  EXPECT_EQ(outcome(fs().make_dir(dir(), p, 0700)), "not_found");
  EXPECT_EQ(outcome(fs().make_symlink("text", dir(), p)), "not_found");
  EXPECT_EQ(outcome(fs().hard_link(dir(), rel("file"), dir(), p)), "not_found");
  EXPECT_EQ(outcome(fs().rename(dir(), rel("file"), dir(), p, RenameMode::kReplace)), "not_found");
}

TEST_P(FileSystemContract, PathThroughAFileIsWrongTypeAndNotAbsent) {
  put("file", "x");
  const auto p = rel("file/below");
  EXPECT_EQ(outcome(fs().stat(dir(), p)), "wrong_type");
  EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kRead)), "wrong_type");
  EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kOpenOrCreate)), "wrong_type");
  EXPECT_EQ(outcome(fs().unlink(dir(), p)), "wrong_type");
}

TEST_P(FileSystemContract, PathThroughASymlinkIsRefused) {
  put_dir("real");
  put_dir("real/inner");
  put("real/file", "x");
  put_link("link", "real");
  put_link("absolute", root_path() + "/real");
  for (const char* path : {"link/file", "absolute/file", "link/inner/new"}) {
    const auto p = rel(path);
    EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kRead)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kCreateExclusive)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().open(dir(), p, OpenMode::kOpenOrCreate)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().stat(dir(), p)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().read_link(dir(), p)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().unlink(dir(), p)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().remove_dir(dir(), p)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().make_dir(dir(), p, 0700)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().make_symlink("text", dir(), p)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().hard_link(dir(), p, dir(), rel("to"))), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().hard_link(dir(), rel("real/file"), dir(), p)), "wrong_type") << path;
    EXPECT_EQ(outcome(fs().rename(dir(), p, dir(), rel("to"), RenameMode::kReplace)), "wrong_type");
    EXPECT_EQ(outcome(fs().rename(dir(), rel("real/file"), dir(), p, RenameMode::kReplace)),
              "wrong_type");
  }
  EXPECT_EQ(get("real/file"), "x");
  EXPECT_TRUE(is_absent("real/inner/new"));
}

TEST_P(FileSystemContract, FinalSymlinkIsNeverOpened) {
  put("file", "x");
  put_dir("real");
  put_link("to_file", "file");
  put_link("to_dir", "real");
  put_link("dangling", "absent");
  for (const char* path : {"to_file", "to_dir", "dangling"}) {
    for (const auto how :
         {OpenMode::kRead, OpenMode::kDirectory, OpenMode::kReadWrite, OpenMode::kOpenOrCreate}) {
      EXPECT_EQ(outcome(fs().open(dir(), rel(path), how)), "wrong_type") << path;
    }
    EXPECT_EQ(outcome(fs().open(dir(), rel(path), OpenMode::kCreateExclusive)), "already_exists");
    EXPECT_EQ(outcome(fs().make_dir(dir(), rel(path), 0700)), "already_exists");
    EXPECT_EQ(stat(path).type, NodeType::kSymlink);
  }
  EXPECT_TRUE(is_absent("absent"));
}

TEST_P(FileSystemContract, OpenWantsTheRightType) {
  put("file", "x");
  put_dir("sub");
  EXPECT_EQ(outcome(fs().open(dir(), rel("file"), OpenMode::kDirectory)), "wrong_type");
  EXPECT_EQ(outcome(fs().open(dir(), rel("sub"), OpenMode::kRead)), "wrong_type");
  EXPECT_EQ(outcome(fs().open(dir(), rel("sub"), OpenMode::kReadWrite)), "wrong_type");
  EXPECT_EQ(outcome(fs().open(dir(), rel("sub"), OpenMode::kOpenOrCreate)), "wrong_type");
}

TEST_P(FileSystemContract, CreateExclusiveGivesTheExactModeAndOnlyOnce) {
  put("file", "x", 0666);
  EXPECT_EQ(stat("file").mode, 0666U);
  EXPECT_EQ(stat("file").type, NodeType::kFile);
  EXPECT_EQ(outcome(fs().open(dir(), rel("file"), OpenMode::kCreateExclusive)), "already_exists");
  EXPECT_EQ(get("file"), "x");
  put("read_only", "y", 0444);
  EXPECT_EQ(stat("read_only").mode, 0444U);
}

TEST_P(FileSystemContract, OpenOrCreateCreatesOnceAndKeepsWhatIsThere) {
  {
    const File created = open("file", OpenMode::kOpenOrCreate, 0644);
  }
  EXPECT_EQ(stat("file").mode, 0644U);
  EXPECT_EQ(get("file"), "");
  put("other", "kept", 0640);
  {
    const File opened = open("other", OpenMode::kOpenOrCreate, 0777);
  }
  EXPECT_EQ(stat("other").mode, 0640U);
  EXPECT_EQ(get("other"), "kept");
}

TEST_P(FileSystemContract, MakeDirGivesTheExactModeAndOnlyOnce) {
  put_dir("sub", 0755);
  EXPECT_EQ(stat("sub").mode, 0755U);
  EXPECT_EQ(stat("sub").type, NodeType::kDirectory);
  EXPECT_EQ(outcome(fs().make_dir(dir(), rel("sub"), 0700)), "already_exists");
  EXPECT_EQ(stat("sub").mode, 0755U);
  put("file", "x");
  EXPECT_EQ(outcome(fs().make_dir(dir(), rel("file"), 0700)), "already_exists");
}

TEST_P(FileSystemContract, LegalNamesAreAnyBytes) {
  const std::string names[] = {" ",
                               "a b",
                               "new\nline",
                               "-rf",
                               "caf\xE9",
                               "...",
                               "Name",
                               "name",
                               "\x7F",
                               "\xFF\xFE",
                               "'\"",
                               "back\\sl",
                               std::string(255, 'n')};
  for (const std::string& name : names) put(name, name);
  for (const std::string& name : names) EXPECT_EQ(get(name), name);
  EXPECT_EQ(fs().list(dir())->size(), std::size(names));
}

TEST_P(FileSystemContract, ListIsSortedAndTellsTypes) {
  put("b", "");
  put("B", "");
  put_dir("a");
  put("a/inner", "");
  put_link("\xC3\xA9", "b");
  const auto entries = fs().list(dir());
  ASSERT_TRUE(entries);
  std::vector<std::pair<std::string, NodeType>> seen;
  for (const auto& entry : *entries) seen.emplace_back(entry.name, entry.type);
  EXPECT_THAT(seen, ::testing::ElementsAre(std::pair{"B", NodeType::kFile},
                                           std::pair{"a", NodeType::kDirectory},
                                           std::pair{"b", NodeType::kFile},
                                           std::pair{"\xC3\xA9", NodeType::kSymlink}));
  // The same answer again: no position is kept between two calls.
  EXPECT_EQ(fs().list(dir())->size(), 4U);
}

TEST_P(FileSystemContract, ListOfAFileIsWrongType) {
  put("file", "x");
  const File file = open("file", OpenMode::kRead);
  EXPECT_EQ(outcome(fs().list(file.fd())), "wrong_type");
}

TEST_P(FileSystemContract, SymlinkKeepsItsText) {
  for (const char* text : {"file", "/absolute/../x", "../up", "with \n and \xFF"}) {
    put_link("link", text);
    EXPECT_EQ(*fs().read_link(dir(), rel("link")), text);
    EXPECT_EQ(stat("link").type, NodeType::kSymlink);
    EXPECT_EQ(outcome(fs().make_symlink("other", dir(), rel("link"))), "already_exists");
    EXPECT_EQ(outcome(fs().unlink(dir(), rel("link"))), "ok");
  }
}

TEST_P(FileSystemContract, SymlinkWithoutTextIsUsage) {
  EXPECT_EQ(outcome(fs().make_symlink("", dir(), rel("link"))), "usage");
  EXPECT_TRUE(is_absent("link"));
}

TEST_P(FileSystemContract, ReadLinkOfAnythingElseIsWrongType) {
  put("file", "x");
  put_dir("sub");
  EXPECT_EQ(outcome(fs().read_link(dir(), rel("file"))), "wrong_type");
  EXPECT_EQ(outcome(fs().read_link(dir(), rel("sub"))), "wrong_type");
}

TEST_P(FileSystemContract, HardLinkIsTheSameNode) {
  put("a", "x");
  put_dir("sub");
  EXPECT_EQ(outcome(fs().hard_link(dir(), rel("a"), dir(), rel("sub/b"))), "ok");
  EXPECT_EQ(stat("a").inode, stat("sub/b").inode);
  EXPECT_EQ(stat("a").link_count, 2U);
  EXPECT_EQ(outcome(fs().hard_link(dir(), rel("a"), dir(), rel("sub/b"))), "already_exists");
  EXPECT_EQ(outcome(fs().unlink(dir(), rel("a"))), "ok");
  EXPECT_EQ(get("sub/b"), "x");
  EXPECT_EQ(stat("sub/b").link_count, 1U);
}

TEST_P(FileSystemContract, HardLinkOfASymlinkIsTheLinkItself) {
  put("file", "x");
  put_link("link", "file");
  EXPECT_EQ(outcome(fs().hard_link(dir(), rel("link"), dir(), rel("second"))), "ok");
  EXPECT_EQ(stat("second").type, NodeType::kSymlink);
}

TEST_P(FileSystemContract, RenameReplaces) {
  put("old", "old");
  put("new", "new");
  const auto inode = stat("new").inode;
  EXPECT_EQ(outcome(fs().rename(dir(), rel("new"), dir(), rel("old"), RenameMode::kReplace)), "ok");
  EXPECT_EQ(get("old"), "new");
  EXPECT_EQ(stat("old").inode, inode);
  EXPECT_TRUE(is_absent("new"));
}

TEST_P(FileSystemContract, RenameMovesBetweenDirectories) {
  put_dir("a");
  put_dir("b");
  put("a/file", "x");
  const File a = open("a", OpenMode::kDirectory);
  const File b = open("b", OpenMode::kDirectory);
  EXPECT_EQ(outcome(fs().rename(a.fd(), rel("file"), b.fd(), rel("moved"), RenameMode::kNoReplace)),
            "ok");
  EXPECT_EQ(get("b/moved"), "x");
  EXPECT_TRUE(is_absent("a/file"));
  // A directory moves with what it holds.
  EXPECT_EQ(outcome(fs().rename(dir(), rel("b"), dir(), rel("a/b"), RenameMode::kReplace)), "ok");
  EXPECT_EQ(get("a/b/moved"), "x");
}

TEST_P(FileSystemContract, RenameOfALinkMovesTheLink) {
  put("file", "x");
  put_link("link", "file");
  put("target", "y");
  EXPECT_EQ(outcome(fs().rename(dir(), rel("link"), dir(), rel("target"), RenameMode::kReplace)),
            "ok");
  EXPECT_EQ(*fs().read_link(dir(), rel("target")), "file");
  // And renaming over a link replaces the link, not the file it names.
  put("new", "z");
  EXPECT_EQ(outcome(fs().rename(dir(), rel("new"), dir(), rel("target"), RenameMode::kReplace)),
            "ok");
  EXPECT_EQ(get("target"), "z");
  EXPECT_EQ(get("file"), "x");
}

TEST_P(FileSystemContract, RenameKeepsTypesApart) {
  put("file", "x");
  put_dir("full");
  put("full/inner", "y");
  put_dir("other");
  const auto replace = [&](const char* from, const char* to) {
    return outcome(fs().rename(dir(), rel(from), dir(), rel(to), RenameMode::kReplace));
  };
  EXPECT_EQ(replace("file", "full"), "wrong_type");
  EXPECT_EQ(replace("full", "file"), "wrong_type");
  EXPECT_EQ(replace("other", "full"), "already_exists");
  EXPECT_EQ(replace("full", "full/inside"), "io");  // into itself: not "unsupported"
  EXPECT_EQ(replace("full", "other"), "ok");        // over an empty directory
  EXPECT_EQ(get("other/inner"), "y");
}

TEST_P(FileSystemContract, RenameNoReplaceLeavesATakenName) {
  put("new", "new");
  put("taken", "taken");
  put_link("dangling", "absent");
  for (const char* target : {"taken", "dangling"}) {
    EXPECT_EQ(outcome(fs().rename(dir(), rel("new"), dir(), rel(target), RenameMode::kNoReplace)),
              "already_exists");
  }
  EXPECT_EQ(get("taken"), "taken");
  EXPECT_EQ(get("new"), "new");
  EXPECT_EQ(outcome(fs().rename(dir(), rel("new"), dir(), rel("free"), RenameMode::kNoReplace)),
            "ok");
  EXPECT_EQ(get("free"), "new");
}

TEST_P(FileSystemContract, ExchangeSwapsTwoNodes) {
  put("a", "A", 0600);
  put("b", "B", 0644);
  put_link("link", "a");
  const auto inode_a = stat("a").inode;
  const auto exchange = [&](const char* from, const char* to) {
    return outcome(fs().rename(dir(), rel(from), dir(), rel(to), RenameMode::kExchange));
  };
  EXPECT_EQ(exchange("a", "b"), "ok");
  EXPECT_EQ(get("a"), "B");
  EXPECT_EQ(stat("a").mode, 0644U);
  EXPECT_EQ(get("b"), "A");
  EXPECT_EQ(stat("b").inode, inode_a);
  EXPECT_EQ(exchange("a", "link"), "ok");
  EXPECT_EQ(stat("a").type, NodeType::kSymlink);
  EXPECT_EQ(get("link"), "B");
  EXPECT_EQ(exchange("link", "absent"), "not_found");
  EXPECT_EQ(get("link"), "B");
}

TEST_P(FileSystemContract, UnlinkRemovesTheNameOnly) {
  put("file", "x");
  put_link("link", "file");
  put_dir("sub");
  const File file = open("file", OpenMode::kRead);
  EXPECT_EQ(outcome(fs().unlink(dir(), rel("link"))), "ok");
  EXPECT_EQ(get("file"), "x");
  EXPECT_EQ(outcome(fs().unlink(dir(), rel("file"))), "ok");
  EXPECT_TRUE(is_absent("file"));
  // An open file lives on.
  EXPECT_EQ(*fs::read_all(fs(), file.fd(), 100), "x");
  EXPECT_EQ(fs().stat_fd(file.fd())->link_count, 0U);
  EXPECT_EQ(outcome(fs().unlink(dir(), rel("sub"))), "wrong_type");
}

TEST_P(FileSystemContract, RemoveDirWantsAnEmptyDirectory) {
  put_dir("sub");
  put("sub/file", "x");
  put_link("link", "sub");
  EXPECT_EQ(outcome(fs().remove_dir(dir(), rel("sub"))), "already_exists");
  EXPECT_EQ(outcome(fs().remove_dir(dir(), rel("sub/file"))), "wrong_type");
  EXPECT_EQ(outcome(fs().remove_dir(dir(), rel("link"))), "wrong_type");
  EXPECT_EQ(outcome(fs().unlink(dir(), rel("sub/file"))), "ok");
  EXPECT_EQ(outcome(fs().remove_dir(dir(), rel("sub"))), "ok");
  EXPECT_TRUE(is_absent("sub"));
}

TEST_P(FileSystemContract, ErrorsNameTheFile) {
  const auto absent = fs().stat(dir(), rel("sub\n/absent"));
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().path, ::testing::StartsWith("sub\\x0a"));
  const auto no_root = fs().open_root(root_path() + "/absent");
  ASSERT_FALSE(no_root);
  EXPECT_EQ(no_root.error().path, root_path() + "/absent");
}

TEST_P(FileSystemContract, PathOfIsAbsoluteAndFollowsARename) {
  EXPECT_EQ(*fs().path_of(dir()), root_path());
  put_dir("sub");
  put("sub/file", "x");
  const File file = open("sub/file", OpenMode::kRead);
  EXPECT_EQ(*fs().path_of(file.fd()), root_path() + "/sub/file");
  EXPECT_EQ(outcome(fs().rename(dir(), rel("sub"), dir(), rel("moved"), RenameMode::kReplace)),
            "ok");
  EXPECT_EQ(*fs().path_of(file.fd()), root_path() + "/moved/file");
}

}  // namespace
}  // namespace stravinsky::testing
