// Recorder: puts what happened on record, and never stands in the way of what happens.
//
// An event that the trail cannot take is kept in the store (store/audit_unrecorded.h)
// and counts as recorded; replay(), which every command that holds the lock calls
// first, adds it later under its own id, so that a failed append that is in the log
// after all is not told twice. Damage of the trail is never repaired here: as long as
// the log cannot be appended to, events are kept. Only one that can be kept in neither
// place is a failure, and whoever asked leaves the journal open or says so.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "store/audit_log.h"
#include "store/audit_unrecorded.h"

namespace stravinsky::engine {

class Recorder {
 public:
  // All of these outlive it. on_warning is told once that the trail cannot be written.
  Recorder(store::AuditLog& audit, fs::FileSystem& fs, fs::Fd store,
           std::function<void(const std::string&)> on_warning)
      : audit_(audit),
        unrecorded_(fs, store),
        fs_(fs),
        store_(store),
        on_warning_(std::move(on_warning)) {}

  Status record(const model::AuditEvent& event);
  // Adds what was kept, the oldest first, as far as the trail takes it.
  void replay();
  // Whether a transaction has this event, in the log or among what is kept. False when
  // the log cannot be read: an event too many is better than one too few.
  bool has(const std::string& tx, model::AuditEventType type);

 private:
  Status append(model::AuditRecord record);
  void tell(const Error& error, const std::string& consequence);

  store::AuditLog& audit_;
  store::UnrecordedEvents unrecorded_;
  fs::FileSystem& fs_;
  fs::Fd store_;
  std::function<void(const std::string&)> on_warning_;
  bool told_ = false;
};

}  // namespace stravinsky::engine
