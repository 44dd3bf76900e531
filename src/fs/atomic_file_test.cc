#include "fs/atomic_file.h"

#include <gtest/gtest.h>

#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::fs {
namespace {

using testing::outcome;
using testing::TempDir;

std::vector<std::string> names_in(TempDir& temp) {
  std::vector<std::string> names;
  const auto entries = temp.fs().list(temp.dir());
  for (const DirEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

TEST(AtomicFile, CreatesWithTheGivenMode) {
  TempDir temp;
  ASSERT_EQ(outcome(write_atomically(temp.fs(), temp.dir(), RelPath::of("f"), "new", 0640)), "ok");
  EXPECT_EQ(temp.get("f"), "new");
  EXPECT_EQ(temp.fs().stat(temp.dir(), RelPath::of("f"))->mode, 0640U);
  EXPECT_EQ(names_in(temp), std::vector<std::string>{"f"});
}

TEST(AtomicFile, ReplacesTheNodeSoThatOpenReadersKeepTheOldBytes) {
  TempDir temp;
  temp.put("f", "old bytes");
  const auto reader = File::open(temp.fs(), temp.dir(), RelPath::of("f"), OpenMode::kRead);
  ASSERT_EQ(outcome(write_atomically(temp.fs(), temp.dir(), RelPath::of("f"), "new")), "ok");
  EXPECT_EQ(*read_all(temp.fs(), reader->fd(), 100), "old bytes");
  EXPECT_EQ(temp.get("f"), "new");
}

TEST(AtomicFile, WorksInASubdirectory) {
  TempDir temp;
  temp.put_dir("sub");
  ASSERT_EQ(outcome(write_atomically(temp.fs(), temp.dir(), RelPath::of("sub/f"), "new")), "ok");
  EXPECT_EQ(temp.get("sub/f"), "new");
  EXPECT_EQ(names_in(temp), std::vector<std::string>{"sub"});
}

TEST(AtomicFile, LeftoverOfACrashIsOverwritten) {
  TempDir temp;
  temp.put(".f.partial", "half of a much longer text");
  ASSERT_EQ(outcome(write_atomically(temp.fs(), temp.dir(), RelPath::of("f"), "new")), "ok");
  EXPECT_EQ(temp.get("f"), "new");
  EXPECT_EQ(names_in(temp), std::vector<std::string>{"f"});
}

TEST(AtomicFile, LinkPlantedAtTheTemporaryNameIsNotFollowed) {
  TempDir temp;
  temp.put("victim", "untouched");
  temp.put_link(".f.partial", "victim");
  ASSERT_EQ(outcome(write_atomically(temp.fs(), temp.dir(), RelPath::of("f"), "new")), "ok");
  EXPECT_EQ(temp.get("victim"), "untouched");
  EXPECT_EQ(temp.get("f"), "new");
}

TEST(AtomicFile, FailedReplaceLeavesTheOldAndNoLitter) {
  TempDir temp;
  temp.put_dir("f");
  temp.put("f/inner", "kept");
  EXPECT_EQ(outcome(write_atomically(temp.fs(), temp.dir(), RelPath::of("f"), "new")),
            "wrong_type");
  EXPECT_EQ(temp.get("f/inner"), "kept");
  EXPECT_EQ(names_in(temp), std::vector<std::string>{"f"});
}

}  // namespace
}  // namespace stravinsky::fs
