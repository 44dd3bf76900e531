#include "model/audit_head.h"

#include <gtest/gtest.h>

#include <string>

#include "testing/case_step.h"

namespace stravinsky::model {
namespace {

AuditHead example() {
  AuditHead head{.log_id = "ffeeddccbbaa99887766554433221100",
                 .seq = 0,
                 .hash = codec::sha256("last"),
                 .size_bytes = 2'048,
                 .frontier = {}};
  for (int i = 0; i < 5; ++i) head.frontier.append(codec::sha256(std::to_string(i)).bytes);
  head.seq = head.frontier.size();
  return head;
}

TEST(AuditHead, IsReadBackAsWritten) {
  const auto read = parse_audit_head(audit_head_text(example()));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, example());
}

TEST(AuditHead, EverySingleBitFlipIsRefused) {
  const std::string text = audit_head_text(example());
  for (size_t bit = 0; bit < text.size() * 8; bit += testing::kCaseStep) {
    std::string flipped = text;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_FALSE(parse_audit_head(flipped)) << bit;
  }
}

TEST(AuditHead, EveryCutIsRefused) {
  const std::string text = audit_head_text(example());
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_audit_head(text.substr(0, size))) << size;
  }
}

TEST(AuditHead, NewerFormatIsNotGuessedAt) {
  const auto read = parse_audit_head("{\"format_version\":2}\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
}

TEST(AuditHead, HostileValuesAreRefused) {
  for (const std::string text : {"\n", "null\n", "{}\n", "{\"format_version\":-1}\n",
                                 "{\"format_version\":1.5}\n", "{\"seq\":1e400}\n"}) {
    const auto read = parse_audit_head(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace stravinsky::model
