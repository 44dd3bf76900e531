// The rows of swap.h's table, on file systems with and without the flags of
// renameat2, and what stands there after a crash between two steps.
#include "txn/swap.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "testing/outcome.h"
#include "testing/trace_fs.h"
#include "testing/txn_fixture.h"
#include "txn/stage.h"

namespace stravinsky::txn {
namespace {

using testing::MemFs;
using testing::MemFsOptions;
using testing::outcome;
using testing::TxnFixture;

MemFsOptions flags(bool exchange, bool no_replace) {
  return {.has_exchange = exchange, .has_no_replace = no_replace};
}

// One change, staged; its names are leaf "a", stage, stash and rebuilt.
struct One {
  TxnFixture& t;
  Targets targets;
  std::string root = std::string(testing::kTreeRoot) + "/";
  std::string stage = root + ".rbk-00000000000000a1-0";
  std::string stash = stage + "o";
  std::string rebuilt = stage + "r";
  std::string old_bytes = "old";

  explicit One(TxnFixture& fixture)
      : t(fixture), targets(*Targets::open(t.disk(), t.plan(), ReplacedRoot::kRefuse)) {
    const StageRequest request{.image = &change().after, .change = 0, .mtime_ns = 1};
    if (change().after.is_absent()) return;
    EXPECT_TRUE(build_stage(t.disk(), targets.dir(0), targets.stage(0), request, t.content()));
  }
  const model::Change& change() { return t.plan().changes[0]; }
  Status put(fs::FileSystem* fs = nullptr) {
    return put_in_place(fs == nullptr ? t.disk() : *fs, targets, t.plan(), 0);
  }
  // The answer in a word; "" for the error's code.
  std::string back() {
    const Content before = [this](size_t, const std::string&, const codec::Sink& sink) {
      return sink(as_byte_span(old_bytes));
    };
    const auto taken = take_back(t.disk(), targets, t.plan(),
                                 {.change = 0, .before_content = &before, .mtime_ns = 1});
    if (!taken) return "<" + std::string(outcome(taken)) + ">";
    return *taken == TakenBack::kRestored    ? "restored"
           : *taken == TakenBack::kTheirEdit ? "their edit"
                                             : "left";
  }
  std::string at(const std::string& path) {
    const auto found = t.disk().snapshot(path);
    if (found.empty()) return "-";
    const auto& node = found.at(path);
    if (node.type == fs::NodeType::kDirectory) return "dir";
    return node.type == fs::NodeType::kSymlink ? "-> " + node.link_text : node.bytes;
  }
  std::string leaf() { return at(root + "a"); }
  // leaf, stage, stash
  std::string names() { return leaf() + " | " + at(stage) + " | " + at(stash); }
  void save(const std::string& path, const std::string& bytes) {  // by rename: another node
    if (at(path) != "-") t.disk().remove(path);
    t.disk().write_file(path, bytes);
  }
  void link(const std::string& from, const std::string& to) {
    const auto root_dir = fs::File::open_root(t.disk(), testing::kTreeRoot);
    EXPECT_TRUE(t.disk().hard_link(root_dir->fd(), name(from), root_dir->fd(), name(to)));
  }
  static fs::RelPath name(const std::string& path) {
    return fs::RelPath::of(path.substr(path.rfind('/') + 1));
  }
};

TxnFixture& replacing(TxnFixture& t) {
  return t.file("a", "old").settle().replace("a", "new");
}
TxnFixture& adding(TxnFixture& t) {
  return t.settle().add("a", "new");
}
TxnFixture& deleting(TxnFixture& t) {
  return t.file("a", "old").settle().remove("a");
}

class Swap : public ::testing::TestWithParam<MemFsOptions> {
 protected:
  TxnFixture t{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(EveryFileSystem, Swap,
                         ::testing::Values(flags(true, true), flags(false, true),
                                           flags(false, false)),
                         [](const auto& each) {
                           return std::string(each.param.has_exchange     ? "Exchange"
                                              : each.param.has_no_replace ? "NoReplace"
                                                                          : "PlainRename");
                         });

// --- forth and back

TEST_P(Swap, ReplaceAndBack) {
  One one(replacing(t));
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.leaf(), "new");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
  EXPECT_EQ(one.back(), "restored") << "once more changes nothing";
  EXPECT_EQ(one.leaf(), "old");
}

TEST_P(Swap, AddAndBack) {
  One one(adding(t));
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.names(), "new | - | -");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.names(), "- | new | -");
  EXPECT_EQ(one.back(), "restored");
}

TEST_P(Swap, DeleteAndBack) {
  One one(deleting(t));
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.names(), "- | old | -");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.names(), "old | - | -");
}

