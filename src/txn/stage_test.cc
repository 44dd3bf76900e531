#include "txn/stage.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "testing/outcome.h"
#include "testing/txn_fixture.h"
#include "txn/inspect.h"

namespace stravinsky::txn {
namespace {

using fs::RelPath;
using testing::outcome;
using testing::TxnFixture;

struct Staged {
  TxnFixture& t;
  fs::File root;
  explicit Staged(TxnFixture& fixture) : t(fixture) {
    root = *fs::File::open_root(t.disk(), testing::kTreeRoot);
  }
  Status build(int64_t mtime_ns = 5) {
    const StageRequest request{
        .image = &t.plan().changes[0].after, .change = 0, .mtime_ns = mtime_ns};
    return build_stage(t.disk(), root.fd(), RelPath::of("s"), request, t.content());
  }
  Status sync() {
    return sync_stage(t.disk(), root.fd(), RelPath::of("s"), t.plan().changes[0].after);
  }
  model::Image image() { return *inspect(t.disk(), root.fd(), RelPath::of("s")); }
};

TEST(Stage, BuildsATreeWithModesAndMtime) {
  TxnFixture t;
  t.settle().add_dir("d", {{"x", "1"}, {"sub/y", "22"}, {"empty/", ""}}, 0750);
  Staged s(t);
  ASSERT_EQ(outcome(s.build(123)), "ok");
  EXPECT_TRUE(s.image().same_as(t.plan().changes[0].after));
  EXPECT_EQ(t.disk().stat(s.root.fd(), RelPath::of("s/sub/y"))->mtime_ns, 123);
}

TEST(Stage, BuildsALinkAndAReadOnlyFile) {
  TxnFixture t;
  t.settle().add_link("l", "../elsewhere");
  Staged s(t);
  ASSERT_EQ(outcome(s.build()), "ok");
  EXPECT_EQ(s.image().link_text, "../elsewhere");
  TxnFixture u;
  u.settle().add("f", "bytes", 0444);
  Staged r(u);
  ASSERT_EQ(outcome(r.build()), "ok");
  ASSERT_EQ(outcome(r.sync()), "ok");
  EXPECT_EQ(r.image().mode, 0444U);
}

TEST(Stage, OtherBytesThanPlannedAreRefused) {
  TxnFixture t;
  t.settle().add("f", "bytes");
  t.new_bytes()["f|"] = "bytez";
  Staged s(t);
  EXPECT_EQ(outcome(s.build()), "corrupt");
}

TEST(Stage, ATakenNameIsNotOverwritten) {
  TxnFixture t;
  t.file("s", "theirs").settle().add("f", "bytes");
  Staged s(t);
  EXPECT_EQ(outcome(s.build()), "already_exists");
  EXPECT_EQ(t.contents("s"), "theirs");
}

TEST(Stage, ALinkPlantedAtTheNameIsNotFollowed) {
  TxnFixture t;
  t.file("victim", "theirs").link("s", "victim").settle().add("f", "bytes");
  Staged s(t);
  EXPECT_EQ(outcome(s.build()), "already_exists");
  EXPECT_EQ(t.contents("victim"), "theirs");
}

TEST(Stage, ASyncMakesAllOfItDurableButItsName) {
  TxnFixture t;
  t.settle().add_dir("d", {{"x", "1"}, {"sub/y", "22"}}, 0750);
  Staged s(t);
  ASSERT_TRUE(s.build());
  ASSERT_TRUE(s.sync());
  EXPECT_TRUE(t.disk().crashed({})->snapshot("/home/u/.claude/s").empty());
  ASSERT_TRUE(t.disk().sync(s.root.fd(), fs::SyncKind::kFull));
  const auto after = t.disk().crashed({});
  EXPECT_EQ(difference(t.disk().snapshot(), after->snapshot()), "");
}

TEST(Stage, ATreeOfReadOnlyDirectoriesCanBeRemoved) {
  TxnFixture t;
  t.file("s/sub/x", "1").settle();
  t.disk().set_mode("/home/u/.claude/s/sub", 0555);
  t.disk().set_mode("/home/u/.claude/s", 0555);
  Staged s(t);
  ASSERT_EQ(outcome(remove_stage(t.disk(), s.root.fd(), RelPath::of("s"))), "ok");
  EXPECT_TRUE(s.image().is_absent());
  EXPECT_EQ(outcome(remove_stage(t.disk(), s.root.fd(), RelPath::of("s"))), "ok");
}

}  // namespace
}  // namespace stravinsky::txn
