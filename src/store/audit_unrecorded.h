// UnrecordedEvents: events that the audit log could not take, kept in
// recovery/unrecorded/<event id>.json until it can.
//
// Nothing that protects the user's files waits for the trail: a damaged log must not
// keep a transaction open, and what happened meanwhile must not be lost. Leaving the
// journal open instead, so that it is replayed from there, was tried and refused: one
// damaged byte of the log stood in the way of every later command.
//
// A file is the line of the log that the event would have been, with a newline: the
// same canonical form with its own hash, but outside any chain (log_id of zeros).
// `seq` counts what one process kept, since two of its events may have one timestamp.
// What is kept has no protection beyond its hash: it may be deleted or made up by
// whoever may write in the store. It holds no more of a setting than the log does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/audit_event.h"

namespace stravinsky::store {

class UnrecordedEvents {
 public:
  // store is the store's root directory, which stays open as long as this lives. The
  // caller of whatever changes something holds the store's lock.
  UnrecordedEvents(fs::FileSystem& fs, fs::Fd store) : fs_(fs), store_(store) {}

  // Durable when it returns.
  Status keep(model::AuditRecord record);
  // After it was appended. One that comes back after a crash is known by its id.
  Status forget(const std::string& event_id);

  struct Kept {
    std::vector<model::AuditRecord> events;  // oldest first
    std::vector<std::string> unreadable;     // names, for people: left alone
  };
  Result<Kept> list() const;
  // Reads no file.
  Result<uint64_t> count() const;

 private:
  Result<std::vector<std::string>> names() const;

  fs::FileSystem& fs_;
  fs::Fd store_;
  uint64_t kept_ = 0;
};

}  // namespace stravinsky::store
