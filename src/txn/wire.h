// Wire: the bytes inside a journal record.
//
// Integers are little endian, texts are a 32-bit length and their bytes. Plain
// on purpose: recovery depends on this and on no library. The reader treats its
// input as hostile: every length is checked, and the first failure sticks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stravinsky::txn {

class WireWriter {
 public:
  void u8(uint8_t value);
  void u32(uint32_t value);
  void u64(uint64_t value);
  void text(std::string_view value);
  void raw(std::string_view bytes) { bytes_ += bytes; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  uint8_t u8();
  uint32_t u32();
  uint64_t u64();
  std::string text();
  std::string_view raw(size_t size);
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  // Nothing failed and nothing is left over.
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  uint64_t number(size_t size);
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace stravinsky::txn
