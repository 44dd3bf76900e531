#include "store/audit_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "testing/audit_fixture.h"
#include "testing/case_step.h"

namespace stravinsky::store {
namespace {

using testing::AuditFixture;
using Lines = std::vector<std::string>;

// A log of six events; hostile cases are named by the attack.
class AuditScanTest : public ::testing::Test {
 protected:
  void SetUp() override { log.append_events(6); }

  // What the verifier says after the lines were changed.
  std::string after(const std::function<void(Lines&)>& attack) {
    Lines lines = log.lines();
    EXPECT_EQ(lines.size(), 6U);
    attack(lines);
    log.put_lines(lines);
    return log.judge();
  }

  static model::AuditRecord record_of(const std::string& line) {
    const auto record = model::parse_audit_line(line.substr(0, line.size() - 1));
    EXPECT_TRUE(record) << record.error().to_string();
    return record ? *record : model::AuditRecord{};
  }
  // The event with other notes and a hash that fits them.
  static std::string forged(const std::string& line) {
    model::AuditRecord record = record_of(line);
    record.event.notes = "forged";
    return model::audit_line(record) + "\n";
  }
  // Events from index on are written anew, each with the hash of the one before.
  static void rechain(Lines& lines, size_t index) {
    for (size_t i = index; i < lines.size(); ++i) {
      model::AuditRecord record = record_of(lines[i]);
      if (i > 0) record.link.prev_hash = record_of(lines[i - 1]).link.hash;
      record.link.seq = i + 1;
      lines[i] = model::audit_line(record) + "\n";
    }
  }

