// AuditLog: the hash-chained record of what happened (audit/operations.log).
//
// One line is one event (model/audit_event.h). Appending, under an exclusive
// lock on audit/lock:
//   1. read head.json and the last line, which must be what the head says;
//   2. write the line at the end in one write, and sync it;
//   3. replace head.json atomically.
// An append therefore costs the same in a log of ten events and of a million,
// and an event is acknowledged only when the head names it.
//
// After a crash (found when the log does not end where the head says):
// - whole chained events behind the head were written by an append that did not
//   get as far as the head: they are written again in place (a failed sync may
//   have dropped them from the disk, not from the cache), synced, and the head
//   catches up;
// - a torn tail, and only where everything up to the head is right and no whole
//   event follows the torn bytes, is kept in audit/torn-<seq>.bin, cut off, and
//   an AUDIT_HEALED event says so;
// - anything else is damage. Nothing is repaired: append, recover and
//   contains_transaction return kCorrupt and leave the files as they are. The
//   caller's operation goes on, for its journal holds the same facts, and its
//   event is replayed once the log has been put right.
//
// An append that fails may still have written its event (the head could not be
// replaced): before replaying one, ask contains_transaction.
//
// Several objects and processes may use one log at once. Holds no state of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "fs/file.h"
#include "model/audit_event.h"
#include "model/audit_head.h"
#include "store/audit_query.h"
#include "store/audit_scan.h"

namespace stravinsky::store {

struct AuditIdentity {
  std::string user;  // the operating system's name for the user
  std::string hostname;
};

class AuditLog {
 public:
  // store is the store's root directory, which stays open as long as this lives.
  AuditLog(fs::FileSystem& fs, fs::Fd store, Clock& clock, Random& random, AuditIdentity identity,
           int64_t lock_timeout_ms = 5'000)
      : fs_(fs),
        store_(store),
        clock_(clock),
        random_(random),
        identity_(std::move(identity)),
        lock_timeout_ms_(lock_timeout_ms) {}

  // Makes the log when there is none. Also kLocked; kUsage when the event is too long.
  Result<model::AuditRecord> append(const model::AuditEvent& event);
  // The same in two steps, for who keeps the record elsewhere when it cannot be
  // appended: a failed append may still turn out to be in the log, and only the
  // event's id tells. Its time becomes that of the append.
  model::AuditRecord draft(const model::AuditEvent& event);
  Result<model::AuditRecord> append(model::AuditRecord record);
  // What append does first: heals what a crash left. Does nothing when there is no log.
  Status recover();
  // Events of this transaction in the log, durable; for recovery only, since it
  // recovers first and then reads the whole log. No type: any.
  Result<bool> contains_transaction(std::string_view txid,
                                    std::optional<model::AuditEventType> type = std::nullopt);

  // These write nothing, and judge the log as it was at one moment.
  Result<AuditVerdict> verify() const;
  // Newest first.
  Result<AuditPage> query(const AuditFilter& filter) const;
  // Every event that can be read, newest first.
  Status visit(const std::function<void(const model::AuditRecord&)>& visitor) const;
  // What a backup's manifest keeps of the log; nullopt when there is none.
  Result<std::optional<model::AuditHead>> head() const;

 private:
  struct Snapshot;

  Result<fs::File> lock() const;
  Status wait_for_lock(fs::Fd fd, fs::LockMode mode) const;
  Result<Snapshot> snapshot() const;
  Result<std::optional<model::AuditHead>> read_head() const;

  // All of these need the exclusive lock.
  Result<fs::File> open_or_begin(std::optional<model::AuditHead>& head);
  Result<model::AuditHead> recovered_head(fs::Fd log, const model::AuditHead& head);
  Result<bool> ends_as_head_says(fs::Fd log, uint64_t size_bytes,
                                 const model::AuditHead& head) const;
  Status catch_up(fs::Fd log, uint64_t from, const model::AuditHead& end);
  Status keep_torn_bytes(fs::Fd log, uint64_t begin, uint64_t end, uint64_t seq);
  Result<std::string> describe_torn_bytes(uint64_t seq) const;
  Status append_at(fs::Fd log, model::AuditHead& head, model::AuditRecord& record);
  Status write_line(fs::Fd log, uint64_t offset, std::string_view line);

  fs::FileSystem& fs_;
  fs::Fd store_;
  Clock& clock_;
  Random& random_;
  AuditIdentity identity_;
  int64_t lock_timeout_ms_;
};

}  // namespace stravinsky::store
