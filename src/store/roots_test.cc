#include "store/roots.h"

#include <gtest/gtest.h>

#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

class RootsTest : public ::testing::Test {
 protected:
  RootsTest() { disk_.make_dirs("/home/u/work/p/src/deep"); }
  Roots find(std::string working_directory) {
    request_.working_directory = std::move(working_directory);
    auto roots = find_roots(disk_, request_);
    EXPECT_TRUE(roots) << roots.error().to_string();
    return roots ? *roots : Roots{};
  }
  std::string project(std::string working_directory) {
    const Roots roots = find(std::move(working_directory));
    return roots.project ? roots.project->path : "none";
  }
  testing::MemFs disk_;
  RootsRequest request_{.home = "/home/u", .working_directory = "/home/u"};
};

TEST_F(RootsTest, AFreshHomeIsLegal) {
  const Roots roots = find("/home/u/work");
  EXPECT_EQ(roots.user.path, "/home/u/.claude");
  EXPECT_FALSE(roots.user.exists);
  EXPECT_FALSE(roots.project);
}

TEST_F(RootsTest, TheConfigDirectoryReplacesTheUsersRoot) {
  disk_.make_dirs("/home/u/.claude");
  disk_.make_dirs("/srv/conf");
  disk_.symlink("/srv/conf", "/home/u/conf");
  request_.claude_config_dir = "/home/u/conf";
  const Roots roots = find("/home/u/work");
  EXPECT_EQ(roots.user.path, "/srv/conf");
  EXPECT_TRUE(roots.user.exists);
  request_.claude_config_dir = "";
  EXPECT_EQ(find("/home/u/work").user.path, "/home/u/.claude");
}

TEST_F(RootsTest, TheProjectIsSearchedUpwards) {
  disk_.make_dirs("/home/u/work/p/.claude");
  EXPECT_EQ(project("/home/u/work/p/src/deep"), "/home/u/work/p/.claude");
  EXPECT_EQ(project("/home/u/work/p"), "/home/u/work/p/.claude");
  EXPECT_EQ(project("/home/u/work"), "none");
  EXPECT_EQ(find("/home/u/work/p").project_directory, "/home/u/work/p");
}

TEST_F(RootsTest, TheHomeDirectoryIsNeverAProject) {
  disk_.make_dirs("/home/u/.claude/hooks");
  EXPECT_EQ(project("/home/u"), "none");
  EXPECT_EQ(project("/home/u/work/p"), "none");
  EXPECT_EQ(project("/home/u/.claude/hooks"), "none");
}

TEST_F(RootsTest, AnOuterProjectEndsAtARepository) {
  disk_.make_dirs("/home/u/work/.claude");
  EXPECT_EQ(project("/home/u/work/p/src"), "/home/u/work/.claude");
  disk_.write_file("/home/u/work/p/.git", "gitdir: elsewhere\n");  // a linked worktree
  EXPECT_EQ(project("/home/u/work/p/src"), "none");
  disk_.remove("/home/u/work/p/.git");
  disk_.make_dirs("/home/u/work/p/.git");
  EXPECT_EQ(project("/home/u/work/p/src"), "none");
  disk_.make_dirs("/home/u/work/p/.claude");
  EXPECT_EQ(project("/home/u/work/p/src"), "/home/u/work/p/.claude");
}

TEST_F(RootsTest, TheOptionOverridesTheSearch) {
  disk_.make_dirs("/home/u/work/p/.claude");
  disk_.make_dirs("/srv/q");
  request_.project = "/srv/q";
  const Roots roots = find("/home/u/work/p");
  ASSERT_TRUE(roots.project);
  EXPECT_EQ(roots.project->path, "/srv/q/.claude");
  EXPECT_FALSE(roots.project->exists);
  request_.project = "/srv/absent";
  EXPECT_FALSE(find_roots(disk_, request_));
}

TEST_F(RootsTest, TheUsersRootIsNotAProjectsToo) {
  disk_.make_dirs("/home/u/work/p/.claude");
  request_.claude_config_dir = "/home/u/work/p/.claude";
  EXPECT_EQ(project("/home/u/work/p"), "none");
}

TEST_F(RootsTest, ADanglingRootIsAnError) {
  disk_.symlink("/nowhere", "/home/u/.claude");
  EXPECT_FALSE(find_roots(disk_, request_));
}

TEST_F(RootsTest, WhatCannotBeATreeIsRefused) {
  for (const char* directory : {"/", "/home/u", "/home/u/", "conf", "./conf"}) {
    request_.claude_config_dir = directory;
    EXPECT_EQ(testing::outcome(find_roots(disk_, request_)), "usage") << directory;
  }
  request_.claude_config_dir.reset();
  for (const char* directory : {"/", "/home/u"}) {
    request_.project = directory;
    EXPECT_EQ(testing::outcome(find_roots(disk_, request_)), "usage") << directory;
  }
}

TEST_F(RootsTest, TheStoreAndTheTreesStayApart) {
  const Roots roots = find("/home/u");
  EXPECT_EQ(testing::outcome(refuse_overlap(disk_, roots, "/home/u/.claude/store")), "usage");
  EXPECT_EQ(testing::outcome(refuse_overlap(disk_, roots, "/home/u/.claude")), "usage");
  EXPECT_EQ(testing::outcome(refuse_overlap(disk_, roots, "/home/u")), "usage");
  EXPECT_EQ(testing::outcome(refuse_overlap(disk_, roots, "/home/u/.stravinsky/rollback")), "ok");
}

}  // namespace
}  // namespace stravinsky::store
