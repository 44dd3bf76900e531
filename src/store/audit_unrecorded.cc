#include "store/audit_unrecorded.h"

#include <algorithm>
#include <tuple>

#include "base/strings.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::store {

namespace layout = model::layout;
using model::AuditRecord;

namespace {

constexpr size_t kLogIdDigits = 32;

}  // namespace

Status UnrecordedEvents::keep(AuditRecord record) {
  record.link = {
      .log_id = std::string(kLogIdDigits, '0'), .seq = ++kept_, .prev_hash = {}, .hash = {}};
  const std::string line = model::audit_line(record) + "\n";
  const fs::RelPath dir = layout::unrecorded_events();
  RETURN_IF_ERROR(fs::ensure_dir(fs_, store_, dir, layout::kDirectoryMode));
  RETURN_IF_ERROR(
      fs::write_atomically(fs_, store_, layout::unrecorded_event(record.event_id), line));
  return fs::sync_path(fs_, store_, dir);
}

Status UnrecordedEvents::forget(const std::string& event_id) {
  return fs_.unlink(store_, layout::unrecorded_event(event_id));
}

Result<std::vector<std::string>> UnrecordedEvents::names() const {
  std::vector<std::string> names;
  ASSIGN_OR_RETURN(const auto dir, fs::open_if_present(fs_, store_, layout::unrecorded_events(),
                                                       fs::OpenMode::kDirectory));
  if (!dir) return names;
  ASSIGN_OR_RETURN(const auto entries, fs_.list(dir->fd()));
  for (const fs::DirEntry& entry : entries)
    if (!entry.name.starts_with('.')) names.push_back(entry.name);  // not what a crash left
  return names;
}

Result<UnrecordedEvents::Kept> UnrecordedEvents::list() const {
  Kept kept;
  ASSIGN_OR_RETURN(const auto names, this->names());
  for (const std::string& name : names) {
    const auto id = layout::parse_unrecorded_event(name);
    auto text = id ? fs::read_file(fs_, store_, layout::unrecorded_event(*id),
                                   model::kAuditLineMaxBytes + 1)
                   : Result<std::string>(make_error(ErrorCode::kCorrupt, "not an event's name"));
    const bool whole = text && text->ends_with('\n');
    if (whole) text->pop_back();
    auto record = whole ? model::parse_audit_line(*text)
                        : Result<AuditRecord>(make_error(ErrorCode::kCorrupt, "not an event"));
    if (record && record->event_id == *id) {
      kept.events.push_back(std::move(*record));
    } else {
      kept.unreadable.push_back(escape(name));
    }
  }
  std::ranges::sort(kept.events, {}, [](const AuditRecord& record) {
    return std::tuple(record.timestamp, record.link.seq, record.event_id);
  });
  std::ranges::sort(kept.unreadable);
  return kept;
}

Result<uint64_t> UnrecordedEvents::count() const {
  ASSIGN_OR_RETURN(const auto names, this->names());
  return names.size();
}

}  // namespace stravinsky::store
