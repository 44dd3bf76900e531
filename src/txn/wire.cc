#include "txn/wire.h"

namespace stravinsky::txn {
namespace {

template <typename Integer>
void put(std::string& bytes, Integer value) {
  for (size_t i = 0; i < sizeof(Integer); ++i)
    bytes += static_cast<char>((static_cast<uint64_t>(value) >> (8 * i)) & 0xFFU);
}

}  // namespace

void WireWriter::u8(uint8_t value) {
  put(bytes_, value);
}
void WireWriter::u32(uint32_t value) {
  put(bytes_, value);
}
void WireWriter::u64(uint64_t value) {
  put(bytes_, value);
}

void WireWriter::text(std::string_view value) {
  u32(static_cast<uint32_t>(value.size()));
  bytes_ += value;
}

std::string_view WireReader::raw(size_t size) {
  if (failed_ || rest_.size() < size) {
    failed_ = true;
    return {};
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

uint64_t WireReader::number(size_t size) {
  uint64_t value = 0;
  const std::string_view bytes = raw(size);
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

uint8_t WireReader::u8() {
  return static_cast<uint8_t>(number(1));
}
uint32_t WireReader::u32() {
  return static_cast<uint32_t>(number(4));
}
uint64_t WireReader::u64() {
  return number(8);
}
std::string WireReader::text() {
  return std::string(raw(u32()));
}

}  // namespace stravinsky::txn
