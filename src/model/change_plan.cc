#include "model/change_plan.h"

#include <algorithm>
#include <tuple>

#include "base/strings.h"

namespace stravinsky::model {

std::string_view transaction_kind_name(TransactionKind kind) {
  switch (kind) {
    case TransactionKind::kUpdate:
      return "update";
    case TransactionKind::kRollback:
      return "rollback";
    case TransactionKind::kUndo:
      return "undo";
    case TransactionKind::kRedo:
      return "redo";
    case TransactionKind::kAutoRollback:
      return "automatic rollback";
    case TransactionKind::kRecovery:
      return "recovery";
    case TransactionKind::kDisarm:
      return "disarming of the hooks";
    case TransactionKind::kArm:
      return "arming of the hooks";
  }
  return "update";
}

Status order_plan(ChangePlan& plan) {
  std::sort(plan.changes.begin(), plan.changes.end(), [](const Change& a, const Change& b) {
    return std::tie(a.order, a.anchor, a.path) < std::tie(b.order, b.anchor, b.path);
  });
  std::vector<std::string> places;  // absolute, with a slash behind, for the prefix rule
  for (const Change& change : plan.changes) {
    if (change.anchor >= plan.anchors.size())
      return make_error(ErrorCode::kCorrupt, "a change names a directory that is not in the plan");
    if (change.before.same_as(change.after))
      return make_error(ErrorCode::kCorrupt, "a change changes nothing", change.display);
    places.push_back(plan.anchors[change.anchor].directory + "/" + change.path.str() + "/");
  }
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i].starts_with(places[i - 1]))
      return make_error(ErrorCode::kConflict, "two changes meet at one place", escape(places[i]));
  }
  return {};
}

}  // namespace stravinsky::model
