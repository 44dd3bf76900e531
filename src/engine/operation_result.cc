#include "engine/operation_result.h"

namespace stravinsky::engine {

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kNothingToDo:
      return "nothing_to_do";
    case Outcome::kPlanned:
      return "planned";
    case Outcome::kRolledBack:
      return "rolled_back";
    case Outcome::kVerifyFailed:
      return "verify_failed";
    case Outcome::kRollbackFailed:
      return "rollback_failed";
  }
  return "done";
}

std::string_view file_action_name(FileAction action) {
  switch (action) {
    case FileAction::kAdd:
      return "add";
    case FileAction::kChange:
      return "change";
    case FileAction::kMerge:
      return "merge";
    case FileAction::kDelete:
      return "delete";
    case FileAction::kReplaceTheirs:
      return "replace";
    case FileAction::kKeepMine:
      return "keep";
    case FileAction::kConflict:
      return "conflict";
    case FileAction::kSetAside:
      return "set_aside";
  }
  return "change";
}

}  // namespace stravinsky::engine