  AuditFixture log;
};

TEST_F(AuditScanTest, UntouchedLogIsWhole) {
  const AuditVerdict verdict = log.verify();
  EXPECT_TRUE(verdict.ok()) << verdict.message;
  EXPECT_EQ(verdict.events, 6U);
  EXPECT_EQ(verdict.first_bad_seq, 0U);
}

TEST_F(AuditScanTest, EverySingleBitFlipOfTheLogIsNoticed) {
  AuditFixture small;
  small.append_events(3);  // a first, a middle and a last one
  const std::string text = small.text();
  for (size_t bit = 0; bit < text.size() * 8; bit += testing::kCaseStep) {
    std::string flipped = text;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    small.put_text(flipped);
    const AuditVerdict verdict = small.verify();
    ASSERT_FALSE(verdict.ok()) << bit;
    const auto lines_before =
        static_cast<uint64_t>(std::ranges::count(text.substr(0, bit / 8), '\n'));
    ASSERT_EQ(verdict.first_bad_seq, lines_before + 1) << bit << verdict.message;
  }
}

TEST_F(AuditScanTest, EverySingleBitFlipOfTheHeadIsNoticed) {
  const std::string text = log.head_text();
  for (size_t bit = 0; bit < text.size() * 8; bit += testing::kCaseStep) {
    std::string flipped = text;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    log.put_head(flipped);
    // One flip makes a newer format_version of it.
    const std::string verdict = log.judge();
    ASSERT_TRUE(verdict == "head_damaged 7 line 7" || verdict == "newer_format 7 line 7") << bit;
    ASSERT_NE(log.append(), "ok") << bit;
    ASSERT_EQ(log.head_text(), flipped) << bit;
  }
}

// The chain holds and the last number is the head's; only the count is one more.
TEST_F(AuditScanTest, AnEventOfNumberZeroIsAnEdit) {
  for (const size_t place : {size_t{0}, size_t{3}, size_t{6}}) {
    SCOPED_TRACE(place);
    AuditFixture fresh;
    fresh.append_events(6);
    Lines lines = fresh.lines();
    lines.insert(lines.begin() + static_cast<ptrdiff_t>(place), lines[0]);
    for (size_t i = 0; i < lines.size(); ++i) {
      model::AuditRecord record = record_of(lines[i]);
      record.link.prev_hash = i > 0 ? record_of(lines[i - 1]).link.hash : codec::Digest();
      record.link.seq = i == place ? 0 : i + (i < place ? 1 : 0);
      lines[i] = model::audit_line(record) + "\n";
    }
    fresh.put_lines(lines);
    const std::string number = std::to_string(place + 1);
    EXPECT_EQ(fresh.judge(), "edit " + number + " line " + number);
    EXPECT_EQ(fresh.append(), "corrupt");
  }
}

TEST_F(AuditScanTest, EveryCutIsATruncation) {
  const std::string text = log.text();
  for (size_t size = 0; size < text.size(); size += testing::kCaseStep) {
    log.put_text(text.substr(0, size));
    const AuditVerdict verdict = log.verify();
    ASSERT_EQ(verdict.damage, AuditDamage::kTruncation) << size << verdict.message;
    const auto whole = static_cast<uint64_t>(std::ranges::count(text.substr(0, size), '\n'));
    ASSERT_EQ(verdict.first_bad_seq, whole + 1) << size;
    ASSERT_EQ(log.append(), "corrupt") << size;
    ASSERT_EQ(log.text(), text.substr(0, size)) << "append must leave a damaged log alone";
  }
}

TEST_F(AuditScanTest, RemovedLogIsATruncation) {
  log.fs().remove(testing::kAuditLogPath);
  EXPECT_EQ(log.judge(), "truncation 1 line 1");
  EXPECT_EQ(log.append(), "corrupt");
}

TEST_F(AuditScanTest, ChangedEventIsAnEdit) {
  EXPECT_EQ(after([](Lines& lines) { lines[2].replace(lines[2].find("event 3"), 7, "event X"); }),
            "edit 3 line 3");
}

TEST_F(AuditScanTest, ChangedEventWithAFittingHashIsAnEdit) {
  EXPECT_EQ(after([](Lines& lines) { lines[2] = forged(lines[2]); }), "edit 3 line 3");
}

TEST_F(AuditScanTest, InsertedGarbageIsAnEdit) {
  EXPECT_EQ(after([](Lines& lines) { lines.insert(lines.begin() + 3, "garbage\n"); }),
            "edit 4 line 4");
}

TEST_F(AuditScanTest, FirstEventThatFollowsAnotherIsAnEdit) {
  EXPECT_EQ(after([](Lines& lines) {
              model::AuditRecord record = record_of(lines[0]);
              record.link.prev_hash = codec::sha256("elsewhere");
              lines[0] = model::audit_line(record) + "\n";
            }),
            "edit 1 line 1");
}

TEST_F(AuditScanTest, RemovedEventIsADeletion) {
  EXPECT_EQ(after([](Lines& lines) { lines.erase(lines.begin() + 2); }), "deletion 3 line 3");
}

TEST_F(AuditScanTest, RemovedBeginningIsADeletion) {
  EXPECT_EQ(after([](Lines& lines) { lines.erase(lines.begin(), lines.begin() + 2); }),
            "deletion 1 line 1");
}

TEST_F(AuditScanTest, RemovedEventWithTheRestRenumberedIsARewrite) {
  EXPECT_EQ(after([](Lines& lines) {
              lines.erase(lines.begin() + 4);
              rechain(lines, 4);
              lines.push_back(lines[4]);
              rechain(lines, 5);
            }),
            "rewrite 5 line 5");
}

TEST_F(AuditScanTest, CopiedEventIsADuplicate) {
  EXPECT_EQ(after([](Lines& lines) { lines.insert(lines.begin() + 4, lines[1]); }),
            "duplicate 2 line 5");
}

TEST_F(AuditScanTest, TwoWritersWithTheSameNumberAreADuplicate) {
  EXPECT_EQ(after([](Lines& lines) { lines.insert(lines.begin() + 3, forged(lines[2])); }),
            "duplicate 3 line 4");
}

TEST_F(AuditScanTest, ExchangedEventsAreAReorder) {
  EXPECT_EQ(after([](Lines& lines) { std::swap(lines[1], lines[4]); }), "reorder 2 line 2");
}

TEST_F(AuditScanTest, RewrittenChainIsARewriteFromTheSubtreeThatDiffers) {
  // The head of six events holds subtrees of four and two.
  EXPECT_EQ(after([](Lines& lines) {
              lines[5] = forged(lines[5]);
              rechain(lines, 5);
            }),
            "rewrite 5 line 5");
  EXPECT_EQ(after([](Lines& lines) {
              lines[1] = forged(lines[1]);
              rechain(lines, 1);
            }),
            "rewrite 1 line 1");
}

TEST_F(AuditScanTest, LogOfAnotherStoreIsAReplacedLog) {
  // Another log id, for this one drew its own after six events.
  const std::string head = log.head_text();
  log.fs().remove(testing::kAuditLogPath);
  log.fs().remove(testing::kAuditHeadPath);
  log.append_events(6);
  log.put_head(head);
  EXPECT_EQ(log.judge(), "replaced_log 1 line 1");
}

TEST_F(AuditScanTest, EventOfAnotherLogIsAReplacedLog) {
  EXPECT_EQ(after([](Lines& lines) {
              model::AuditRecord record = record_of(lines[3]);
              record.link.log_id = std::string(32, 'a');
              lines[3] = model::audit_line(record) + "\n";
            }),
            "replaced_log 4 line 4");
}

TEST_F(AuditScanTest, RemovedHeadIsNoticed) {
  log.fs().remove(testing::kAuditHeadPath);
  EXPECT_EQ(log.judge(), "head_missing 7 line 7");
  EXPECT_EQ(log.append(), "corrupt");
}

TEST_F(AuditScanTest, DamageOfTheLogIsNamedEvenWhereTheHeadIsDamagedToo) {
  log.put_head("{}\n");
  EXPECT_EQ(after([](Lines& lines) { lines.erase(lines.begin() + 2); }), "deletion 3 line 3");
}

TEST_F(AuditScanTest, HeadThatLagsBehindIsNoDamage) {
  const std::string head = log.head_text();
  log.append_events(2);
  log.put_head(head);
  EXPECT_EQ(log.judge(), "none");
  EXPECT_EQ(log.verify().events, 8U);
}

TEST_F(AuditScanTest, BytesBehindTheHeadAreATornTail) {
  const std::string text = log.text();
  for (const std::string tail : {"{", "\n", "{\"seq\":7}\n", "{\"seq\":7}\nand more"}) {
    log.put_text(text + tail);
    EXPECT_EQ(log.judge(), "torn_tail 7 line 7") << tail;
  }
  log.put_text(text + std::string(5'000, '\0'));
  EXPECT_EQ(log.judge(), "torn_tail 7 line 7");
}

TEST_F(AuditScanTest, BadLineWithAWholeEventBehindItIsNoTornTail) {
  const std::string head = log.head_text();
  log.append_events(2);
  log.put_head(head);
  Lines lines = log.lines();
  lines[6][20] = '~';
  log.put_lines(lines);
  EXPECT_EQ(log.judge(), "edit 7 line 7");
  EXPECT_EQ(log.append(), "corrupt");
}

TEST_F(AuditScanTest, WholeEventBehindTheHeadThatDoesNotFollowIsNoTornTail) {
  Lines lines = log.lines();
  lines.push_back(lines[5]);
  log.put_lines(lines);
  EXPECT_EQ(log.judge(), "duplicate 6 line 7");
  EXPECT_EQ(log.append(), "corrupt");
}

TEST_F(AuditScanTest, NewerFormatIsNotJudged) {
  Lines lines = log.lines();
  const size_t at = lines[3].find("\"format_version\":1");
  lines[3][at + 17] = '2';
  log.put_lines(lines);
  EXPECT_EQ(log.judge(), "newer_format 4 line 4");
}

TEST_F(AuditScanTest, EditInTheMiddleIsNotHealedAwayWithATornTail) {
  Lines lines = log.lines();
  lines[2][20] = '~';
  lines.emplace_back("torn");
  log.put_lines(lines);
  const std::string text = log.text();
  EXPECT_EQ(log.judge(), "edit 3 line 3");
  EXPECT_EQ(log.append(), "corrupt");
  EXPECT_EQ(log.text(), text);
}

}  // namespace
}  // namespace stravinsky::store
