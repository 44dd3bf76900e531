#include "store/location.h"

#include <gtest/gtest.h>

#include "testing/mem_fs.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;

class LocationTest : public ::testing::Test {
 protected:
  LocationTest() {
    disk_.make_dirs("/home/u/.claude");
    disk_.make_dirs("/home/u/dot/hooks/sub");
    disk_.make_dirs("/srv/shared");
  }
  Location find(std::string_view path) {
    auto location = locate(disk_, "/home/u/.claude", RelPath::of(path), allowed_);
    EXPECT_TRUE(location) << location.error().to_string();
    return location ? *location : Location{.directory = {}, .path = RelPath::of("failed")};
  }
  std::string where(std::string_view path) {
    const Location location = find(path);
    return location.directory + " : " + location.path.str();
  }
  testing::MemFs disk_;
  std::vector<std::string> allowed_ = {"/home/u"};
};

TEST_F(LocationTest, APlainPathStaysInItsRoot) {
  disk_.write_file("/home/u/.claude/hooks/x.py", "x");
  EXPECT_EQ(where("hooks/x.py"), "/home/u/.claude : hooks/x.py");
  EXPECT_EQ(where("commands/absent.md"), "/home/u/.claude : commands/absent.md");
}

TEST_F(LocationTest, AnAbsentRootIsReachedFromWhatExists) {
  const auto location = locate(disk_, "/home/u/new/.claude", RelPath::of("hooks/x"), allowed_);
  ASSERT_TRUE(location);
  EXPECT_EQ(location->directory, "/home/u");
  EXPECT_EQ(location->path.str(), "new/.claude/hooks/x");
}

TEST_F(LocationTest, ALinkedFileIsWhereItsChainEnds) {
  disk_.write_file("/home/u/dot/s.json", "{}");
  disk_.symlink("middle.json", "/home/u/.claude/settings.json");
  disk_.symlink("../dot/s.json", "/home/u/.claude/middle.json");
  EXPECT_EQ(where("settings.json"), "/home/u/dot : s.json");
  const Location location = find("settings.json");
  ASSERT_EQ(location.hops.size(), 2U);
  EXPECT_EQ(location.hops[0].directory, "/home/u/.claude");
  EXPECT_EQ(location.hops[0].name, "settings.json");
  EXPECT_EQ(location.hops[0].text, "middle.json");
  EXPECT_EQ(location.hops[1].text, "../dot/s.json");
  EXPECT_FALSE(location.outside);
}

TEST_F(LocationTest, ADirectoryLinkIsTheDirectoryOfWhatLiesBeneath) {
  disk_.symlink("/home/u/dot/hooks", "/home/u/.claude/hooks");
  disk_.write_file("/home/u/dot/hooks/sub/x.py", "x");
  EXPECT_EQ(where("hooks/sub/x.py"), "/home/u/dot/hooks : sub/x.py");
  EXPECT_EQ(where("hooks/new/y.py"), "/home/u/dot/hooks : new/y.py");
  EXPECT_EQ(where("hooks"), "/home/u/dot : hooks");
}

TEST_F(LocationTest, AnInnerLinkIsItselfTheManagedThing) {
  disk_.write_file("/home/u/dot/x.py", "x");
  disk_.symlink("/home/u/dot/x.py", "/home/u/.claude/hooks/x.py");
  EXPECT_EQ(where("hooks/x.py"), "/home/u/.claude : hooks/x.py");
  EXPECT_TRUE(find("hooks/x.py").hops.empty());
}

TEST_F(LocationTest, AnInnerDirectoryLinkIsWrittenThrough) {
  disk_.make_dirs("/home/u/dot/skill");
  disk_.symlink("/home/u/dot/skill", "/home/u/.claude/skills/one");
  EXPECT_EQ(where("skills/one/SKILL.md"), "/home/u/dot/skill : SKILL.md");
}

TEST_F(LocationTest, ADanglingLinkLeadsToTheAbsentName) {
  disk_.symlink("/home/u/dot/no/s.json", "/home/u/.claude/settings.json");
  EXPECT_EQ(where("settings.json"), "/home/u/dot : no/s.json");
}

TEST_F(LocationTest, CirclesEnd) {
  disk_.symlink("b", "/home/u/.claude/a");
  disk_.symlink("a", "/home/u/.claude/b");
  const auto location = locate(disk_, "/home/u/.claude", RelPath::of("a"), allowed_);
  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().code, ErrorCode::kWrongType);
}

TEST_F(LocationTest, LeavingTheAllowedRootsIsSaid) {
  disk_.write_file("/srv/shared/s.json", "{}");
  disk_.symlink("/srv/shared/s.json", "/home/u/.claude/settings.json");
  EXPECT_TRUE(find("settings.json").outside);
  allowed_.push_back("/srv/shared");
  EXPECT_FALSE(find("settings.json").outside);
  allowed_.back() = "/srv/share";
  EXPECT_TRUE(find("settings.json").outside);
}

TEST_F(LocationTest, TextsThatEndInDotsAreDirectories) {
  disk_.symlink("../dot/hooks/sub/..", "/home/u/.claude/hooks");
  EXPECT_EQ(where("hooks"), "/home/u/dot : hooks");
  EXPECT_EQ(where("hooks/x.py"), "/home/u/dot/hooks : x.py");
}

TEST_F(LocationTest, ALinkThroughAFileIsRefused) {
  disk_.write_file("/home/u/dot/file", "x");
  disk_.symlink("../dot/file", "/home/u/.claude/hooks");
  const auto location = locate(disk_, "/home/u/.claude", RelPath::of("hooks/x.py"), allowed_);
  ASSERT_FALSE(location);
  EXPECT_EQ(location.error().code, ErrorCode::kWrongType);
}

TEST_F(LocationTest, RealPathResolvesWhatIsThere) {
  disk_.symlink("/home/u/dot", "/home/u/link");
  EXPECT_EQ(real_path(disk_, "/home/u/link/hooks").value(), "/home/u/dot/hooks");
  EXPECT_EQ(real_path(disk_, "/home/u/link/no/such/").value(), "/home/u/dot/no/such");
  disk_.symlink("/nowhere", "/home/u/dangling");
  EXPECT_FALSE(real_path(disk_, "/home/u/dangling"));
  EXPECT_FALSE(real_path(disk_, "relative"));
}

}  // namespace
}  // namespace stravinsky::store