TEST_P(Swap, AFileBecomesADirectoryAndBack) {
  t.file("a", "old").settle().replace_by_dir("a", {{"x", "1"}});
  One one(t);
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.leaf(), "dir");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
}

TEST_P(Swap, ADirectoryBecomesAFileAndBack) {
  t.file("a/x", "1").settle().replace("a", "new");
  One one(t);
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.leaf(), "new");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.at(one.root + "a/x"), "1");
}

TEST_P(Swap, ADirectoryIsAddedAndDeletedAndBack) {
  t.settle().add_dir("a", {{"x", "1"}});
  One one(t);
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.at(one.root + "a/x"), "1");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "-");
  TxnFixture u(GetParam());
  u.file("a/x", "1").settle().remove("a");
  One other(u);
  ASSERT_EQ(outcome(other.put()), "ok");
  EXPECT_EQ(other.leaf(), "-");
  EXPECT_EQ(other.back(), "restored");
  EXPECT_EQ(other.at(other.root + "a/x"), "1");
}

TEST_P(Swap, ALinkBecomesAFileAndBack) {
  t.link("a", "elsewhere").settle().replace("a", "new");
  One one(t);
  ASSERT_EQ(outcome(one.put()), "ok");
  EXPECT_EQ(one.leaf(), "new");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "-> elsewhere");
}

// --- somebody was faster

TEST_P(Swap, ANameThatWasTakenMeanwhileIsNotReplaced) {
  One one(adding(t));
  one.save(one.root + "a", "theirs");
  EXPECT_EQ(outcome(one.put()), "changed");
  EXPECT_EQ(one.leaf(), "theirs");
  EXPECT_EQ(one.back(), "left");
  EXPECT_EQ(one.leaf(), "theirs");
}

TEST_P(Swap, ADirectoryWhoseNameWasTakenIsNotPutInPlace) {
  t.settle().add_dir("a", {{"x", "1"}});
  One one(t);
  one.save(one.root + "a", "theirs");
  EXPECT_EQ(outcome(one.put()), "changed");
  EXPECT_EQ(one.leaf(), "theirs");
}

TEST_P(Swap, ANameThatWentAwayMeanwhileIsNoticed) {
  One one(replacing(t));
  t.disk().remove(one.root + "a");
  EXPECT_EQ(outcome(one.put()), "changed");
  EXPECT_EQ(one.back(), "left") << "they deleted it";
  EXPECT_EQ(one.leaf(), "-");
}

// --- the table

TEST_P(Swap, NotYetInForceALeafThatTheyEditedStays) {
  One one(replacing(t));
  one.save(one.root + "a", "theirs");
  EXPECT_EQ(one.back(), "left");
  EXPECT_EQ(one.leaf(), "theirs");
  TxnFixture u(GetParam());
  One other(deleting(u));
  other.save(other.root + "a", "theirs");
  EXPECT_EQ(other.back(), "left");
  EXPECT_EQ(other.leaf(), "theirs");
}

TEST_P(Swap, TheirSaveJustBeforeReturns) {
  One one(replacing(t));
  one.save(one.root + "a", "theirs");
  ASSERT_TRUE(one.put());
  EXPECT_EQ(one.back(), "their edit");
  EXPECT_EQ(one.leaf(), "theirs");
  EXPECT_EQ(one.back(), "left") << "once more changes nothing";
  EXPECT_EQ(one.leaf(), "theirs");
}

TEST_P(Swap, TheirSaveJustAfterIsKeptAsideAndTheOldOneReturns) {
  One one(replacing(t));
  ASSERT_TRUE(one.put());
  one.save(one.root + "a", "theirs");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
  EXPECT_NE(one.names().find("theirs"), std::string::npos) << "for the leftovers";
  EXPECT_EQ(one.back(), "restored");
}

TEST_P(Swap, SavedBeforeAndAfterTheLaterStays) {
  One one(replacing(t));
  one.save(one.root + "a", "theirs 1");
  ASSERT_TRUE(one.put());
  one.save(one.root + "a", "theirs 2");
  for (int times = 0; times < 3; ++times) {
    EXPECT_EQ(one.back(), "left");
    EXPECT_EQ(one.leaf(), "theirs 2");
    EXPECT_NE(one.names().find("theirs 1"), std::string::npos);
  }
}

TEST_P(Swap, AnAddedFileThatTheyEditedStays) {
  One one(adding(t));
  ASSERT_TRUE(one.put());
  t.disk().write_file(one.root + "a", "edited");
  EXPECT_EQ(one.back(), "left");
  EXPECT_EQ(one.leaf(), "edited");
}

