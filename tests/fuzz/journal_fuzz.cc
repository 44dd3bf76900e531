// A journal: raw bytes; records with right frames, each a part of the input that begins
// with its tag; and each part as a plan.
#include "base/check.h"
#include "codec/framed_records.h"
#include "fuzz_target.h"
#include "txn/journal.h"

using namespace stravinsky;

namespace {

void read_journal(std::string_view bytes) {
  const auto journal = txn::parse_journal(bytes);
  if (!journal) {
    CHECK(journal.error().code == ErrorCode::kUnsupported);
    return;
  }
  CHECK(bytes.starts_with(journal->valid));
  CHECK(!journal->committed || journal->record_count >= 2);
  // What counts as valid says the same when it stands alone.
  const auto again = txn::parse_journal(journal->valid);
  CHECK(again && again->record_count == journal->record_count);
  CHECK(journal->state == txn::TransactionState::kDamaged || again->state == journal->state);
}

void read_plan(std::string_view body) {
  const auto plan = txn::decode_plan(body);
  if (plan) CHECK(txn::encode_plan(*plan) == body);
}

}  // namespace

FUZZ_TARGET(journal) {
  read_journal(input);
  std::string framed;
  uint64_t sequence = 0;
  for (const std::string_view part : fuzz::parts(input)) {
    framed += codec::frame_record(sequence++, part);
    if (!part.empty()) read_plan(part.substr(1));
  }
  read_journal(framed);
}
