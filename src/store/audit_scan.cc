#include "store/audit_scan.h"

#include <fmt/format.h>

#include <bit>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "model/audit_event.h"
#include "store/file_lines.h"

namespace stravinsky::store {
namespace {

using model::AuditHead;
using model::AuditLink;

// The first event that may differ between two chains of the same length: the
// one after all the leading subtrees that they share.
uint64_t first_difference(const codec::MerkleFrontier& ours, const codec::MerkleFrontier& theirs) {
  CHECK(ours.size() == theirs.size());
  uint64_t shared = 0;
  uint64_t rest = ours.size();
  for (size_t i = 0; i < ours.hashes().size() && ours.hashes()[i] == theirs.hashes()[i]; ++i) {
    const uint64_t subtree = std::bit_floor(rest);
    shared += subtree;
    rest -= subtree;
  }
  return shared + 1;
}

class Scanner {
 public:
  Scanner(const std::optional<AuditHead>& head, uint64_t size_bytes)
      : head_(head), size_bytes_(size_bytes) {
    if (head_) scan_.end.log_id = head_->log_id;
  }

  // False when no further line can change the verdict.
  bool take(const FileLine& line);
  AuditScan finish() &&;

 private:
  AuditDamage damage() const { return scan_.verdict.damage; }
  void set(AuditDamage damage, uint64_t seq, uint64_t line, std::string message);
  void judge(const FileLine& line);
  bool is_misplaced(const AuditLink& link);
  void extend(const AuditLink& link, const FileLine& line);
  void compare_with_head();
  bool look_on(const FileLine& line);

