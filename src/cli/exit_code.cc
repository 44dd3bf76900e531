#include "cli/exit_code.h"

namespace stravinsky::cli {

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUsage:
      return ExitCode::kUsage;
    case ErrorCode::kChecksRefused:
      return ExitCode::kChecksRefused;
    case ErrorCode::kConflict:
      return ExitCode::kConflict;
    case ErrorCode::kNotFound:
      return ExitCode::kNotFound;
    case ErrorCode::kLocked:
      return ExitCode::kLocked;
    case ErrorCode::kCorrupt:
      return ExitCode::kCorrupt;
    case ErrorCode::kRecoveryRequired:
      return ExitCode::kRecoveryRequired;
    case ErrorCode::kPermission:
      return ExitCode::kPermission;
    case ErrorCode::kNoSpace:
      return ExitCode::kNoSpace;
    case ErrorCode::kInterrupted:
      return ExitCode::kInterrupted;
    case ErrorCode::kIo:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kUnsupported:
    case ErrorCode::kChanged:
    case ErrorCode::kWrongType:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

ExitCode exit_code_of(const engine::OperationResult& result) {
  switch (result.outcome) {
    case engine::Outcome::kDone:
    case engine::Outcome::kNothingToDo:
    case engine::Outcome::kPlanned:
      return ExitCode::kDone;
    case engine::Outcome::kRollbackFailed:
      return ExitCode::kRecoveryRequired;
    case engine::Outcome::kRolledBack:
    case engine::Outcome::kVerifyFailed:
      break;
  }
  return result.failure && result.failure->code == ErrorCode::kInterrupted ? ExitCode::kInterrupted
                                                                           : ExitCode::kFailed;
}

std::string_view exit_code_help() {
  return "Exit codes: 0 done, 1 failed (nothing changed, or rolled back), 2 usage, 3 refused by "
         "the checks,\n4 conflict, 5 not found, 6 locked, 7 corrupted data, 8 recovery required, "
         "9 permission,\n10 no space, 130 interrupted (rolled back)";
}

}  // namespace stravinsky::cli
