#include "fs/tree_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::outcome;
using testing::TempDir;

std::vector<std::string> paths_of(const Result<std::vector<WalkEntry>>& walked) {
  std::vector<std::string> paths;
  if (!walked) return {walked.error().to_string()};
  for (const WalkEntry& entry : *walked) paths.push_back(entry.path.str());
  return paths;
}

TEST(TreeWalk, AbsentStartIsEmpty) {
  TempDir temp;
  EXPECT_THAT(paths_of(walk_tree(temp.fs(), temp.dir(), RelPath::of("a/b"), {})), ElementsAre());
}

TEST(TreeWalk, OrderIsThatOfTheFullPathsBytes) {
  TempDir temp;
  temp.put_dir("t");
  temp.put_dir("t/a");
  temp.put("t/a/z", "");
  temp.put("t/a-b", "");
  temp.put("t/a.b", "");
  temp.put("t/B", "");
  EXPECT_THAT(paths_of(walk_tree(temp.fs(), temp.dir(), RelPath::of("t"), {})),
              ElementsAre("t", "t/B", "t/a", "t/a-b", "t/a.b", "t/a/z"));
  EXPECT_THAT(paths_of(walk_all(temp.fs(), temp.dir(), {})),
              ElementsAre("t", "t/B", "t/a", "t/a-b", "t/a.b", "t/a/z"));
}

TEST(TreeWalk, FileAsStartIsOneEntry) {
  TempDir temp;
  temp.put_dir("t");
  temp.put("t/file", "12345", 0640);
  const auto walked = walk_tree(temp.fs(), temp.dir(), RelPath::of("t/file"), {});
  ASSERT_TRUE(walked);
  ASSERT_EQ(walked->size(), 1U);
  EXPECT_EQ(walked->front().stat.size_bytes, 5U);
  EXPECT_EQ(walked->front().stat.mode, 0640U);
  EXPECT_EQ(walked->front().link_text, "");
}

TEST(TreeWalk, LinksAreListedAndNotFollowed) {
  TempDir temp;
  temp.put_dir("t");
  temp.put_dir("outside");
  temp.put("outside/secret", "");
  temp.put_link("t/dir", "../outside");
  temp.put_link("t/loop", ".");
  temp.put_link("t/dangling", "absent");
  const auto walked = walk_tree(temp.fs(), temp.dir(), RelPath::of("t"), {});
  EXPECT_THAT(paths_of(walked), ElementsAre("t", "t/dangling", "t/dir", "t/loop"));
  EXPECT_EQ((*walked)[2].link_text, "../outside");
  EXPECT_EQ((*walked)[2].stat.type, NodeType::kSymlink);
}

TEST(TreeWalk, SpecialFilesAreListedAsOther) {
  TempDir temp;
  ASSERT_EQ(mkfifo((temp.path() + "/pipe").c_str(), 0600), 0);
  const auto walked = walk_all(temp.fs(), temp.dir(), {});
  ASSERT_EQ(paths_of(walked), std::vector<std::string>{"pipe"});
  EXPECT_EQ(walked->front().stat.type, NodeType::kOther);
}

TEST(TreeWalk, SkippedNamesAreNotEntered) {
  TempDir temp;
  temp.put_dir("keep");
  temp.put("keep/cache", "");
  temp.put_dir("cache");
  temp.put("cache/file", "");
  std::vector<std::string> asked;
  const auto walked = walk_all(temp.fs(), temp.dir(), [&](const RelPath& path, NodeType type) {
    asked.push_back(path.str());
    return type == NodeType::kDirectory && path.name() == "cache";
  });
  EXPECT_THAT(paths_of(walked), ElementsAre("keep", "keep/cache"));
  EXPECT_THAT(asked, ElementsAre("cache", "keep", "keep/cache"));
}

TEST(TreeWalk, TooDeepIsAnErrorThatNamesThePath) {
  TempDir temp;
  std::string path = "d";
  temp.put_dir(path);
  for (int depth = 2; depth <= 256; ++depth) temp.put_dir(path += "/d");
  EXPECT_EQ(paths_of(walk_tree(temp.fs(), temp.dir(), RelPath::of("d"), {})).size(), 256U);
  temp.put_dir(path += "/last");
  const auto walked = walk_tree(temp.fs(), temp.dir(), RelPath::of("d"), {});
  ASSERT_EQ(outcome(walked), "io");
  EXPECT_THAT(walked.error().path, EndsWith("/last"));
}

TEST(TreeWalk, PathThroughALinkIsAnError) {
  TempDir temp;
  temp.put_dir("real");
  temp.put_link("link", "real");
  EXPECT_EQ(outcome(walk_tree(temp.fs(), temp.dir(), RelPath::of("link/x"), {})), "wrong_type");
}

}  // namespace
}  // namespace stravinsky::fs
