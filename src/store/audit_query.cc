#include "store/audit_query.h"

#include <chrono>

#include "base/strings.h"
#include "store/file_lines.h"

namespace stravinsky::store {
namespace {

constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.ddddddZ";
constexpr size_t kDayBytes = 10;
constexpr size_t kSecondBytes = 19;

bool has_shape(std::string_view text) {
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !is_digit : text[i] != kShape[i]) return false;
  }
  return true;
}

unsigned number_at(std::string_view text, size_t begin, size_t length) {
  unsigned number = 0;
  for (const char c : text.substr(begin, length)) {
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

bool is_time(std::string_view text) {
  if (!has_shape(text)) return false;
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(number_at(text, 0, 4))),
                                        std::chrono::month(number_at(text, 5, 2)),
                                        std::chrono::day(number_at(text, 8, 2)));
  return day.ok() && number_at(text, 11, 2) < 24 && number_at(text, 14, 2) < 60 &&
         number_at(text, 17, 2) < 60;
}

struct Bounds {
  std::string from;  // empty: none
  std::string to;
};

bool matches(const model::AuditRecord& record, const AuditFilter& filter, const Bounds& bounds) {
  const model::AuditEvent& event = record.event;
  return (!filter.type || event.type == *filter.type) &&
         (!filter.status || event.status == filter.status) &&
         (filter.version.empty() || event.version == filter.version) &&
         (filter.tx.empty() || event.tx == filter.tx) &&
         (bounds.from.empty() || record.timestamp >= bounds.from) &&
         (bounds.to.empty() || record.timestamp <= bounds.to);
}

}  // namespace

Result<std::string> audit_time_bound(std::string_view text, TimeBound bound) {
  const bool first = bound == TimeBound::kFirst;
  std::string full(text);
  if (text.size() == kDayBytes) {
    full += first ? "T00:00:00.000000Z" : "T23:59:59.999999Z";
  } else if (text.size() == kSecondBytes + 1 && text.ends_with('Z')) {
    full.pop_back();
    full += first ? ".000000Z" : ".999999Z";
  }
  if (is_time(full)) return full;
  return make_error(ErrorCode::kUsage, "not a time: \"" + escape(text) + "\"")
      .with_remedy("Write it as 2026-01-08 or 2026-01-08T15:34:22Z.");
}

Result<AuditPage> query_audit_log(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes,
                                  const AuditFilter& filter) {
  Bounds bounds;
  if (!filter.from.empty()) {
    ASSIGN_OR_RETURN(bounds.from, audit_time_bound(filter.from, TimeBound::kFirst));
  }
  if (!filter.to.empty()) {
    ASSIGN_OR_RETURN(bounds.to, audit_time_bound(filter.to, TimeBound::kLast));
  }
  AuditPage page;
  BackwardLines lines(fs, fd, size_bytes, model::kAuditLineMaxBytes);
  while (page.events.size() < filter.limit) {
    ASSIGN_OR_RETURN(const auto line, lines.next());
    if (!line) break;
    auto record = model::parse_audit_line(line->text);
    if (!record || !line->terminated) {
      ++page.unreadable_lines;
    } else if (matches(*record, filter, bounds)) {
      page.events.push_back(std::move(*record));
    }
  }
  return page;
}

Status visit_audit_log(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes,
                       const std::function<void(const model::AuditRecord&)>& visitor) {
  BackwardLines lines(fs, fd, size_bytes, model::kAuditLineMaxBytes);
  while (true) {
    ASSIGN_OR_RETURN(const auto line, lines.next());
    if (!line) return {};
    const auto record = model::parse_audit_line(line->text);
    if (record && line->terminated) visitor(*record);
  }
}

}  // namespace stravinsky::store
