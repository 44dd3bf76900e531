#include "txn/targets.h"

#include <gtest/gtest.h>

#include "testing/outcome.h"
#include "testing/trace_fs.h"
#include "testing/txn_fixture.h"

namespace stravinsky::txn {
namespace {

using testing::kTreeRoot;
using testing::outcome;
using testing::TxnFixture;

Result<Targets> open(TxnFixture& t, ReplacedRoot replaced = ReplacedRoot::kRefuse) {
  return Targets::open(t.disk(), t.plan(), replaced);
}

TEST(Targets, NamesLieInTheDirectoryOfTheChange) {
  TxnFixture t;
  t.file("hooks/a.py", "old").settle().replace("hooks/a.py", "new").add("top", "t");
  const auto targets = open(t);
  ASSERT_TRUE(targets);
  EXPECT_EQ(targets->leaf(0).str(), "a.py");
  EXPECT_EQ(targets->stage(0).str(), ".rbk-00000000000000a1-0");
  EXPECT_EQ(targets->stash(1).str(), ".rbk-00000000000000a1-1o");
  EXPECT_EQ(targets->rebuilt(1).str(), ".rbk-00000000000000a1-1r");
  EXPECT_EQ(*t.disk().path_of(targets->dir(0)), std::string(kTreeRoot) + "/hooks");
  EXPECT_EQ(*t.disk().path_of(targets->dir(1)), kTreeRoot);
}

TEST(Targets, AMissingRootIsNotFound) {
  TxnFixture t;
  t.settle().add("a", "a");
  t.disk().remove(kTreeRoot);
  EXPECT_EQ(outcome(open(t)), "not_found");
  EXPECT_EQ(outcome(open(t, ReplacedRoot::kAccept)), "not_found");
}

TEST(Targets, AReplacedRootIsRefusedUnlessAccepted) {
  TxnFixture t;
  t.settle().add("a", "a");
  t.disk().remove(kTreeRoot);
  t.disk().make_dirs(kTreeRoot);
  EXPECT_EQ(outcome(open(t)), "changed");
  EXPECT_EQ(outcome(open(t, ReplacedRoot::kAccept)), "ok");
}

TEST(Targets, ARootThatIsALinkNowIsRefused) {
  TxnFixture t;
  t.settle().add("a", "a");
  t.disk().make_dirs("/elsewhere");
  t.disk().remove(kTreeRoot);
  t.disk().symlink("/elsewhere", kTreeRoot);
  EXPECT_EQ(outcome(open(t)), "changed");
}

TEST(Targets, AMissingParentIsUnreachable) {
  TxnFixture t;
  t.file("hooks/a.py", "old").settle().replace("hooks/a.py", "new").add("b", "b");
  t.disk().remove("/home/u/.claude/hooks");
  const auto targets = open(t);
  ASSERT_TRUE(targets);
  EXPECT_FALSE(targets->reachable(t.change_of("hooks/a.py")));
  EXPECT_TRUE(targets->reachable(t.change_of("b")));
}

TEST(Targets, ALinkPlantedInAParentIsRefused) {
  TxnFixture t;
  t.file("hooks/sub/a.py", "old").settle().replace("hooks/sub/a.py", "new");
  t.disk().make_dirs("/victim/sub");
  t.disk().remove("/home/u/.claude/hooks");
  t.disk().symlink("/victim", "/home/u/.claude/hooks");
  EXPECT_EQ(outcome(open(t)), "wrong_type");
}

TEST(Targets, SyncReachesEveryDirectoryOnce) {
  TxnFixture t;
  t.file("hooks/a.py", "a").file("hooks/b.py", "b").file("agents/c.md", "c").settle();
  t.replace("hooks/a.py", "1").replace("hooks/b.py", "2").replace("agents/c.md", "3");
  testing::TraceFs trace(t.disk());
  const auto targets = Targets::open(trace, t.plan(), ReplacedRoot::kRefuse);
  trace.clear();
  ASSERT_TRUE(targets->sync(trace));
  EXPECT_EQ(trace.mutating_lines(),
            (std::vector<std::string>{"sync full .", "sync full agents", "sync full hooks"}));
}

TEST(Targets, WhereThatDoesNotSufficeEachFileSystemIsSyncedOnce) {
  TxnFixture t({.directory_sync_suffices = false, .second_device = "/home/u/dotfiles"});
  t.file("hooks/a.py", "a").file("agents/c.md", "c").settle();
  t.replace("hooks/a.py", "1").replace("agents/c.md", "3");
  t.anchor("/home/u/dotfiles").add("d", "d");
  testing::TraceFs trace(t.disk());
  const auto targets = Targets::open(trace, t.plan(), ReplacedRoot::kRefuse);
  ASSERT_TRUE(targets->sync(trace));
  EXPECT_EQ(trace.count(testing::Op::kSyncFileSystem), 2U);
}

TEST(Targets, ALinkThatReadsOtherwiseIsNoticed) {
  TxnFixture t;
  t.file("real.json", "{}").link("settings.json", "real.json").settle();
  t.settings("real.json", "{1}").through_link(kTreeRoot, "settings.json");
  EXPECT_EQ(outcome(check_links(t.disk(), t.plan())), "ok");
  t.disk().remove("/home/u/.claude/settings.json");
  EXPECT_EQ(outcome(check_links(t.disk(), t.plan())), "changed");
  t.link("settings.json", "other.json");
  EXPECT_EQ(outcome(check_links(t.disk(), t.plan())), "changed");
}

}  // namespace
}  // namespace stravinsky::txn
