#include "txn/wire.h"

#include <gtest/gtest.h>

namespace stravinsky::txn {
namespace {

TEST(Wire, ReadsWhatWasWritten) {
  WireWriter out;
  out.u8(0xFE);
  out.u32(0x01020304);
  out.u64(0x8000000000000001);
  out.text(std::string("a\0b", 3));
  out.raw("xyz");
  const std::string bytes = out.take();
  WireReader in(bytes);
  EXPECT_EQ(in.u8(), 0xFE);
  EXPECT_EQ(in.u32(), 0x01020304U);
  EXPECT_EQ(in.u64(), 0x8000000000000001U);
  EXPECT_EQ(in.text(), std::string("a\0b", 3));
  EXPECT_FALSE(in.finished());
  EXPECT_EQ(in.raw(3), "xyz");
  EXPECT_TRUE(in.finished());
}

TEST(Wire, IntegersAreLittleEndian) {
  WireWriter out;
  out.u32(0x01020304);
  EXPECT_EQ(out.take(), "\x04\x03\x02\x01");
}

TEST(Wire, TheFirstFailureSticks) {
  WireReader in("\x01\x00");
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.u8(), 0U);  // though a byte would be there
  EXPECT_FALSE(in.finished());
}

TEST(Wire, ALengthBeyondTheEndFails) {
  WireReader in(std::string_view("\xFF\xFF\xFF\xFFmore", 8));
  EXPECT_EQ(in.text(), "");
  EXPECT_TRUE(in.failed());
}

}  // namespace
}  // namespace stravinsky::txn
