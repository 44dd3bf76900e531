#include "engine/resume.h"

#include <algorithm>

#include "base/strings.h"
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

Status refuse_unless_open(Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(const Ids open, ids_on(session, txn::Shelf::kOpen));
  if (std::ranges::find(open, id) != open.end()) return {};
  return make_error(ErrorCode::kNotFound, "there is no open transaction " + escape(id))
      .with_untouched("Nothing was changed.")
      .with_remedy("See what there is: stravinsky status");
}

Status set_aside(Session& session, const std::string& id) {
  RETURN_IF_ERROR(txn::set_transaction_aside(session.transaction_context(), id));
  model::AuditEvent event;
  event.type = model::AuditEventType::kTransactionSetAside;
  event.status = model::AuditStatus::kFailed;
  event.tx = id;
  event.notes = "set aside on request";
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
    if (Status queued = txn::requeue(context, id); !queued)
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
  RETURN_IF_ERROR(set_aside(session, request.set_aside));
  std::erase_if(result.recovered,
                [&](const txn::Recovered& one) { return one.facts.id == request.set_aside; });
  result.set_aside = request.set_aside;
  return result;
}

}  // namespace stravinsky::engine
