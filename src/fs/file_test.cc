#include "fs/file.h"

#include <gtest/gtest.h>

#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::fs {
namespace {

using testing::outcome;
using testing::TempDir;

bool is_open(TempDir& temp, Fd fd) {
  return temp.fs().stat_fd(fd).has_value();
}

TEST(File, DestructorClosesAndMoveHandsOver) {
  TempDir temp;
  temp.put("file", "x");
  Fd fd = Fd::kNone;
  {
    auto first = File::open(temp.fs(), temp.dir(), RelPath::of("file"), OpenMode::kRead);
    ASSERT_TRUE(first);
    fd = first->fd();
    File second = std::move(*first);
    EXPECT_FALSE(first->is_open());  // NOLINT(bugprone-use-after-move): what a move leaves
    EXPECT_EQ(second.fd(), fd);
    EXPECT_TRUE(is_open(temp, fd));
  }
  EXPECT_FALSE(is_open(temp, fd));
}

TEST(File, AssignmentClosesWhatWasHeld) {
  TempDir temp;
  temp.put("a", "");
  temp.put("b", "");
  File file = *File::open(temp.fs(), temp.dir(), RelPath::of("a"), OpenMode::kRead);
  const Fd first = file.fd();
  file = *File::open(temp.fs(), temp.dir(), RelPath::of("b"), OpenMode::kRead);
  EXPECT_FALSE(is_open(temp, first));
  EXPECT_TRUE(is_open(temp, file.fd()));
}

TEST(File, CloseTwiceIsHarmless) {
  TempDir temp;
  temp.put("a", "");
  File file = *File::open(temp.fs(), temp.dir(), RelPath::of("a"), OpenMode::kRead);
  EXPECT_EQ(outcome(file.close()), "ok");
  EXPECT_EQ(outcome(file.close()), "ok");
  EXPECT_EQ(outcome(File().close()), "ok");
}

TEST(File, OnlyAbsentIsNullopt) {
  TempDir temp;
  temp.put("file", "x");
  temp.put_link("link", "file");
  const auto at = [](const char* path) { return RelPath::of(path); };
  EXPECT_FALSE(stat_if_present(temp.fs(), temp.dir(), at("absent"))->has_value());
  EXPECT_TRUE(stat_if_present(temp.fs(), temp.dir(), at("file"))->has_value());
  EXPECT_EQ(outcome(stat_if_present(temp.fs(), temp.dir(), at("file/x"))), "wrong_type");
  EXPECT_FALSE(open_if_present(temp.fs(), temp.dir(), at("absent"), OpenMode::kRead)->has_value());
  EXPECT_TRUE(open_if_present(temp.fs(), temp.dir(), at("file"), OpenMode::kRead)->has_value());
  EXPECT_EQ(outcome(open_if_present(temp.fs(), temp.dir(), at("link"), OpenMode::kRead)),
            "wrong_type");
}

TEST(File, ReadFileKeepsToItsLimit) {
  TempDir temp;
  temp.put("file", "12345");
  temp.put("empty", "");
  EXPECT_EQ(*read_file(temp.fs(), temp.dir(), RelPath::of("file"), 5), "12345");
  EXPECT_EQ(*read_file(temp.fs(), temp.dir(), RelPath::of("empty"), 0), "");
  const auto too_large = read_file(temp.fs(), temp.dir(), RelPath::of("file"), 4);
  ASSERT_EQ(outcome(too_large), "corrupt");
  EXPECT_EQ(too_large.error().path, "file");
}

TEST(File, EnsureDirMakesWhatIsMissing) {
  TempDir temp;
  temp.put("file", "x");
  const auto ensure = [&](const char* path) {
    return outcome(ensure_dir(temp.fs(), temp.dir(), RelPath::of(path), 0750));
  };
  EXPECT_EQ(ensure("a/b/c"), "ok");
  EXPECT_EQ(ensure("a/b/c"), "ok");
  EXPECT_EQ(temp.fs().stat(temp.dir(), RelPath::of("a/b"))->mode, 0750U);
  EXPECT_EQ(ensure("file"), "wrong_type");
  EXPECT_EQ(ensure("file/x"), "wrong_type");
  temp.put_link("link", "a");
  EXPECT_EQ(ensure("link/x"), "wrong_type");
}

TEST(File, EnsureRootMakesMissingParents) {
  TempDir temp;
  const auto made = ensure_root(temp.fs(), temp.path() + "/x/y", 0700);
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(*temp.fs().path_of(made->fd()), temp.path() + "/x/y");
  EXPECT_EQ(temp.fs().stat_fd(made->fd())->mode, 0700U);
  EXPECT_EQ(outcome(ensure_root(temp.fs(), temp.path() + "/x/y", 0700)), "ok");
}

TEST(File, RemoveTreeFollowsNoLink) {
  TempDir temp;
  temp.put_dir("outside");
  temp.put("outside/file", "kept");
  temp.put_dir("tree");
  temp.put_dir("tree/inner");
  temp.put("tree/inner/file", "x");
  temp.put_link("tree/inner/link", "../../outside");
  EXPECT_EQ(outcome(remove_tree(temp.fs(), temp.dir(), RelPath::of("tree"))), "ok");
  EXPECT_EQ(temp.get("outside/file"), "kept");
  EXPECT_FALSE(stat_if_present(temp.fs(), temp.dir(), RelPath::of("tree"))->has_value());
  EXPECT_EQ(outcome(remove_tree(temp.fs(), temp.dir(), RelPath::of("tree"))), "ok");
}

}  // namespace
}  // namespace stravinsky::fs
