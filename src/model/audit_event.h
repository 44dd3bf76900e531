// AuditEvent: what an operation reports; AuditRecord: the event as it stands in
// the log, one line of canonical JSON (RFC 8785), chained to the line before.
//
// The line holds integers and strings only, so that one event has one spelling
// in every language; a duration is a decimal string of seconds. `hash` is
//   SHA-256("stravinsky-audit-event-v1\n", the canonical object without `hash`)
// and `prev_hash` that of the event before, 64 zeros for the first. Keys that
// have nothing to say are left out.
//
// No value of a user's setting goes into any member; paths are given with "~"
// by whoever fills them in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/sha256.h"
#include "model/audit_event_type.h"

namespace stravinsky::model {

inline constexpr uint64_t kAuditFormatVersion = 1;
// Longer texts are cut, and say by how many bytes: an event is never refused
// because an error message was long.
inline constexpr size_t kAuditTextMaxBytes = 64U << 10U;
inline constexpr size_t kAuditLineMaxBytes = 8U << 20U;

enum class AuditStatus { kSuccess, kFailed, kRolledBack, kRecovered };
std::string_view audit_status_name(AuditStatus status);  // "success", "rolled_back", ...
std::optional<AuditStatus> parse_audit_status(std::string_view name);

struct AuditPreChecks {
  int64_t disk_space_mb = 0;
  int64_t file_count = 0;
  int64_t backup_size_mb = 0;
  bool operator==(const AuditPreChecks&) const = default;
};

struct AuditOperation {
  std::string type;    // "backup_create", "update_apply", "verification", ...
  std::string status;  // as AuditStatus, or "skipped"
  int64_t duration_ms = 0;
  bool operator==(const AuditOperation&) const = default;
};

// An empty text means: nothing to say.
struct AuditEvent {
  AuditEventType type = AuditEventType::kUpdateStart;
  std::string version;
  std::string previous_version;
  std::string python_version;
  std::string tx;  // the transaction's id
  std::optional<AuditStatus> status;
  std::optional<int64_t> duration_ns;  // written with microseconds
  std::optional<AuditPreChecks> pre_checks;
  std::vector<AuditOperation> operations;
  std::vector<std::string> failed_verifications;  // "hooks_syntax", ...
  std::string error;
  std::string error_trace;
  std::string error_class;  // a row of the error matrix: "parse_error"
  std::string severity;     // "warning", "critical": somebody should look
  std::string recovery_action;
  std::string backup_created;  // the backup's id
  std::string notes;
  bool operator==(const AuditEvent&) const = default;
};

// The place of a line in the chain; all that the verifier needs.
struct AuditLink {
  std::string log_id;  // 32 hexadecimal digits, drawn when the log began
  uint64_t seq = 0;    // 1 for the first event of a log
  codec::Digest prev_hash;
  codec::Digest hash;
  bool operator==(const AuditLink&) const = default;
};

struct AuditRecord {
  AuditEvent event;
  std::string event_id;   // "evt_" and 32 hexadecimal digits
  std::string timestamp;  // "2026-01-08T15:34:22.123456Z"
  std::string user;
  std::string hostname;
  AuditLink link;  // link.hash is worked out by audit_line
};

// The line without its newline; sets record.link.hash.
std::string audit_line(AuditRecord& record);

// kCorrupt unless the line is the canonical form of an object with a right hash;
// kUnsupported when it was written by a newer version.
Result<AuditLink> check_audit_line(std::string_view line);
Result<AuditRecord> parse_audit_line(std::string_view line);

}  // namespace stravinsky::model
