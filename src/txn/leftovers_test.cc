#include "txn/leftovers.h"

#include <gtest/gtest.h>

#include "testing/outcome.h"
#include "testing/txn_fixture.h"
#include "txn/swap.h"

namespace stravinsky::txn {
namespace {

using testing::outcome;
using testing::TxnFixture;

const std::string kTree = std::string(testing::kTreeRoot) + "/";
const std::string kStage = kTree + ".rbk-00000000000000a1-0";
const std::string kConflicts =
    std::string(testing::kStoreRoot) + "/recovery/conflicts/00000000000000a1/";

Result<std::vector<Kept>> clean(TxnFixture& t, LeftoverKind kind = LeftoverKind::kDisplaced) {
  auto opened = t.open(t.disk());
  ASSIGN_OR_RETURN(const Targets targets, Targets::open(t.disk(), t.plan(), ReplacedRoot::kRefuse));
  return remove_leftovers(opened.context, t.plan(), targets, kind);
}

TxnFixture& replacing_one(TxnFixture& t) {
  return t.file("a", "old", 0755).settle().replace("a", "new");
}

TEST(Leftovers, WhatTheTransactionKnowsIsRemoved) {
  for (const char* bytes : {"old", "new"}) {
    TxnFixture t;
    replacing_one(t);
    t.disk().write_file(kStage, bytes, 0755);
    t.disk().write_file(kStage + "o", bytes, 0755);
    t.disk().write_file(kStage + "r", "half-bui");
    const auto kept = clean(t);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->empty());
    EXPECT_EQ(difference(t.old_tree(), t.tree(t.disk())), "");
  }
}

TEST(Leftovers, ALateEditIsSetAsideFirst) {
  TxnFixture t;
  replacing_one(t);
  t.disk().write_file(kStage, "late", 0700);
  const auto kept = clean(t);
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->front().display, "~/.claude/a");
  EXPECT_EQ(kept->front().kept_at, "recovery/conflicts/00000000000000a1/0-a");
  const auto after = t.disk().crashed({});  // durable, the removal too
  EXPECT_EQ(after->contents(kConflicts + "0-a"), "late");
  EXPECT_EQ(after->snapshot(kConflicts + "0-a").at(kConflicts + "0-a").mode, 0700U);
  EXPECT_EQ(difference(t.old_tree(), t.tree(*after)), "");
}

TEST(Leftovers, TwoEditsOfOneFileAreBothKept) {
  TxnFixture t;
  replacing_one(t);
  t.disk().write_file(kStage, "one");
  t.disk().write_file(kStage + "o", "two");
  ASSERT_EQ(clean(t)->size(), 2U);
  EXPECT_EQ(t.disk().contents(kConflicts + "0-a"), "one");
  EXPECT_EQ(t.disk().contents(kConflicts + "0o-a"), "two");
}

TEST(Leftovers, ATreeWithAnEditIsSetAsideWhole) {
  TxnFixture t;
  t.file("a/x", "1").file("a/y", "2").settle().remove("a");
  t.disk().write_file(kStage + "/x", "1");
  t.disk().write_file(kStage + "/mine", "m");
  ASSERT_EQ(clean(t)->size(), 1U);
  EXPECT_EQ(t.disk().contents(kConflicts + "0-a/mine"), "m");
  EXPECT_TRUE(t.disk().snapshot(kStage).empty());
}

TEST(Leftovers, ATreeWhoseRemovalWasCutOffIsNobodysEdit) {
  TxnFixture t;
  t.file("a/x", "1").file("a/sub/y", "2").settle().remove("a");
  t.disk().write_file(kStage + "/sub/y", "2");  // x is gone already
  const auto kept = clean(t);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->empty());
  EXPECT_TRUE(t.disk().snapshot(kConflicts.substr(0, kConflicts.size() - 1)).empty());
}

TEST(Leftovers, ATreeOfReadOnlyDirectoriesIsRemoved) {
  TxnFixture t;
  t.file("a/x", "1").settle();
  t.disk().set_mode("/home/u/.claude/a", 0555);
  t.remove("a");
  ASSERT_EQ(outcome(t.update(t.disk())), "ok");
  EXPECT_TRUE(t.broken_rules(t.disk(), true).empty());
}

TEST(Leftovers, StagesOfAnUntouchedTreeAreNotLookedAt) {
  TxnFixture t;
  replacing_one(t);
  t.disk().write_file(kStage, "half-buil");
  ASSERT_TRUE(clean(t, LeftoverKind::kOnlyStages)->empty());
  EXPECT_TRUE(t.disk().snapshot(kStage).empty());
}

TEST(Leftovers, WithoutSpaceToSetItAsideItStays) {
  TxnFixture t;
  replacing_one(t);
  t.disk().write_file(kStage, "late");
  t.disk().set_free(0, 0);
  const auto kept = clean(t);
  ASSERT_EQ(outcome(kept), "no_space");
  EXPECT_EQ(kept.error().context.front(), "while setting aside a late edit of ~/.claude/a");
  EXPECT_EQ(t.disk().contents(kStage), "late");
}

TEST(Leftovers, ALongNameIsCut) {
  TxnFixture t;
  const std::string name(255, 'n');
  t.file(name, "old").settle().replace(name, "new");
  t.disk().write_file(kStage, "late");
  const auto kept = clean(t);
  ASSERT_TRUE(kept) << kept.error().to_string();
  EXPECT_EQ(t.disk().contents(std::string(testing::kStoreRoot) + "/" + kept->front().kept_at),
            "late");
}

}  // namespace
}  // namespace stravinsky::txn