TEST_P(Swap, AnEqualFileThatIsNotOursStays) {
  One one(adding(t));
  one.save(one.root + "a", "new");
  EXPECT_EQ(one.back(), "left");
  EXPECT_EQ(one.leaf(), "new");
}

TEST_P(Swap, WhatTheyPutInTheDeletedPlaceIsKeptAside) {
  One one(deleting(t));
  ASSERT_TRUE(one.put());
  one.save(one.root + "a", "theirs");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
  EXPECT_NE(one.names().find("theirs"), std::string::npos);
}

TEST_P(Swap, WhatTheyDeletedSinceReturns) {
  One one(replacing(t));
  ASSERT_TRUE(one.put());
  t.disk().remove(one.root + "a");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
}

TEST_P(Swap, ADisplacedNodeThatIsGoneIsBuiltAgain) {
  One one(replacing(t));
  ASSERT_TRUE(one.put());
  t.disk().remove(GetParam().has_exchange ? one.stage : one.stash);
  t.disk().write_file(one.rebuilt, "half");  // of an attempt that was cut off
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
  EXPECT_EQ(one.at(one.rebuilt), "-");
  TxnFixture u(GetParam());
  One other(deleting(u));
  ASSERT_TRUE(other.put());
  u.disk().remove(other.stage);
  EXPECT_EQ(other.back(), "restored");
  EXPECT_EQ(other.leaf(), "old");
}

TEST_P(Swap, BuiltAgainNothingOfTheirsIsLost) {
  One one(replacing(t));
  ASSERT_TRUE(one.put());
  t.disk().remove(GetParam().has_exchange ? one.stage : one.stash);
  one.save(one.root + "a", "theirs 1");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
  one.save(one.root + "a", "theirs 2");
  EXPECT_EQ(one.back(), "left");
  EXPECT_EQ(one.leaf(), "theirs 2");
  EXPECT_NE(one.names().find("theirs 1"), std::string::npos);
}

TEST_P(Swap, BytesThatAreNotTheOldOnesAreNotPutBack) {
  One one(replacing(t));
  ASSERT_TRUE(one.put());
  t.disk().remove(GetParam().has_exchange ? one.stage : one.stash);
  one.old_bytes = "odl";
  EXPECT_EQ(one.back(), "<corrupt>");
  EXPECT_EQ(one.leaf(), "new");
}

// --- between two steps, without the flags

TEST(SwapWithoutFlags, LinkedAndNotYetReplaced) {
  TxnFixture t(flags(false, false));
  One one(replacing(t));
  one.link(one.root + "a", one.stash);
  EXPECT_EQ(one.names(), "old | new | old");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
  ASSERT_TRUE(one.put()) << "and forward again";
  EXPECT_EQ(one.names(), "new | - | old");
}

TEST(SwapWithoutFlags, OnTheWayBackLinkedAndNotYetReplaced) {
  TxnFixture t(flags(false, false));
  One one(replacing(t));
  ASSERT_TRUE(one.put());
  one.link(one.root + "a", one.stage);
  EXPECT_EQ(one.names(), "new | new | old");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "old");
}

TEST(SwapWithoutFlags, AddedUnderTwoNames) {
  TxnFixture t(flags(false, false));
  One one(adding(t));
  one.link(one.stage, one.root + "a");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.leaf(), "-");
}

TEST(SwapWithoutFlags, ADirectoryBetweenItsTwoRenames) {
  TxnFixture t(flags(false, false));
  t.file("a/x", "1").settle().replace("a", "new");
  One one(t);
  const auto root = fs::File::open_root(t.disk(), testing::kTreeRoot);
  ASSERT_TRUE(t.disk().rename(root->fd(), fs::RelPath::of("a"), root->fd(), One::name(one.stash),
                              fs::RenameMode::kReplace));
  EXPECT_EQ(one.names(), "- | new | dir");
  EXPECT_EQ(one.back(), "restored");
  EXPECT_EQ(one.at(one.root + "a/x"), "1");
}

TEST(SwapWithFlags, ReplacingIsOneRename) {
  TxnFixture t;
  One one(replacing(t));
  testing::TraceFs trace(t.disk());
  const auto through = Targets::open(trace, t.plan(), ReplacedRoot::kRefuse);
  trace.clear();
  ASSERT_TRUE(put_in_place(trace, *through, t.plan(), 0));
  ASSERT_EQ(trace.entries().size(), 1U);
  EXPECT_EQ(trace.entries()[0].op, testing::Op::kRenameExchange);
}

}  // namespace
}  // namespace stravinsky::txn
