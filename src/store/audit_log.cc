#include "store/audit_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/strings.h"
#include "fs/atomic_file.h"
#include "model/store_layout.h"
#include "store/file_lines.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using fs::File;
using fs::OpenMode;
using fs::SyncKind;
using model::AuditEvent;
using model::AuditEventType;
using model::AuditHead;
using model::AuditRecord;

constexpr int64_t kLockPollMs = 5;
constexpr size_t kEventIdBytes = 16;
constexpr size_t kLogIdBytes = 16;
constexpr uint64_t kCopyBlockBytes = 1U << 20U;
// One append never leaves more; beyond this it was no crash.
constexpr uint64_t kTornMaxBytes = 2 * model::kAuditLineMaxBytes;

Error damaged(std::string message) {
  return make_error(ErrorCode::kCorrupt, std::move(message), layout::audit_log().str())
      .with_untouched("The audit log was left as it is, and the event was not added.")
      .with_remedy("Run `stravinsky audit verify` to see what is wrong.");
}

}  // namespace

struct AuditLog::Snapshot {
  std::optional<File> log;  // none: no such file
  uint64_t size_bytes = 0;
  Result<std::optional<AuditHead>> head;

  fs::Fd fd() const { return log ? log->fd() : fs::Fd::kNone; }
};

// --- the lock

Status AuditLog::wait_for_lock(fs::Fd fd, fs::LockMode mode) const {
  const int64_t deadline_ns = clock_.monotonic_ns() + lock_timeout_ms_ * 1'000'000;
  while (true) {
    Status locked = fs_.try_lock(fd, mode);
    if (locked || locked.error().code != ErrorCode::kLocked) return locked;
    if (clock_.monotonic_ns() >= deadline_ns) {
      return std::move(locked).error().with_remedy("Another process writes the audit log.");
    }
    clock_.sleep_ms(kLockPollMs);
  }
}

Result<File> AuditLog::lock() const {
  RETURN_IF_ERROR(fs::ensure_dir(fs_, store_, layout::audit(), layout::kDirectoryMode));
  ASSIGN_OR_RETURN(File file,
                   File::open(fs_, store_, layout::audit_lock(), OpenMode::kOpenOrCreate));
  if (!MUTANT(audit_append_without_lock)) {
    RETURN_IF_ERROR(wait_for_lock(file.fd(), fs::LockMode::kExclusive));
  }
  return file;
}

// --- reading

Result<std::optional<AuditHead>> AuditLog::read_head() const {
  ASSIGN_OR_RETURN(const auto file,
                   fs::open_if_present(fs_, store_, layout::audit_head(), OpenMode::kRead));
  if (!file) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text,
                   fs::read_all(fs_, file->fd(), model::kAuditHeadMaxBytes));
  auto head = model::parse_audit_head(text);
  if (head) return std::move(*head);
  head.error().path = layout::audit_head().str();
  return std::move(head).error();
}

Result<AuditLog::Snapshot> AuditLog::snapshot() const {
  // A store that was never written to has no lock file, and nothing to wait for.
  ASSIGN_OR_RETURN(const auto lock_file,
                   fs::open_if_present(fs_, store_, layout::audit_lock(), OpenMode::kRead));
  if (lock_file) RETURN_IF_ERROR(wait_for_lock(lock_file->fd(), fs::LockMode::kShared));
  Snapshot taken;
  taken.head = read_head();
  ASSIGN_OR_RETURN(taken.log,
                   fs::open_if_present(fs_, store_, layout::audit_log(), OpenMode::kRead));
  if (taken.log) {
    ASSIGN_OR_RETURN(const fs::Stat stat, fs_.stat_fd(taken.log->fd()));
    taken.size_bytes = stat.size_bytes;
  }
  return taken;
}

