#include "store/audit_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "codec/sha256.h"
#include "testing/audit_fixture.h"
#include "testing/fault_fs.h"
#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::store {
namespace {

using model::AuditEvent;
using model::AuditEventType;
using testing::AuditFixture;
using testing::outcome;
using Notes = std::vector<std::string>;

constexpr int64_t kNeverMs = 1'000'000'000;

TEST(AuditLog, EventsAreChainedFromTheFirst) {
  AuditFixture log;
  const auto first = log.log().append(testing::audit_event("a"));
  const auto second = log.log().append(testing::audit_event("b"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->link.seq, 1U);
  EXPECT_EQ(first->link.prev_hash, codec::Digest());
  EXPECT_EQ(second->link.seq, 2U);
  EXPECT_EQ(second->link.prev_hash, first->link.hash);
  EXPECT_EQ(second->link.log_id, first->link.log_id);
  EXPECT_EQ(first->user, "alice");
  EXPECT_EQ(first->hostname, "host");
  EXPECT_EQ(first->timestamp, "2026-01-08T15:34:22.000000Z");
  EXPECT_TRUE(first->event_id.starts_with("evt_"));
  EXPECT_NE(first->event_id, second->event_id);
  EXPECT_EQ(log.notes(), (Notes{"a", "b"}));
}

TEST(AuditLog, HeadNamesTheLastEventAndTheTreeOverAll) {
  AuditFixture log;
  log.append_events(5);
  const auto head = log.log().head();
  ASSERT_TRUE(head && *head);
  EXPECT_EQ((*head)->seq, 5U);
  EXPECT_EQ((*head)->size_bytes, log.text().size());
  codec::MerkleFrontier tree;
  for (const std::string& line : log.lines()) {
    tree.append(model::check_audit_line(line.substr(0, line.size() - 1))->hash.bytes);
  }
  EXPECT_EQ((*head)->frontier, tree);
}

TEST(AuditLog, StoreWithoutALogHasNoHead) {
  AuditFixture log;
  const auto head = log.log().head();
  ASSERT_TRUE(head);
  EXPECT_FALSE(*head);
  EXPECT_EQ(outcome(log.log().recover()), "ok");
  EXPECT_EQ(log.fs().snapshot("/store").size(), 1U);
}

TEST(AuditLog, FilesAreForTheirOwnerOnly) {
  AuditFixture log;
  log.append_events(1);
  for (const auto& [path, node] : log.fs().snapshot("/store/audit")) {
    EXPECT_EQ(node.mode, node.type == fs::NodeType::kDirectory ? 0700U : 0600U) << path;
  }
}

TEST(AuditLog, AppendOnlyAddsToTheLog) {
  AuditFixture log;
  log.append_events(3);
  const std::string before = log.text();
  log.append_events(1);
  EXPECT_TRUE(log.text().starts_with(before));
}

TEST(AuditLog, AppendCostsTheSameInALongLog) {
  AuditFixture log;
  const auto calls = [&log] {
    testing::FaultFs counting(log.fs(), {});
    EXPECT_TRUE(log.log_on(counting).append(testing::audit_event("x")));
    return counting.call_count();
  };
  log.append_events(3);
  const uint64_t in_a_short_log = calls();
  log.append_events(1'000);  // more than two blocks of the scanner
  EXPECT_EQ(calls(), in_a_short_log);
}

TEST(AuditLog, WritersThatTakeTurnsKeepOneChain) {
  AuditFixture log;
  AuditLog one = log.log();
  AuditLog other = log.log();
  for (const char* notes : {"a", "c", "e"}) {
    ASSERT_TRUE(one.append(testing::audit_event(notes)));
    ASSERT_TRUE(other.append(testing::audit_event(std::string(1, static_cast<char>(*notes + 1)))));
  }
  EXPECT_EQ(log.judge(), "none");
  EXPECT_EQ(log.notes(), (Notes{"a", "b", "c", "d", "e", "f"}));
}

TEST(AuditLog, WritersAtTheSameTimeKeepOneChain) {
  constexpr int kEventsEach = 20;
  testing::TempDir dir;
  testing::FakeClock clock;
  testing::SeededRandom random(1);
  const auto write = [&](const std::string& notes) {
    AuditLog log(dir.fs(), dir.dir(), clock, random, {"alice", "host"}, kNeverMs);
    for (int i = 0; i < kEventsEach; ++i) {
      const auto record = log.append(testing::audit_event(notes));
      EXPECT_TRUE(record) << record.error().to_string();
    }
  };
  std::vector<std::thread> writers;
  for (const char* name : {"a", "b", "c"}) writers.emplace_back(write, name);
  for (std::thread& writer : writers) writer.join();
  AuditLog log(dir.fs(), dir.dir(), clock, random, {"alice", "host"});
  const auto verdict = log.verify();
  ASSERT_TRUE(verdict) << verdict.error().to_string();
  EXPECT_TRUE(verdict->ok()) << verdict->message;
  EXPECT_EQ(verdict->events, 3U * kEventsEach);
}

TEST(AuditLog, WriterThatWaitsTooLongFailsClean) {
  AuditFixture log;
  log.append_events(1);
  const std::string before = log.text();
  {
    const auto holder = fs::File::open(log.fs(), log.store(), fs::RelPath::of("audit/lock"),
                                       fs::OpenMode::kReadWrite);
    ASSERT_TRUE(holder);
    ASSERT_TRUE(log.fs().try_lock(holder->fd(), fs::LockMode::kExclusive));
    EXPECT_EQ(log.append(), "locked");
    EXPECT_EQ(outcome(log.log().verify()), "locked");
    EXPECT_GE(log.clock().slept_ms(), 5'000);
  }
  EXPECT_EQ(log.text(), before);
  EXPECT_EQ(log.append(), "ok");
}

TEST(AuditLog, EventThatIsTooLongIsRefusedAndNothingWritten) {
  AuditFixture log;
  log.append_events(1);
  AuditEvent event = testing::audit_event("long");
  event.operations.resize(200, {std::string(model::kAuditTextMaxBytes, 'x'), "success", 1});
  EXPECT_EQ(outcome(log.log().append(event)), "usage");
  EXPECT_EQ(log.judge(), "none");
  EXPECT_EQ(log.notes(), (Notes{"event 1"}));
}

TEST(AuditLog, AppendThatFailsLeavesNothingInTheLog) {
  AuditFixture log;
  log.append_events(2);
  const std::string text = log.text();
  // The first write that fails is that of the line, the first sync that of the log.
  for (const testing::Op op : {testing::Op::kWrite, testing::Op::kSync}) {
    AuditFixture counted;
    counted.append_events(2);
    testing::FaultFs counting(counted.fs(), {});
    ASSERT_TRUE(counted.log_on(counting).append(testing::audit_event("counted")));
    const auto calls = counting.calls();
    const auto at = static_cast<uint64_t>(std::ranges::find(calls, op) - calls.begin()) + 1;
    testing::FaultFs failing(log.fs(),
                             {.kind = testing::FaultKind::kFailOnce, .at = at, .sys_errno = EIO});
    EXPECT_EQ(outcome(log.log_on(failing).append(testing::audit_event("failed"))), "io");
    ASSERT_EQ(failing.fired(), op);
    EXPECT_EQ(log.text(), text);
    EXPECT_EQ(log.judge(), "none");
  }
}

// --- after a crash

TEST(AuditLog, EventBehindTheHeadIsTakenUp) {
  AuditFixture log;
  log.append_events(2);
  const std::string head = log.head_text();
  ASSERT_EQ(log.append("not yet in the head"), "ok");
  log.put_head(head);
  ASSERT_EQ(outcome(log.log().recover()), "ok");
  EXPECT_NE(log.head_text(), head);
  EXPECT_EQ(log.judge(), "none");
  ASSERT_EQ(log.append("next"), "ok");
  EXPECT_EQ(log.notes(), (Notes{"event 1", "event 2", "not yet in the head", "next"}));
}

TEST(AuditLog, AppendCutAtEveryByteIsHealed) {
  AuditFixture log;
  log.append_events(2);
  const std::string text = log.text();
  const std::string head = log.head_text();
  ASSERT_EQ(log.append("cut short"), "ok");
  const std::string longer = log.text();
  for (size_t size = text.size() + 1; size < longer.size(); ++size) {
    AuditFixture cut;
    cut.append_events(1);  // makes the directory
    cut.put_text(longer.substr(0, size));
    cut.put_head(head);
    ASSERT_EQ(cut.judge(), "torn_tail 3 line 3") << size;
    ASSERT_EQ(cut.append("next"), "ok") << size;
    ASSERT_EQ(cut.judge(), "none") << size;
    ASSERT_EQ(cut.fs().contents("/store/audit/torn-3.bin"),
              longer.substr(text.size(), size - text.size()));
    const Notes notes = cut.notes();
    ASSERT_EQ(notes.size(), 4U) << size;
    ASSERT_EQ(notes.back(), "next");
    ASSERT_TRUE(cut.text().starts_with(text));
  }
}

TEST(AuditLog, HealingIsAnEventThatNamesTheBytesKept) {
  AuditFixture log;
  log.append_events(2);
  log.put_text(log.text() + "torn");
  ASSERT_EQ(outcome(log.log().recover()), "ok");
  const auto page = log.log().query({});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->events.size(), 3U);
  const AuditEvent& healed = page->events[0].event;
  EXPECT_EQ(healed.type, AuditEventType::kAuditHealed);
  EXPECT_EQ(healed.notes,
            "4 bytes of an append that was cut short are kept in audit/torn-3.bin, SHA-256 " +
                codec::sha256("torn").hex());
  // Only once.
  const std::string text = log.text();
  ASSERT_EQ(outcome(log.log().recover()), "ok");
  EXPECT_EQ(log.text(), text);
}

TEST(AuditLog, HealingThatWasCutShortIsFinished) {
  AuditFixture log;
  log.append_events(2);
  // The bytes were kept and cut off; then the power went.
  log.fs().write_file("/store/audit/torn-3.bin", "torn", 0600);
  // This time other bytes were left, by the healing event itself.
  log.put_text(log.text() + "other");
  ASSERT_EQ(log.append("next"), "ok");
  EXPECT_EQ(log.fs().contents("/store/audit/torn-3.bin"), "torn");
  EXPECT_EQ(log.fs().contents("/store/audit/torn-3.1.bin"), "other");
  const Notes notes = log.notes();
  ASSERT_EQ(notes.size(), 4U);
  EXPECT_NE(notes[2].find("torn-3.bin"), std::string::npos);
  EXPECT_NE(notes[2].find("torn-3.1.bin"), std::string::npos);
}

TEST(AuditLog, FirstAppendCutShortIsHealed) {
  AuditFixture log;
  log.append_events(1);
  const std::string first = log.text();
  log.fs().remove("/store/audit");
  // Stopped in the middle of the write of the first event: half of it is there.
  for (uint64_t at = 1; log.text().empty(); ++at) {
    testing::FaultFs stopped(log.fs(), {.kind = testing::FaultKind::kStop, .at = at});
    ASSERT_FALSE(log.log_on(stopped).append(testing::audit_event("first"))) << at;
  }
  ASSERT_LT(log.text().size(), first.size());
  EXPECT_EQ(log.append("next"), "ok");
  EXPECT_EQ(log.judge(), "none");
  EXPECT_EQ(log.notes().back(), "next");
}

TEST(AuditLog, TooManyBytesBehindTheHeadAreNotTakenForACrash) {
  AuditFixture log;
  log.append_events(2);
  const std::string text = log.text() + std::string(2 * model::kAuditLineMaxBytes + 1, '\0');
  log.put_text(text);
  EXPECT_EQ(log.append(), "corrupt");
  EXPECT_EQ(log.text().size(), text.size());
}

TEST(AuditLog, AppendToADamagedLogSaysWhatToDo) {
  AuditFixture log;
  log.append_events(2);
  log.put_text(log.text().substr(0, 100));
  const auto record = log.log().append(testing::audit_event("lost?"));
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(record.error().remedy, "");
  EXPECT_NE(record.error().untouched, "");
  EXPECT_EQ(outcome(log.log().recover()), "corrupt");
  EXPECT_EQ(outcome(log.log().contains_transaction("t1")), "corrupt");
}

TEST(AuditLog, LastEventIsCheckedBeforeAnotherFollowsIt) {
  AuditFixture log;
  log.append_events(2);
  std::string text = log.text();
  text[text.size() - 20] ^= 1;
  log.put_text(text);
  EXPECT_EQ(log.append(), "corrupt");
  EXPECT_EQ(log.text(), text);
}

// --- transactions

TEST(AuditLog, TransactionIsFoundByItsIdAndType) {
  AuditFixture log;
  AuditEvent event = testing::audit_event("a");
  event.tx = "0011223344556677";
  ASSERT_TRUE(log.log().append(event));
  log.append_events(3);
  const auto contains = [&log](std::string_view tx, std::optional<AuditEventType> type = {}) {
    const auto found = log.log().contains_transaction(tx, type);
    EXPECT_TRUE(found) << found.error().to_string();
    return found && *found;
  };
  EXPECT_TRUE(contains("0011223344556677"));
  EXPECT_TRUE(contains("0011223344556677", AuditEventType::kUpdateSuccess));
  EXPECT_FALSE(contains("0011223344556677", AuditEventType::kUpdateFailed));
  EXPECT_FALSE(contains("7766554433221100"));
  EXPECT_FALSE(contains("00112233"));
}

TEST(AuditLog, TransactionBehindTheHeadIsFoundAndMadeDurable) {
  AuditFixture log;
  log.append_events(1);
  const std::string head = log.head_text();
  AuditEvent event = testing::audit_event("a");
  event.tx = "0011223344556677";
  ASSERT_TRUE(log.log().append(event));
  log.put_head(head);
  const auto found = log.log().contains_transaction("0011223344556677");
  ASSERT_TRUE(found);
  EXPECT_TRUE(*found);
  EXPECT_NE(log.head_text(), head);
}

TEST(AuditLog, TransactionIsNotFoundWhereThereIsNoLog) {
  AuditFixture log;
  const auto found = log.log().contains_transaction("0011223344556677");
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

}  // namespace
}  // namespace stravinsky::store
