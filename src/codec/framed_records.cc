#include "codec/framed_records.h"

#include <array>
#include <optional>

#include "base/check.h"
#include "base/strings.h"
#include "codec/sha256.h"

namespace stravinsky::codec {
namespace {

constexpr std::string_view kRecordMagic = "SRBREC01";
constexpr std::string_view kDomain = "stravinsky-record-v1\n";
constexpr size_t kLengthAt = 8;
constexpr size_t kDigestAt = 20;
constexpr size_t kRecordHeaderBytes = 52;

std::string little_endian(uint64_t value, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return bytes;
}

uint64_t number_at(std::string_view bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; --i)
    value = value << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

// length_and_sequence: the 12 bytes as they stand in the record.
Digest record_digest(std::string_view length_and_sequence, std::string_view payload) {
  Sha256 hash;
  hash.update(as_byte_span(kDomain));
  hash.update(as_byte_span(length_and_sequence));
  hash.update(as_byte_span(payload));
  return hash.finish();
}

struct Record {
  uint64_t sequence = 0;
  std::string_view payload;
};

// The payload that a record at the front of bytes would have, not yet hashed.
std::optional<Record> framed_at_front(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes || !bytes.starts_with(kRecordMagic)) return std::nullopt;
  const uint64_t length = number_at(bytes, kLengthAt, 4);
  if (length > kRecordPayloadMaxBytes || length > bytes.size() - kRecordHeaderBytes)
    return std::nullopt;
  return Record{.sequence = number_at(bytes, kLengthAt + 4, 8),
                .payload = bytes.substr(kRecordHeaderBytes, length)};
}

bool digest_matches(std::string_view bytes, std::string_view payload) {
  const Digest digest = record_digest(bytes.substr(kLengthAt, kDigestAt - kLengthAt), payload);
  return as_text(digest.bytes) == bytes.substr(kDigestAt, digest.bytes.size());
}

// Whether a valid record starts anywhere in bytes. Each candidate may claim a
// payload up to the end, so hashing them all would be quadratic; honest bytes
// need little more than one pass.
bool has_valid_record(std::string_view bytes) {
  uint64_t budget_bytes = 4 * bytes.size();
  for (size_t at = bytes.find(kRecordMagic); at != std::string_view::npos;
       at = bytes.find(kRecordMagic, at + 1)) {
    const std::string_view candidate = bytes.substr(at);
    const auto record = framed_at_front(candidate);
    if (!record) continue;
    const uint64_t cost_bytes = kRecordHeaderBytes + record->payload.size();
    if (cost_bytes > budget_bytes) return true;
    budget_bytes -= cost_bytes;
    if (digest_matches(candidate, record->payload)) return true;
  }
  return false;
}

}  // namespace

std::string frame_record(uint64_t sequence, std::string_view payload) {
  CHECK(payload.size() <= kRecordPayloadMaxBytes);
  const std::string numbers = little_endian(payload.size(), 4) + little_endian(sequence, 8);
  const Digest digest = record_digest(numbers, payload);
  std::string record;
  record.reserve(kRecordHeaderBytes + payload.size());
  record += kRecordMagic;
  record += numbers;
  record += as_text(digest.bytes);
  record += payload;
  return record;
}

FramedRecords parse_records(std::string_view bytes) {
  FramedRecords records;
  while (records.valid_bytes < bytes.size()) {
    const std::string_view rest = bytes.substr(records.valid_bytes);
    const auto record = framed_at_front(rest);
    if (!record || !digest_matches(rest, record->payload)) {
      records.damaged = has_valid_record(rest.substr(1));
      records.torn_tail = !records.damaged;
      return records;
    }
    if (record->sequence != records.payloads.size()) {
      records.damaged = true;
      return records;
    }
    records.payloads.emplace_back(record->payload);
    records.valid_bytes += kRecordHeaderBytes + record->payload.size();
  }
  return records;
}

}  // namespace stravinsky::codec
