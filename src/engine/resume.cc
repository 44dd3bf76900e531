#include "engine/resume.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "engine/history.h"
#include "model/store_layout.h"
#include "txn/archive.h"

namespace stravinsky::engine {

namespace layout = model::layout;

namespace {

using Ids = std::vector<std::string>;

Result<Ids> ids_on(Session& session, txn::Shelf shelf) {
  ASSIGN_OR_RETURN(Ids ids, txn::list_transactions(session.fs(), session.store().fd(), shelf));
  std::ranges::sort(ids);
  return ids;
}

Result<Ids> planned(Session& session, const ResumeRequest& request) {
  if (!request.set_aside.empty()) return Ids();
  ASSIGN_OR_RETURN(Ids ids, ids_on(session, txn::Shelf::kOpen));
  ASSIGN_OR_RETURN(const Ids abandoned, ids_on(session, txn::Shelf::kInconsistent));
  ids.insert(ids.end(), abandoned.begin(), abandoned.end());
  return ids;
}

Result<txn::JournalContent> read_aside(const Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(const fs::File dir, txn::open_transaction(session.fs(), session.store().fd(),
                                                             txn::Shelf::kInconsistent, id));
  return txn::read_journal(session.fs(), dir.fd());
}

std::set<std::string> changed_roots(const model::ChangePlan& plan) {
  std::set<std::string> roots;
  for (const model::Change& change : plan.changes)
    roots.insert(change.logical.scope == model::Scope::kUser ? plan.facts.user_root
                                                             : plan.facts.project_root);
  return roots;
}

// What was set aside never became part of the history: whatever was committed after it
// has its sequence number or a higher one.
bool is_later(const model::TransactionFacts& committed, const model::TransactionFacts& aside) {
  return committed.sequence >= aside.sequence && committed.id != aside.id;
}

// A rollback to a version writes every managed file of its trees.
bool makes_whole(const model::ChangePlan& rollback, const model::ChangePlan& aside) {
  if (rollback.facts.kind != model::TransactionKind::kRollback) return false;
  if (!is_later(rollback.facts, aside.facts)) return false;
  const auto is_in_it = [&](const std::string& root) {
    return root == rollback.facts.user_root || root == rollback.facts.project_root;
  };
  return std::ranges::all_of(changed_roots(aside), is_in_it);
}

// Taking back what was set aside would write over it.
Status refuse_over_later(const Session& session, const model::ChangePlan& aside) {
  ASSIGN_OR_RETURN(const auto committed,
                   committed_transactions(session.fs(), session.store().fd()));
  const std::set<std::string> roots = changed_roots(aside);
  for (const txn::JournalContent& journal : committed) {
    const model::TransactionFacts& facts = journal.plan.facts;
    if (!is_later(facts, aside.facts)) continue;
    const auto theirs = changed_roots(journal.plan);
    if (std::ranges::none_of(theirs, [&](const auto& root) { return roots.contains(root); }))
      continue;
    return make_error(ErrorCode::kConflict,
                      "it cannot be taken back any more: transaction " + facts.id + " (" +
                          std::string(transaction_kind_name(facts.kind)) +
                          ") was committed in the same tree after it and would be written over. "
                          "If the tree is as you want it, nothing is to be put right");
  }
  return {};
}

Status requeue(Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(const txn::JournalContent journal, read_aside(session, id));
  // Otherwise its files are complete, and only leftovers of its own go.
  if (journal.reached == txn::TransactionState::kApplying)
    RETURN_IF_ERROR(refuse_over_later(session, journal.plan));
  return txn::requeue(session.transaction_context(), id);
}

Status refuse_unless_open(Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(const Ids open, ids_on(session, txn::Shelf::kOpen));
  if (std::ranges::find(open, id) != open.end()) return {};
  return make_error(ErrorCode::kNotFound, "there is no open transaction " + escape(id))
      .with_untouched("Nothing was changed.")
      .with_remedy("See what there is: stravinsky status");
}

Status set_aside(Session& session, const std::string& id, std::string_view why) {
  RETURN_IF_ERROR(txn::set_transaction_aside(session.transaction_context(), id));
  model::AuditEvent event;
  event.type = model::AuditEventType::kTransactionSetAside;
  event.status = model::AuditStatus::kFailed;
  event.tx = id;
  event.notes = why;
  // It is out of the way; a damaged trail must not bring it back.
  (void)session.record(event);
  return {};
}

}  // namespace

bool ResumeResult::all_done() const {
  return still_aside.empty() && std::ranges::all_of(recovered, [](const txn::Recovered& one) {
           return one.action == txn::RecoveryAction::kDiscarded ||
                  one.action == txn::RecoveryAction::kRolledBack ||
                  one.action == txn::RecoveryAction::kCompleted;
         });
}

Result<std::vector<std::string>> set_aside_what_is_open(Session& session) {
  ASSIGN_OR_RETURN(Ids open, ids_on(session, txn::Shelf::kOpen));
  for (const std::string& id : open)
    RETURN_IF_ERROR(set_aside(session, id, "set aside by an emergency recovery"));
  return open;
}

Status refuse_while_inconsistent(const Session& session) {
  if (!session.has_store()) return {};
  ASSIGN_OR_RETURN(Ids ids, txn::list_transactions(session.fs(), session.store().fd(),
                                                   txn::Shelf::kInconsistent));
  if (ids.empty()) return {};
  std::ranges::sort(ids);
  ASSIGN_OR_RETURN(const auto committed,
                   committed_transactions(session.fs(), session.store().fd()));
  for (const std::string& id : ids) {
    const auto journal = read_aside(session, id);
    const bool is_known = journal && journal->plan.facts.id == id;
    if (is_known) {
      const auto is_here = [&](const std::string& root) {
        return root == session.roots().user.path ||
               (session.roots().project && root == session.roots().project->path);
      };
      if (std::ranges::none_of(changed_roots(journal->plan), is_here)) continue;
      if (std::ranges::any_of(committed, [&](const txn::JournalContent& one) {
            return makes_whole(one.plan, journal->plan);
          }))
        continue;
    }
    const std::string dir = session.store_path() + "/" + layout::inconsistent_transaction(id).str();
    return make_error(ErrorCode::kRecoveryRequired,
                      "transaction " + id +
                          " is INCONSISTENT: it was neither finished nor taken back, and the "
                          "tree may be a mix of two states")
        .with_untouched("Nothing was changed.")
        .with_remedy(is_known ? "Run: stravinsky recovery resume; or make the tree whole with: "
                                "stravinsky rollback to VERSION. What to do by hand is in " +
                                    dir + "/README.txt"
                              : "Its record cannot be read. See that the tree is as you want it, "
                                "with stravinsky rollback to VERSION or by hand; then delete " +
                                    dir);
  }
  return {};
}

Result<ResumeResult> resume(Session& session, const ResumeRequest& request) {
  ResumeResult result;
  if (!session.has_store()) {
    if (request.set_aside.empty()) return result;
    return make_error(ErrorCode::kNotFound, "there is no store yet")
        .with_untouched("Nothing was changed.");
  }
  if (!request.set_aside.empty()) RETURN_IF_ERROR(refuse_unless_open(session, request.set_aside));
  if (session.is_dry_run()) {
    ASSIGN_OR_RETURN(result.planned, planned(session, request));
    return result;
  }
  RETURN_IF_ERROR(session.lock());
  const txn::TransactionContext context = session.transaction_context();
  ASSIGN_OR_RETURN(Ids abandoned, ids_on(session, txn::Shelf::kInconsistent));
  if (!request.set_aside.empty()) abandoned.clear();  // it is about the open ones
  for (const std::string& id : abandoned) {
    // One whose journal cannot be read stays where it is, with its instructions.
    if (Status queued = requeue(session, id); !queued)
      result.still_aside.push_back(
          {.id = id,
           .directory = session.store_path() + "/" + layout::inconsistent_transaction(id).str(),
           .error = std::move(queued).error()});
  }
  txn::RecoveryOptions options = session.recovery_options();
  options.replaced_root = request.replaced_root;
  ASSIGN_OR_RETURN(result.recovered, txn::recover_all(context, options));
  for (const txn::Recovered& one : result.recovered)
    if (session.request().on_recovered) session.request().on_recovered(one);
  if (request.set_aside.empty()) return result;
  // Only what cannot be recovered goes: an open transaction may have left the tree mixed.
  ASSIGN_OR_RETURN(const Ids open, ids_on(session, txn::Shelf::kOpen));
  if (std::ranges::find(open, request.set_aside) == open.end()) return result;
  RETURN_IF_ERROR(set_aside(session, request.set_aside, "set aside on request"));
  std::erase_if(result.recovered,
                [&](const txn::Recovered& one) { return one.facts.id == request.set_aside; });
  result.set_aside = request.set_aside;
  return result;
}

}  // namespace stravinsky::engine
