// audit_scan: reads an audit log from front to end and judges it.
//
// Constant memory. Every line must be the canonical form of an event with a
// right hash, carry the next sequence number and name the hash of the line
// before; at the head's sequence number the chain must be what the head says.
//
// What it cannot see: a log and a head that the same hand rewrote together, and
// both removed together. Whoever owns the files can do that; only a head kept
// elsewhere (backup manifests hold one, a checkpoint outside the store) shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/audit_head.h"

namespace stravinsky::store {

enum class AuditDamage {
  kNone,
  kEdit,         // an event was changed, or is no event at all
  kDeletion,     // events are missing between two others
  kDuplicate,    // a sequence number occurs twice: a copied line or two writers
  kReorder,      // the events are all there, in another order
  kTruncation,   // the log ends before the event that the head names
  kRewrite,      // whole chain, but not the one that the head names
  kReplacedLog,  // events of another log
  kTornTail,     // bytes of an append that a crash cut short; the next append heals it
  kHeadDamaged,  // head.json is not what was written
  kHeadMissing,  // there are events and no head.json, so that a cut would not show
  kNewerFormat,  // written by a newer version: not judged
};
std::string_view audit_damage_name(AuditDamage damage);  // "edit", "torn_tail", ...

struct AuditVerdict {
  AuditDamage damage = AuditDamage::kNone;
  uint64_t events = 0;          // in the unbroken chain from the first event
  uint64_t first_bad_seq = 0;   // 0 when nothing is wrong
  uint64_t first_bad_line = 0;  // from 1; where that event is or should be
  std::string message;          // for people

  bool ok() const { return damage == AuditDamage::kNone; }
};

struct AuditScan {
  AuditVerdict verdict;
  // What the head of the unbroken chain would be; end.size_bytes is where the
  // first bad byte stands. Beyond the stored head when that lags behind.
  model::AuditHead end;
};

// The first size_bytes of the log. fd is not looked at when size_bytes is 0.
Result<AuditScan> scan_audit_log(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes,
                                 const std::optional<model::AuditHead>& head);

}  // namespace stravinsky::store
