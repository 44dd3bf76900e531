#include "txn/preflight.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "testing/outcome.h"
#include "testing/temp_dir.h"
#include "testing/trace_fs.h"
#include "testing/txn_fixture.h"

namespace stravinsky::txn {
namespace {

using testing::MemFsOptions;
using testing::outcome;
using testing::TxnFixture;

constexpr const char* kHook = "/home/u/.claude/hooks/a.py";

TxnFixture& with_a_hook(TxnFixture& t) {
  t.file("hooks/a.py", "old", 0755).settle();
  return t.replace("hooks/a.py", "new");
}

Result<Preflight> preflight(TxnFixture& t, uint64_t reserve_bytes = 0) {
  auto opened = t.open(t.disk());
  opened.context.reserve_bytes = reserve_bytes;
  ASSIGN_OR_RETURN(const Targets targets, Targets::open(t.disk(), t.plan(), ReplacedRoot::kRefuse));
  return run_preflight(opened.context, t.plan(), targets);
}

TEST(Preflight, PassesAndRemembersTheNodes) {
  TxnFixture t;
  with_a_hook(t).add("b", "b");
  const auto done = preflight(t);
  ASSERT_EQ(outcome(done), "ok");
  EXPECT_EQ(done->inodes[t.change_of("b")], 0U);
  EXPECT_EQ(done->inodes[t.change_of("hooks/a.py")], t.disk().snapshot(kHook).at(kHook).inode);
  EXPECT_TRUE(done->warnings.empty());
}

TEST(Preflight, WritesNothing) {
  TxnFixture t;
  with_a_hook(t);
  testing::TraceFs trace(t.disk());
  auto opened = t.open(trace);
  const auto targets = Targets::open(trace, t.plan(), ReplacedRoot::kRefuse);
  ASSERT_TRUE(run_preflight(opened.context, t.plan(), *targets));
  EXPECT_TRUE(trace.mutating_lines().empty());
}

TEST(Preflight, AnImmutableFileIsRefusedWithItsRealPath) {
  TxnFixture t;
  with_a_hook(t);
  t.disk().set_immutable(kHook, true);
  const auto done = preflight(t);
  ASSERT_EQ(outcome(done), "permission");
  EXPECT_NE(done.error().remedy.find(std::string("chattr -ia ") + kHook), std::string::npos);
}

TEST(Preflight, AnImmutableDirectoryIsRefused) {
  TxnFixture t;
  with_a_hook(t);
  t.disk().set_immutable("/home/u/.claude/hooks", true);
  EXPECT_EQ(outcome(preflight(t)), "permission");
}

TEST(Preflight, AMountPointIsRefused) {
  TxnFixture t({.second_device = "/home/u/.claude/commands"});
  t.settle().remove("commands");
  EXPECT_EQ(outcome(preflight(t)), "permission");
}

TEST(Preflight, AFifoIsRefused) {
  testing::TempDir temp;
  temp.put("f", "old");
  TxnFixture t;
  t.file("f", "old").settle().replace("f", "new");
  model::ChangePlan plan = t.plan();
  plan.anchors[0] = {.directory = temp.path(), .inode = temp.fs().stat_fd(temp.dir())->inode};
  const auto targets = Targets::open(temp.fs(), plan, ReplacedRoot::kRefuse);
  ASSERT_TRUE(targets) << targets.error().to_string();
  ASSERT_TRUE(temp.fs().unlink(temp.dir(), fs::RelPath::of("f")));
  ASSERT_EQ(mkfifo((temp.path() + "/f").c_str(), 0600), 0);
  const TransactionContext context{.fs = temp.fs(), .store = temp.dir(), .clock = t.clock()};
  EXPECT_EQ(outcome(run_preflight(context, plan, *targets)), "wrong_type");
}

TEST(Preflight, AReadOnlyFileSystemIsRefused) {
  TxnFixture t({.read_only = true});
  with_a_hook(t);
  EXPECT_EQ(outcome(preflight(t)), "permission");
}

TEST(Preflight, TooFewBytesAreRefusedWithTheNumbers) {
  TxnFixture t;
  t.settle().add("a", std::string(1000, 'x'));
  t.disk().set_free(1999, 100);
  const auto done = preflight(t);
  ASSERT_EQ(outcome(done), "no_space");
  EXPECT_NE(done.error().message.find("1,999 bytes are free where 2,000 "), std::string::npos)
      << done.error().message;
  t.disk().set_free(2000, 100);
  EXPECT_EQ(outcome(preflight(t)), "ok");
  EXPECT_EQ(outcome(preflight(t, 2001)), "no_space");
}

TEST(Preflight, TooFewInodesAreRefused) {
  TxnFixture t;
  t.settle().add("a", "1").add("b", "2");
  t.disk().set_free(1U << 20U, 3);
  EXPECT_EQ(outcome(preflight(t)), "no_space");
  t.disk().set_free(1U << 20U, 4);
  EXPECT_EQ(outcome(preflight(t)), "ok");
}

TEST(Preflight, WaitsForAWriterAndThenRefuses) {
  TxnFixture t;
  with_a_hook(t);
  const auto hooks = fs::File::open_root(t.disk(), "/home/u/.claude/hooks");
  auto writer =
      fs::File::open(t.disk(), hooks->fd(), fs::RelPath::of("a.py"), fs::OpenMode::kReadWrite);
  EXPECT_EQ(outcome(preflight(t)), "locked");
  EXPECT_EQ(t.clock().slept_ms(), 5000);
  ASSERT_TRUE(writer->close());
  EXPECT_EQ(outcome(preflight(t)), "ok");
}

TEST(Preflight, HardLinksAndOwnersThatChangeAreWarnedOf) {
  TxnFixture t;
  t.file("a", "1").file("b", "2").settle();
  t.replace("a", "x").replace("b", "y");
  const auto root = fs::File::open_root(t.disk(), testing::kTreeRoot);
  ASSERT_TRUE(
      t.disk().hard_link(root->fd(), fs::RelPath::of("a"), root->fd(), fs::RelPath::of("a2")));
  t.disk().set_owner("/home/u/.claude/b", 0, 0);
  const auto done = preflight(t);
  ASSERT_TRUE(done);
  ASSERT_EQ(done->warnings.size(), 2U);
  EXPECT_NE(done->warnings[0].find("hard links"), std::string::npos);
  EXPECT_NE(done->warnings[1].find("owner"), std::string::npos);
}

TEST(Preflight, ALinkThatLeadsElsewhereNowIsRefused) {
  TxnFixture t;
  t.file("real.json", "{}").link("settings.json", "real.json").settle();
  t.settings("real.json", "{1}").through_link(testing::kTreeRoot, "settings.json");
  t.disk().remove("/home/u/.claude/settings.json");
  t.link("settings.json", "elsewhere.json");
  EXPECT_EQ(outcome(preflight(t)), "changed");
}

TEST(Preflight, ADirectoryThatIsGoneIsRefused) {
  TxnFixture t;
  with_a_hook(t);
  t.disk().remove("/home/u/.claude/hooks");
  EXPECT_EQ(outcome(preflight(t)), "changed");
}

}  // namespace
}  // namespace stravinsky::txn
