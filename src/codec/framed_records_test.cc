#include "codec/framed_records.h"

#include <gtest/gtest.h>

namespace stravinsky::codec {
namespace {

const std::vector<std::string> kPayloads = {"first", "", std::string("third\0\n", 7)};

std::string log_of(const std::vector<std::string>& payloads) {
  std::string log;
  for (size_t i = 0; i < payloads.size(); ++i) log += frame_record(i, payloads[i]);
  return log;
}

// Where each record of kPayloads ends.
std::vector<size_t> ends() {
  std::vector<size_t> result;
  result.reserve(kPayloads.size());
  size_t end = 0;
  for (size_t i = 0; i < kPayloads.size(); ++i)
    result.push_back(end += frame_record(i, kPayloads[i]).size());
  return result;
}

size_t whole_records(size_t size) {
  size_t count = 0;
  for (const size_t end : ends()) count += end <= size ? 1 : 0;
  return count;
}

std::vector<std::string> front(size_t count) {
  return {kPayloads.begin(), kPayloads.begin() + static_cast<ptrdiff_t>(count)};
}

TEST(FramedRecords, RoundTrip) {
  const std::string log = log_of(kPayloads);
  const FramedRecords records = parse_records(log);
  EXPECT_EQ(records.payloads, kPayloads);
  EXPECT_EQ(records.valid_bytes, log.size());
  EXPECT_FALSE(records.torn_tail);
  EXPECT_FALSE(records.damaged);
}

TEST(FramedRecords, TheFormatIsAsDocumented) {
  const std::string record = frame_record(0x0102, "xyz");
  ASSERT_EQ(record.size(), 55U);
  EXPECT_EQ(record.substr(0, 20), std::string("SRBREC01\3\0\0\0\2\1\0\0\0\0\0\0", 20));
  EXPECT_EQ(record.substr(52), "xyz");
}

TEST(FramedRecords, NoBytesAreNoRecords) {
  const FramedRecords records = parse_records("");
  EXPECT_TRUE(records.payloads.empty());
  EXPECT_FALSE(records.torn_tail);
  EXPECT_FALSE(records.damaged);
}

TEST(FramedRecords, ACutAtEveryByteKeepsTheRecordsBefore) {
  const std::string log = log_of(kPayloads);
  const std::vector<size_t> record_ends = ends();
  for (size_t size = 0; size < log.size(); ++size) {
    const size_t whole = whole_records(size);
    const size_t valid_bytes = whole == 0 ? 0 : record_ends[whole - 1];
    const FramedRecords records = parse_records(log.substr(0, size));
    EXPECT_EQ(records.payloads, front(whole)) << size;
    EXPECT_EQ(records.valid_bytes, valid_bytes) << size;
    EXPECT_EQ(records.torn_tail, size != valid_bytes) << size;
    EXPECT_FALSE(records.damaged) << size;
  }
}

TEST(FramedRecords, AfterACutTheNextRecordGoesToValidBytes) {
  const std::string log = log_of(kPayloads);
  for (size_t size = 0; size < log.size(); ++size) {
    const FramedRecords cut = parse_records(log.substr(0, size));
    std::vector<std::string> wanted = cut.payloads;
    wanted.emplace_back("again");
    const FramedRecords healed =
        parse_records(log.substr(0, cut.valid_bytes) + frame_record(cut.payloads.size(), "again"));
    EXPECT_EQ(healed.payloads, wanted) << size;
    EXPECT_FALSE(healed.torn_tail || healed.damaged) << size;
  }
}

TEST(FramedRecords, EveryBitFlipIsNoticed) {
  const std::string log = log_of(kPayloads);
  for (size_t bit = 0; bit < log.size() * 8; ++bit) {
    std::string bad = log;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const size_t hit = whole_records(bit / 8);
    const FramedRecords records = parse_records(bad);
    EXPECT_EQ(records.payloads, front(hit)) << bit;
    // Behind a flip in the last record there is nothing valid: a torn tail.
    EXPECT_EQ(records.damaged, hit + 1 < kPayloads.size()) << bit;
    EXPECT_EQ(records.torn_tail, hit + 1 == kPayloads.size()) << bit;
  }
}

TEST(FramedRecords, NulTailIsTorn) {
  const std::string log = log_of(kPayloads);
  for (const size_t size : {1U, 8U, 52U, 4096U}) {
    const FramedRecords records = parse_records(log + std::string(size, '\0'));
    EXPECT_EQ(records.payloads, kPayloads);
    EXPECT_EQ(records.valid_bytes, log.size());
    EXPECT_TRUE(records.torn_tail);
    EXPECT_FALSE(records.damaged);
  }
}

TEST(FramedRecords, NulHoleBeforeAValidRecordIsDamage) {
  const FramedRecords records =
      parse_records(frame_record(0, "a") + std::string(100, '\0') + frame_record(1, "b"));
  EXPECT_EQ(records.payloads, std::vector<std::string>{"a"});
  EXPECT_TRUE(records.damaged);
  EXPECT_FALSE(records.torn_tail);
}

TEST(FramedRecords, SequenceOutOfOrderIsDamage) {
  for (const uint64_t sequence : {0U, 2U, 7U}) {
    const FramedRecords records = parse_records(frame_record(0, "a") + frame_record(sequence, "b"));
    EXPECT_EQ(records.payloads, std::vector<std::string>{"a"});
    EXPECT_TRUE(records.damaged) << sequence;
    EXPECT_FALSE(records.torn_tail);
  }
  EXPECT_TRUE(parse_records(frame_record(1, "a")).damaged);
}

TEST(FramedRecords, LengthBeyondTheLimitIsNotARecord) {
  std::string record = frame_record(0, "a");
  record.replace(8, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_TRUE(parse_records(record).torn_tail);
}

// Headers that all claim a payload up to the end: hashing each would read 40 GB.
TEST(FramedRecords, HostileCandidatesDoNotCostQuadraticTime) {
  constexpr size_t kHeaderBytes = 52;
  constexpr size_t kCount = 40'000;
  std::string log;
  for (size_t i = 0; i < kCount; ++i) {
    const size_t length = (kCount - i - 1) * kHeaderBytes;
    std::string header = frame_record(0, "").substr(0, kHeaderBytes);
    for (size_t byte = 0; byte < 4; ++byte)
      header[8 + byte] = static_cast<char>((length >> (8 * byte)) & 0xFFU);
    log += header;
  }
  const FramedRecords records = parse_records(log);
  EXPECT_TRUE(records.payloads.empty());
  EXPECT_TRUE(records.damaged);  // nobody wrote this by crashing
}

}  // namespace
}  // namespace stravinsky::codec