Result<AuditVerdict> AuditLog::verify() const {
  ASSIGN_OR_RETURN(const Snapshot log, snapshot());
  if (log.head) {
    ASSIGN_OR_RETURN(AuditScan scan, scan_audit_log(fs_, log.fd(), log.size_bytes, *log.head));
    return std::move(scan.verdict);
  }
  const Error& error = log.head.error();
  const bool newer = error.code == ErrorCode::kUnsupported;
  if (!newer && error.code != ErrorCode::kCorrupt) return error;
  ASSIGN_OR_RETURN(AuditScan scan,
                   scan_audit_log(fs_, log.fd(), log.size_bytes, std::optional<AuditHead>()));
  // What is wrong with the log itself is worth more than that its head is bad.
  const AuditDamage without_head = scan.verdict.damage;
  if (!newer && without_head != AuditDamage::kHeadMissing && without_head != AuditDamage::kNone) {
    return std::move(scan.verdict);
  }
  scan.verdict.damage = newer ? AuditDamage::kNewerFormat : AuditDamage::kHeadDamaged;
  scan.verdict.first_bad_seq = scan.verdict.first_bad_line = scan.end.seq + 1;
  scan.verdict.message = error.to_string();
  return std::move(scan.verdict);
}

Result<AuditPage> AuditLog::query(const AuditFilter& filter) const {
  ASSIGN_OR_RETURN(const Snapshot log, snapshot());
  return query_audit_log(fs_, log.fd(), log.size_bytes, filter);
}

Status AuditLog::visit(const std::function<void(const AuditRecord&)>& visitor) const {
  ASSIGN_OR_RETURN(const Snapshot log, snapshot());
  return visit_audit_log(fs_, log.fd(), log.size_bytes, visitor);
}

Result<std::optional<AuditHead>> AuditLog::head() const {
  ASSIGN_OR_RETURN(Snapshot log, snapshot());
  return std::move(log.head);
}

Result<bool> AuditLog::contains_transaction(std::string_view txid,
                                            std::optional<AuditEventType> type) {
  RETURN_IF_ERROR(recover());
  const AuditFilter filter{.type = type,
                           .status = {},
                           .version = {},
                           .tx = std::string(txid),
                           .from = {},
                           .to = {},
                           .limit = 1};
  ASSIGN_OR_RETURN(const AuditPage page, query(filter));
  return !page.events.empty();
}

// --- after a crash

Status AuditLog::recover() {
  // Looking must not make a log.
  ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs_, store_, layout::audit_log()));
  ASSIGN_OR_RETURN(const auto found_head, fs::stat_if_present(fs_, store_, layout::audit_head()));
  if (!found && !found_head) return {};
  ASSIGN_OR_RETURN(const File lock_file, lock());
  std::optional<AuditHead> head;
  ASSIGN_OR_RETURN(File log, open_or_begin(head));
  RETURN_IF_ERROR(recovered_head(log.fd(), *head));
  return log.close();
}

// Opens the log; head is set unless an error is returned.
Result<File> AuditLog::open_or_begin(std::optional<AuditHead>& head) {
  ASSIGN_OR_RETURN(head, read_head());
  ASSIGN_OR_RETURN(auto log,
                   fs::open_if_present(fs_, store_, layout::audit_log(), OpenMode::kReadWrite));
  if (log && !head) {
    ASSIGN_OR_RETURN(const fs::Stat stat, fs_.stat_fd(log->fd()));
    if (stat.size_bytes > 0) return damaged("there are events, but no head.json");
  }
  if (!log && head && head->seq > 0) return damaged("the log is gone");
  if (!log) {
    ASSIGN_OR_RETURN(log, File::open(fs_, store_, layout::audit_log(), OpenMode::kOpenOrCreate,
                                     layout::kFileMode));
  }
  if (!head) {
    head = AuditHead{
        .log_id = random_.hex(kLogIdBytes), .seq = 0, .hash = {}, .size_bytes = 0, .frontier = {}};
    RETURN_IF_ERROR(
        fs::write_atomically(fs_, store_, layout::audit_head(), model::audit_head_text(*head)));
  }
  if (head->seq == 0 && !MUTANT(audit_first_event_without_directory_sync)) {
    // The names must be durable before the first event is: a log without its
    // head would look like a head that somebody removed. Whoever made the names
    // may have been killed before syncing them.
    ASSIGN_OR_RETURN(const File dir,
                     File::open(fs_, store_, layout::audit(), OpenMode::kDirectory));
    RETURN_IF_ERROR(fs_.sync(dir.fd(), SyncKind::kFull));
    RETURN_IF_ERROR(fs_.sync(store_, SyncKind::kFull));
  }
  return std::move(*log);
}

