// audit_query: which events to show, and finding them by reading the log.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/audit_event.h"

namespace stravinsky::store {

// All given members must match; an empty text matches everything.
struct AuditFilter {
  std::optional<model::AuditEventType> type;
  std::optional<model::AuditStatus> status;
  std::string version;
  std::string tx;
  // "2026-01-08", "2026-01-08T15:34:22Z" or with ".123456", always UTC, both
  // included: a bare day is meant from its first to its last microsecond.
  std::string from;
  std::string to;
  uint64_t limit = 1'000;  // 0: none
};

struct AuditPage {
  std::vector<model::AuditRecord> events;  // by sequence number, newest first
  uint64_t unreadable_lines = 0;           // met on the way: edited, torn, or of a newer version
};

enum class TimeBound { kFirst, kLast };
// The first or last microsecond that text stands for, as in a record's timestamp.
// kUsage when it is no time.
Result<std::string> audit_time_bound(std::string_view text, TimeBound bound);

// The first size_bytes of a log. Reads no further back than the limit asks for.
Result<AuditPage> query_audit_log(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes,
                                  const AuditFilter& filter);
// The same without a filter, a limit or a page in memory.
Status visit_audit_log(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes,
                       const std::function<void(const model::AuditRecord&)>& visitor);

}  // namespace stravinsky::store
