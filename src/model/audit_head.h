// AuditHead: audit/head.json, what the log was after the last finished append.
//
// Kept apart from the log so that a shortened or rewritten log differs from it.
// Canonical JSON and a newline; `digest` is
//   SHA-256("stravinsky-audit-head-v1\n", the canonical object without `digest`)
// and tells a rotten head from a head that names another log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/merkle.h"
#include "codec/sha256.h"

namespace stravinsky::model {

inline constexpr size_t kAuditHeadMaxBytes = 64U << 10U;

struct AuditHead {
  std::string log_id;
  uint64_t seq = 0;                // of the last event; 0 when there is none
  codec::Digest hash;              // of the last event; zeros when there is none
  uint64_t size_bytes = 0;         // of the log
  codec::MerkleFrontier frontier;  // over the 32-byte hashes of all events
  bool operator==(const AuditHead&) const = default;
};

std::string audit_head_text(const AuditHead& head);
// kCorrupt; kUnsupported when it was written by a newer version.
Result<AuditHead> parse_audit_head(std::string_view text);

}  // namespace stravinsky::model