  const std::optional<AuditHead>& head_;
  const uint64_t size_bytes_;
  AuditScan scan_;
  uint64_t line_number_ = 0;
  bool cut_line_ = false;     // the bad line has no newline
  bool may_be_torn_ = false;  // the bad line lies behind everything acknowledged
};

void Scanner::set(AuditDamage damage, uint64_t seq, uint64_t line, std::string message) {
  scan_.verdict = {.damage = damage,
                   .events = scan_.end.seq,
                   .first_bad_seq = seq,
                   .first_bad_line = line,
                   .message = std::move(message)};
}

bool Scanner::take(const FileLine& line) {
  ++line_number_;
  if (!scan_.verdict.ok()) return look_on(line);
  judge(line);
  return scan_.verdict.ok() || may_be_torn_ || damage() == AuditDamage::kDeletion;
}

void Scanner::judge(const FileLine& line) {
  const auto link = model::check_audit_line(line.text);
  const uint64_t seq = scan_.end.seq + 1;
  if (!link && link.error().code == ErrorCode::kUnsupported) {
    set(AuditDamage::kNewerFormat, seq, line_number_, link.error().message);
  } else if (!link || !line.terminated) {
    set(AuditDamage::kEdit, seq, line_number_,
        fmt::format("event {} (line {}) is not what was written: {}", seq, line_number_,
                    link ? "its newline is missing" : link.error().message));
    cut_line_ = !line.terminated;
    may_be_torn_ = head_ && line.begin >= head_->size_bytes;
  } else if (link->seq == 0) {
    set(AuditDamage::kEdit, seq, line_number_,
        fmt::format("line {} holds an event of number 0, and the first of a log is 1",
                    line_number_));
  } else if (!is_misplaced(*link)) {
    extend(*link, line);
    compare_with_head();
  }
}

bool Scanner::is_misplaced(const AuditLink& link) {
  const uint64_t seq = scan_.end.seq + 1;
  const bool is_first = scan_.end.log_id.empty();
  if (!MUTANT(audit_scan_log_id_not_checked) && !is_first && link.log_id != scan_.end.log_id) {
    set(AuditDamage::kReplacedLog, seq, line_number_,
        fmt::format("line {} is an event of another log ({} instead of {})", line_number_,
                    escape(link.log_id), scan_.end.log_id));
  } else if (!MUTANT(audit_scan_seq_not_checked) && link.seq < seq) {
    set(AuditDamage::kDuplicate, link.seq, line_number_,
        fmt::format("event {} occurs again in line {}", link.seq, line_number_));
  } else if (!MUTANT(audit_scan_seq_not_checked) && link.seq > seq) {
    set(AuditDamage::kDeletion, seq, line_number_,
        fmt::format("event {} is missing: line {} holds event {}", seq, line_number_, link.seq));
  } else if (!MUTANT(audit_scan_prev_hash_not_checked) && link.prev_hash != scan_.end.hash) {
    // The line is whole, so that it is the one before that changed after this
    // one had recorded its hash.
    const uint64_t back = seq > 1 ? 1 : 0;
    set(AuditDamage::kEdit, seq - back, line_number_ - back,
        fmt::format("event {} (line {}) was changed after event {} had recorded its hash",
                    seq - back, line_number_ - back, seq));
  } else {
    return false;
  }
  return true;
}

void Scanner::extend(const AuditLink& link, const FileLine& line) {
  scan_.end.log_id = link.log_id;
  scan_.end.seq = link.seq;
  scan_.end.hash = link.hash;
  scan_.end.size_bytes = line.begin + line.text.size() + 1;
  scan_.end.frontier.append(link.hash.bytes);
  scan_.verdict.events = link.seq;
}

void Scanner::compare_with_head() {
  if (!head_ || scan_.end.seq != head_->seq || MUTANT(audit_scan_head_not_compared)) return;
  if (scan_.end.hash != head_->hash) {
    const uint64_t seq = first_difference(scan_.end.frontier, head_->frontier);
    set(AuditDamage::kRewrite, seq, seq,
        fmt::format("the log was written anew from event {} on or from a later one: its chain "
                    "holds, but it is not the one that head.json names",
                    seq));
  } else if (scan_.end != *head_) {
    set(AuditDamage::kHeadDamaged, scan_.end.seq, line_number_,
        "head.json does not fit the log that it names");
  }
}

// Lines behind the first bad one tell what kind of damage it is.
bool Scanner::look_on(const FileLine& line) {
  const auto link = model::check_audit_line(line.text);
  if (!link || !line.terminated) return true;
  // A crash cuts the last append only, never one with a whole event behind it.
  may_be_torn_ = false;
  if (damage() != AuditDamage::kDeletion) return false;
  if (link->seq != scan_.end.seq + 1 || link->log_id != scan_.end.log_id) return true;
  scan_.verdict.damage = AuditDamage::kReorder;
  scan_.verdict.message = fmt::format("event {} stands in line {} instead of line {}", link->seq,
                                      line_number_, scan_.verdict.first_bad_line);
  return false;
}

AuditScan Scanner::finish() && {
  const uint64_t next = scan_.end.seq + 1;
  if (may_be_torn_) {
    set(AuditDamage::kTornTail, next, next,
        fmt::format("{} bytes behind event {} are left of an append that was cut short; nothing "
                    "that was reported as written is lost",
                    size_bytes_ - scan_.end.size_bytes, scan_.end.seq));
  } else if (cut_line_ && head_ && size_bytes_ < head_->size_bytes) {
    scan_.verdict.damage = AuditDamage::kTruncation;
  } else if (scan_.verdict.ok() && head_ && scan_.end.seq < head_->seq &&
             !MUTANT(audit_scan_truncation_not_checked)) {
    set(AuditDamage::kTruncation, next, next, "");
  } else if (scan_.verdict.ok() && !head_ && size_bytes_ > 0) {
    set(AuditDamage::kHeadMissing, next, next,
        "head.json is missing, so that nothing shows whether the end of the log was cut off");
  }
  if (damage() == AuditDamage::kTruncation) {
    scan_.verdict.message = fmt::format(
        "the log was cut: it ends with event {}, and event {} was "
        "written",
        scan_.end.seq, head_->seq);
  }
  return std::move(scan_);
}

}  // namespace

std::string_view audit_damage_name(AuditDamage damage) {
  switch (damage) {
    case AuditDamage::kNone:
      return "none";
    case AuditDamage::kEdit:
      return "edit";
    case AuditDamage::kDeletion:
      return "deletion";
    case AuditDamage::kDuplicate:
      return "duplicate";
    case AuditDamage::kReorder:
      return "reorder";
    case AuditDamage::kTruncation:
      return "truncation";
    case AuditDamage::kRewrite:
      return "rewrite";
    case AuditDamage::kReplacedLog:
      return "replaced_log";
    case AuditDamage::kTornTail:
      return "torn_tail";
    case AuditDamage::kHeadDamaged:
      return "head_damaged";
    case AuditDamage::kHeadMissing:
      return "head_missing";
    case AuditDamage::kNewerFormat:
      return "newer_format";
  }
  CHECK(false);
}

Result<AuditScan> scan_audit_log(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes,
                                 const std::optional<AuditHead>& head) {
  Scanner scanner(head, size_bytes);
  ForwardLines lines(fs, fd, size_bytes, model::kAuditLineMaxBytes);
  while (true) {
    ASSIGN_OR_RETURN(const auto line, lines.next());
    if (!line || !scanner.take(*line)) return std::move(scanner).finish();
  }
}

}  // namespace stravinsky::store
