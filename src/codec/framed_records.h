// Framed records: the append-only format of the journal.
//
// A record is
//   8 bytes  magic "SRBREC01"
//   4 bytes  payload length, little endian
//   8 bytes  sequence number from 0, little endian
//  32 bytes  SHA-256 of: "stravinsky-record-v1\n", length, sequence, payload
//   n bytes  payload
//
// Torn tail: whatever follows the last valid record, if no valid record comes
// after it (a crash in the middle of an append leaves a cut record or NUL
// bytes). Damage: a bad record with a valid one anywhere behind it. A sequence
// number out of order is damage too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stravinsky::codec {

inline constexpr uint32_t kRecordPayloadMaxBytes = 256U << 20U;

std::string frame_record(uint64_t sequence, std::string_view payload);

struct FramedRecords {
  std::vector<std::string> payloads;  // the valid records from the front
  uint64_t valid_bytes = 0;           // where the next record goes
  bool torn_tail = false;             // bytes follow, and no valid record among them
  bool damaged = false;               // bytes follow, with a valid record among them
};  // never both

// Reads from the front as far as records are valid and in sequence, then looks
// for a valid record behind that point. The search is bounded by a small multiple
// of the size: input made to exhaust it counts as damaged, which a human must see.
FramedRecords parse_records(std::string_view bytes);

}  // namespace stravinsky::codec
