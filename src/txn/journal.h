// Journal: the append-only record of one transaction, and the one thing that
// decides what it is: done or undone.
//
// recovery/tx/<txid>/journal is a run of framed records (codec/framed_records.h).
// The payload of each is a tag byte and, after it, what the tag says:
//
//   BEGIN         format version, facts, anchors, links, changes with before and after images
//   PHASE         the name of a step, for people and for the trail
//   APPLYING      from here targets may differ from their before-images
//   COMMIT        the only decision point: from here the transaction happened
//   ABORTED       every target is its before-image again
//   END           stages and displaced files are gone
//   ATTEMPT       recovery begins to roll back; counted
//   INCONSISTENT  recovery gave up; a text says why
//
// An appended record counts when it is durable: append() returns after fdatasync.
// No value of a setting is in a journal: images hold hashes, not bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "model/change_plan.h"

namespace stravinsky::txn {

inline constexpr uint32_t kJournalFormatVersion = 1;
inline constexpr uint64_t kJournalMaxBytes = 512ULL << 20U;

enum class Tag : uint8_t {
  kBegin = 1,
  kPhase = 2,
  kApplying = 3,
  kCommit = 4,
  kAborted = 5,
  kEnd = 6,
  kAttempt = 7,
  kInconsistent = 8,
};

// Whether append waits until the record is on the disk.
enum class Durable { kYes, kNo };

struct JournalContent;

class JournalWriter {
 public:
  // A new journal in dir; the name must be free. The caller syncs dir.
  static Result<JournalWriter> create(fs::FileSystem& fs, fs::Fd dir);
  // Goes on behind the valid records, after copying them to a new file: what a
  // killed process wrote may be in memory only, and a sync of the old file could
  // report success for bytes that an earlier, failed sync has dropped.
  static Result<JournalWriter> reopen(fs::FileSystem& fs, fs::Fd dir, std::string_view valid,
                                      uint64_t record_count);

  // Puts a journal in place of the one there that says how far the transaction had
  // come and nothing of the attempts: an abandoned one that is to be tried once more.
  static Status restart(fs::FileSystem& fs, fs::Fd dir, const JournalContent& content);

  // A failed append leaves the journal as if it had not been tried; but after a
  // failed sync its bytes may be on the disk all the same, or those of earlier
  // records may be lost: the journal is in doubt, and the next append begins with
  // a replace.
  Status append(Tag tag, std::string_view body, Durable durable);
  // Puts a new file with the appended records alone in the journal's place. After
  // a failed append(kCommit) that left the journal in doubt nothing else may happen
  // to the tree before this.
  Status replace();
  bool in_doubt() const { return in_doubt_; }
  Status close();

 private:
  JournalWriter(fs::FileSystem& fs, fs::Fd dir, fs::File file, std::string records, uint64_t count)
      : fs_(&fs), dir_(dir), file_(std::move(file)), records_(std::move(records)), count_(count) {}
  fs::FileSystem* fs_;
  fs::Fd dir_;  // not owned; outlives the writer
  fs::File file_;
  std::string records_;  // every record appended so far
  uint64_t count_;
  bool in_doubt_ = false;
};

std::string encode_plan(const model::ChangePlan& plan);
// kCorrupt when the bytes are not a plan; kUnsupported for a newer format version.
Result<model::ChangePlan> decode_plan(std::string_view body);

// Where a transaction stands, by its last valid record.
enum class TransactionState {
  kNothing,       // no valid BEGIN: nothing was staged or touched
  kBegun,         // stages may exist, no target was touched
  kApplying,      // any mix of before and after
  kCommitted,     // all is durable
  kAborted,       // all is as before
  kEnded,         // nothing is left to do
  kInconsistent,  // recovery gave up on it
  kDamaged,       // a bad record before a good one, or one that cannot stand where
                  // it stands: not the work of a crash
};

struct JournalContent {
  TransactionState state = TransactionState::kNothing;
  model::ChangePlan plan;  // empty for kNothing and where BEGIN itself is damaged
  // How far it came before END or INCONSISTENT: kNothing, kBegun, kApplying,
  // kCommitted or kAborted.
  TransactionState reached = TransactionState::kNothing;
  bool committed = false;  // a COMMIT record is there, whatever follows it
  uint32_t attempts = 0;
  std::vector<std::string> phases;
  std::string inconsistent_reason;
  std::string valid;  // the bytes of the valid records
  uint64_t record_count = 0;
};

// Never fails on damaged bytes: that is a state. kUnsupported for a newer format.
Result<JournalContent> parse_journal(std::string_view bytes);
// An absent file is kNothing.
Result<JournalContent> read_journal(fs::FileSystem& fs, fs::Fd dir);

}  // namespace stravinsky::txn
