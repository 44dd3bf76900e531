#include "engine/resume.h"

#include <algorithm>

#include "model/store_layout.h"
#include "txn/archive.h"

namespace stravinsky::engine {

bool ResumeResult::all_done() const {
  return std::ranges::all_of(recovered, [](const txn::Recovered& one) {
    return one.action == txn::RecoveryAction::kDiscarded ||
           one.action == txn::RecoveryAction::kRolledBack ||
           one.action == txn::RecoveryAction::kCompleted;
  });
}

Result<ResumeResult> resume(Session& session, const ResumeRequest& request) {
  RETURN_IF_ERROR(session.lock());
  const txn::TransactionContext context = session.transaction_context();
  if (!request.set_aside.empty()) {
    if (!model::layout::is_transaction_id(request.set_aside))
      return make_error(ErrorCode::kUsage, "that is no transaction's id");
    RETURN_IF_ERROR(txn::set_transaction_aside(context, request.set_aside));
    return ResumeResult();
  }
  ASSIGN_OR_RETURN(const auto abandoned, txn::list_transactions(session.fs(), session.store().fd(),
                                                                txn::Shelf::kInconsistent));
  // One whose journal cannot be read stays where it is, with its instructions.
  for (const std::string& id : abandoned) (void)txn::requeue(context, id);
  txn::RecoveryOptions options = session.recovery_options();
  options.replaced_root = request.replaced_root;
  ResumeResult result;
  ASSIGN_OR_RETURN(result.recovered, txn::recover_all(context, options));
  for (const txn::Recovered& one : result.recovered)
    if (session.request().on_recovered) session.request().on_recovered(one);
  return result;
}

}  // namespace stravinsky::engine
