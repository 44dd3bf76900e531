#include "txn/record.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "testing/outcome.h"
#include "testing/txn_fixture.h"
#include "txn/archive.h"
#include "txn/before_images.h"

namespace stravinsky::txn {
namespace {

using testing::outcome;
using testing::TxnFixture;

// The tree that an installer left: new.py added, old.py changed, from "old\n".
struct RecordTest : public ::testing::Test {
  RecordTest() {
    t.file("hooks/old.py", "old\n").settle();
    t.replace("hooks/old.py", "changed\n").add("hooks/new.py", "new\n");
    t.plan();
    t.disk().write_file(std::string(testing::kTreeRoot) + "/hooks/old.py", "changed\n");
    t.disk().write_file(std::string(testing::kTreeRoot) + "/hooks/new.py", "new\n");
    t.disk().sync_everything();
  }
  Content old_bytes(std::string bytes) {
    return [bytes = std::move(bytes)](size_t, const std::string&, const codec::Sink& sink) {
      return sink(as_byte_span(bytes));
    };
  }
  TxnFixture t;
};

TEST_F(RecordTest, IsADoneTransactionWithTheOldBytes) {
  auto opened = t.open(t.disk());
  auto record = Record::write(opened.context, t.plan(), old_bytes("old\n"));
  ASSERT_EQ(outcome(record), "ok");
  ASSERT_EQ(outcome(record->close()), "ok");
  const auto dir = open_transaction(t.disk(), opened.store.fd(), Shelf::kDone, testing::kTxId);
  ASSERT_EQ(outcome(dir), "ok");
  const auto journal = read_journal(t.disk(), dir->fd());
  ASSERT_EQ(outcome(journal), "ok");
  EXPECT_TRUE(journal->committed);
  EXPECT_EQ(journal->state, TransactionState::kEnded);
  std::string old;
  EXPECT_EQ(outcome(read_before_image(t.disk(), dir->fd(), BeforePlaces(journal->plan),
                                      t.change_of("hooks/old.py"), "",
                                      [&](std::span<const std::byte> piece) -> Status {
                                        old += as_text(piece);
                                        return {};
                                      })),
            "ok");
  EXPECT_EQ(old, "old\n");
  EXPECT_EQ(t.contents("hooks/old.py"), "changed\n") << "no target is touched";
}

TEST_F(RecordTest, OtherBytesThanThePlansLeaveNothing) {
  auto opened = t.open(t.disk());
  EXPECT_EQ(outcome(Record::write(opened.context, t.plan(), old_bytes("other\n"))), "corrupt");
  EXPECT_TRUE(list_transactions(t.disk(), opened.store.fd(), Shelf::kOpen)->empty());
}

TEST_F(RecordTest, WhatWasWrittenIsCompletedByRecoveryWithoutTouchingTheTree) {
  auto opened = t.open(t.disk());
  ASSERT_EQ(outcome(Record::write(opened.context, t.plan(), old_bytes("old\n"))), "ok");
  const auto cut = t.disk().crashed({});  // only what is certain to be on the disk
  const auto recovered = t.recover_all(*cut);
  ASSERT_EQ(outcome(recovered), "ok");
  ASSERT_EQ(recovered->size(), 1U);
  EXPECT_EQ(recovered->front().action, RecoveryAction::kCompleted);
  EXPECT_EQ(t.contents(*cut, "hooks/old.py"), "changed\n");
  EXPECT_EQ(t.contents(*cut, "hooks/new.py"), "new\n");
}

}  // namespace
}  // namespace stravinsky::txn