Result<bool> AuditLog::ends_as_head_says(fs::Fd log, uint64_t size_bytes,
                                         const AuditHead& head) const {
  if (size_bytes != head.size_bytes) return false;
  if (size_bytes == 0) return head.seq == 0;
  if (MUTANT(audit_append_without_tail_check)) return true;
  BackwardLines lines(fs_, log, size_bytes, model::kAuditLineMaxBytes);
  ASSIGN_OR_RETURN(const auto line, lines.next());
  if (!line || !line->terminated) return false;
  const auto link = model::check_audit_line(line->text);
  return link && link->log_id == head.log_id && link->seq == head.seq && link->hash == head.hash;
}

// The head of the log once nothing of a crash is left in it.
Result<AuditHead> AuditLog::recovered_head(fs::Fd log, const AuditHead& head) {
  ASSIGN_OR_RETURN(const fs::Stat stat, fs_.stat_fd(log));
  AuditHead end = head;
  ASSIGN_OR_RETURN(const bool as_expected, ends_as_head_says(log, stat.size_bytes, head));
  if (!as_expected) {
    ASSIGN_OR_RETURN(AuditScan scan, scan_audit_log(fs_, log, stat.size_bytes, head));
    const bool torn = scan.verdict.damage == AuditDamage::kTornTail;
    if (!scan.verdict.ok() && !torn) return damaged(std::move(scan.verdict.message));
    end = std::move(scan.end);
    if (torn) {
      if (!MUTANT(audit_torn_bytes_not_kept)) {
        RETURN_IF_ERROR(keep_torn_bytes(log, end.size_bytes, stat.size_bytes, end.seq + 1));
      }
      RETURN_IF_ERROR(fs_.truncate(log, end.size_bytes));
    }
    if (end.seq > head.seq) RETURN_IF_ERROR(catch_up(log, head.size_bytes, end));
  }
  // Looked for each time: whoever kept torn bytes may have been killed before
  // the event was written.
  ASSIGN_OR_RETURN(const std::string torn_bytes, describe_torn_bytes(end.seq + 1));
  if (!torn_bytes.empty() && !MUTANT(audit_healed_without_event)) {
    AuditRecord record = draft({});
    AuditEvent& healed = record.event;
    healed.type = AuditEventType::kAuditHealed;
    healed.status = model::AuditStatus::kRecovered;
    healed.notes = torn_bytes;
    RETURN_IF_ERROR(append_at(log, end, record));
  }
  return end;
}

Status AuditLog::catch_up(fs::Fd log, uint64_t from, const AuditHead& end) {
  std::string block;
  for (uint64_t at = from; at < end.size_bytes; at += block.size()) {
    block.resize(std::min(kCopyBlockBytes, end.size_bytes - at));
    ASSIGN_OR_RETURN(const size_t got, fs_.read(log, at, std::as_writable_bytes(std::span(block))));
    if (got != block.size()) return make_error(ErrorCode::kChanged, "the log became shorter");
    if (!MUTANT(audit_catch_up_without_rewrite)) {
      RETURN_IF_ERROR(fs_.write(log, at, as_byte_span(block)));
    }
  }
  if (!MUTANT(audit_catch_up_without_sync)) RETURN_IF_ERROR(fs_.sync(log, SyncKind::kData));
  return fs::write_atomically(fs_, store_, layout::audit_head(), model::audit_head_text(end));
}

