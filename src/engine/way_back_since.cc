#include "engine/way_back_since.h"

#include <algorithm>

#include "engine/history.h"
#include "txn/archive.h"

namespace stravinsky::engine {
namespace {

using model::TransactionKind;

bool leads_back(TransactionKind kind) {
  switch (kind) {
    case TransactionKind::kRollback:
    case TransactionKind::kUndo:
    case TransactionKind::kRedo:
    case TransactionKind::kAutoRollback:
      return true;
    case TransactionKind::kUpdate:
    case TransactionKind::kRecovery:
    case TransactionKind::kDisarm:
    case TransactionKind::kArm:
      return false;
  }
  return false;
}

bool is_about(const model::ChangePlan& plan, const std::string& tree) {
  if (plan.facts.tree == tree) return true;
  return std::ranges::any_of(plan.changes, [&](const model::Change& change) {
    return tree == (change.logical.scope == model::Scope::kUser ? plan.facts.user_root
                                                                : plan.facts.project_root);
  });
}

// What an older version began does not say after which transaction; then the clock decides.
bool is_since(const model::TransactionFacts& facts, const store::BegunUpdate& begun) {
  return begun.after_sequence ? facts.sequence > *begun.after_sequence
                              : facts.started_ns >= begun.started_ns;
}

}  // namespace

Result<SinceBegun> way_back_since(const Session& session, const store::BegunUpdate& begun) {
  SinceBegun since;
  // Its record counts even where it cannot be read.
  const auto recorded =
      txn::open_transaction(session.fs(), session.store().fd(), txn::Shelf::kDone, begun.token);
  if (!recorded && !is_not_found(recorded.error())) return Error(recorded.error());
  since.is_recorded = recorded.has_value();
  ASSIGN_OR_RETURN(auto committed, committed_transactions(session.fs(), session.store().fd()));
  for (txn::JournalContent& journal : committed) {
    if (journal.plan.facts.id == begun.token) {
      since.way_back.reset();
    } else if (leads_back(journal.plan.facts.kind) && is_about(journal.plan, begun.tree) &&
               is_since(journal.plan.facts, begun)) {
      since.way_back = std::move(journal);
    }
  }
  return since;
}

}  // namespace stravinsky::engine
