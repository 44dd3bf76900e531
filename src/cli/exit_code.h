// The exit codes, in one place.
#pragma once

#include <string_view>

#include "base/error.h"
#include "engine/operation_result.h"

namespace stravinsky::cli {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,  // nothing changed, or rolled back cleanly
  kUsage = 2,
  kChecksRefused = 3,
  kConflict = 4,
  kNotFound = 5,
  kLocked = 6,
  kCorrupt = 7,
  kRecoveryRequired = 8,
  kPermission = 9,
  kNoSpace = 10,
  kInterrupted = 130,
};

ExitCode exit_code_of(const Error& error);
ExitCode exit_code_of(const engine::OperationResult& result);

// The table as --help prints it.
std::string_view exit_code_help();

}  // namespace stravinsky::cli
