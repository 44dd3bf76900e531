#include "engine/trail.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/strings.h"
#include "engine/history.h"
#include "engine/outcome_event.h"
#include "store/audit_unrecorded.h"

namespace stravinsky::engine {
namespace {

using model::AuditRecord;

// What the trail itself says happened.
struct Told {
  std::set<std::string> hashes;
  std::set<std::string> transactions;  // that it names the end of
  uint64_t last_seq = 0;
};

bool names_an_end(const model::AuditEvent& event) {
  return event.type != model::AuditEventType::kUpdateStart &&
         event.type != model::AuditEventType::kUpdateFailed;
}

Result<Told> read_trail(Session& session) {
  Told told;
  RETURN_IF_ERROR(session.audit().visit([&](const AuditRecord& record) {
    told.hashes.insert(record.link.hash.hex());
    if (names_an_end(record.event)) told.transactions.insert(record.event.tx);
    told.last_seq = std::max(told.last_seq, record.link.seq);
  }));
  ASSIGN_OR_RETURN(const auto kept,
                   store::UnrecordedEvents(session.fs(), session.store().fd()).list());
  for (const AuditRecord& record : kept.events) told.transactions.insert(record.event.tx);
  return told;
}

// What the store remembers of it and the trail does not hold, for people.
Result<std::vector<std::string>> missing_from(Session& session, const Told& told) {
  std::vector<std::string> missing;
  const std::string no_head = codec::Digest().hex();
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  for (const store::BackupInfo& info : list.backups) {
    ASSIGN_OR_RETURN(const model::Manifest manifest, session.backups().load_manifest(info.id));
    if (manifest.audit_head.empty() || manifest.audit_head == no_head) continue;
    if (!told.hashes.contains(manifest.audit_head))
      missing.push_back("the event that was the last one when backup " + escape(info.id) +
                        " was taken");
  }
  ASSIGN_OR_RETURN(const auto committed,
                   committed_transactions(session.fs(), session.store().fd()));
  for (const txn::JournalContent& journal : committed) {
    const model::TransactionFacts& facts = journal.plan.facts;
    const bool was_off = std::ranges::find(journal.phases, kNotOnRecord) != journal.phases.end();
    if (!was_off && !told.transactions.contains(facts.id))
      missing.push_back("the " + std::string(transaction_kind_name(facts.kind)) +
                        " that is transaction " + facts.id);
  }
  return missing;
}

}  // namespace

Result<store::AuditVerdict> verify_trail(Session& session) {
  if (!session.has_store()) return store::AuditVerdict();
  ASSIGN_OR_RETURN(store::AuditVerdict verdict, session.audit().verify());
  if (!verdict.ok() || !session.config().boolean("audit.enable_audit_logging")) return verdict;
  ASSIGN_OR_RETURN(const Told told, read_trail(session));
  ASSIGN_OR_RETURN(const auto missing, missing_from(session, told));
  if (!missing.empty()) {
    constexpr size_t kNamed = 5;
    verdict.damage = store::AuditDamage::kTruncation;
    verdict.first_bad_seq = verdict.first_bad_line = told.last_seq + 1;
    verdict.message =
        "the chain holds, but the trail was cut, written anew or begun anew: it lacks ";
    for (size_t i = 0; i < std::min(missing.size(), kNamed); ++i)
      verdict.message += (i == 0 ? "" : ", ") + missing[i];
    if (missing.size() > kNamed)
      verdict.message += " and " + std::to_string(missing.size() - kNamed) + " more";
    return verdict;
  }
  if (verdict.events > 0) return verdict;
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  if (latest.last_transaction.empty() && list.backups.empty()) return verdict;
  verdict.damage = store::AuditDamage::kTruncation;
  verdict.first_bad_seq = 1;
  verdict.first_bad_line = 1;
  verdict.message = "the trail is gone, although the store holds backups or transactions";
  return verdict;
}

}  // namespace stravinsky::engine