Status AuditLog::keep_torn_bytes(fs::Fd log, uint64_t begin, uint64_t end, uint64_t seq) {
  if (end - begin > kTornMaxBytes) return damaged("too many bytes behind the last event");
  std::string bytes(end - begin, '\0');
  ASSIGN_OR_RETURN(const size_t got,
                   fs_.read(log, begin, std::as_writable_bytes(std::span(bytes))));
  if (got != bytes.size()) return make_error(ErrorCode::kChanged, "the log became shorter");
  for (uint64_t attempt = 0;; ++attempt) {
    const fs::RelPath name = layout::audit_torn(seq, attempt);
    ASSIGN_OR_RETURN(const auto taken, fs::stat_if_present(fs_, store_, name));
    if (!taken) return fs::write_atomically(fs_, store_, name, bytes);
    ASSIGN_OR_RETURN(const std::string kept, fs::read_file(fs_, store_, name, kTornMaxBytes));
    if (kept == bytes) return {};  // of an attempt that was itself cut short
  }
}

// Empty when nothing was cut off in front of event seq.
Result<std::string> AuditLog::describe_torn_bytes(uint64_t seq) const {
  std::string text;
  for (uint64_t attempt = 0;; ++attempt) {
    const fs::RelPath name = layout::audit_torn(seq, attempt);
    ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs_, store_, name));
    if (!found) return text;
    ASSIGN_OR_RETURN(const std::string bytes, fs::read_file(fs_, store_, name, kTornMaxBytes));
    text +=
        fmt::format("{}{} bytes of an append that was cut short are kept in {}, SHA-256 {}",
                    text.empty() ? "" : "; ", bytes.size(), name.str(), codec::sha256(bytes).hex());
  }
}

// --- appending

AuditRecord AuditLog::draft(const AuditEvent& event) {
  return {.event = event,
          .event_id = "evt_" + random_.hex(kEventIdBytes),
          .timestamp = utc_micros(clock_.now_ns()),
          .user = identity_.user,
          .hostname = identity_.hostname,
          .link = {}};
}

Result<AuditRecord> AuditLog::append(const AuditEvent& event) {
  return append(draft(event));
}

Result<AuditRecord> AuditLog::append(AuditRecord record) {
  ASSIGN_OR_RETURN_WHILE(const File lock_file, lock(), "while locking the audit log");
  std::optional<AuditHead> stored;
  ASSIGN_OR_RETURN_WHILE(File log, open_or_begin(stored), "while opening the audit log");
  ASSIGN_OR_RETURN_WHILE(AuditHead head, recovered_head(log.fd(), *stored),
                         "while looking at the end of the audit log");
  RETURN_IF_ERROR_WHILE(append_at(log.fd(), head, record),
                        "while adding an event to the audit log");
  RETURN_IF_ERROR(log.close());
  return record;
}

// Gives the record its place and the present time; head becomes that of the log with it.
Status AuditLog::append_at(fs::Fd log, AuditHead& head, AuditRecord& record) {
  record.timestamp = utc_micros(clock_.now_ns());
  record.link = {head.log_id, head.seq + 1, head.hash, {}};
  const std::string line = model::audit_line(record) + "\n";
  if (line.size() > model::kAuditLineMaxBytes) {
    return make_error(ErrorCode::kUsage, "the event has too many operations");
  }
  RETURN_IF_ERROR(write_line(log, head.size_bytes, line));
  head.seq = record.link.seq;
  head.hash = record.link.hash;
  head.size_bytes += line.size();
  head.frontier.append(record.link.hash.bytes);
  if (!MUTANT(audit_append_without_head)) {
    RETURN_IF_ERROR(
        fs::write_atomically(fs_, store_, layout::audit_head(), model::audit_head_text(head)));
  }
  return {};
}

Status AuditLog::write_line(fs::Fd log, uint64_t offset, std::string_view line) {
  Status written = fs_.write(log, offset, as_byte_span(line));
  if (written && !MUTANT(audit_append_without_sync)) written = fs_.sync(log, SyncKind::kData);
  if (!written && !MUTANT(audit_failed_append_left_behind)) {
    // So that the event is not in the log although it was reported as failed, and
    // the next append writes these pages anew. What this leaves is healed as torn.
    (void)fs_.truncate(log, offset);
  }
  return written;
}

}  // namespace stravinsky::store
