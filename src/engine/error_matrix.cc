#include "engine/error_matrix.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "engine/verification.h"

namespace stravinsky::engine {
namespace {

using enum ErrorClass;
using enum Response;

constexpr std::array kRows = {
    ErrorRow{kParseError, "parse_error", "parse error (hook, command)", "syntax validation", kAbort,
             kTakeBack, kStay, "the previous version",
             "Nothing is installed; mend the bundle and update again.", 3, 1},
    ErrorRow{kValidationError, "validation_error", "validation error (schema, health check)",
             "schema check, verify.commands", kAbort, kTakeBack, kStay, "the previous version",
             "Nothing is installed; mend the bundle and update again.", 3, 1},
    ErrorRow{kPermissionError, "permission_error", "permission error", "access test", kAbort,
             kTakeBack, kTakeBack, "chmod, or the proper user",
             "Mend the rights (chmod, chown) or run it as the proper user, and update again.", 9,
             1},
    ErrorRow{kDiskFull, "disk_full", "disk full", "space check", kAbort, kTakeBack, kTakeBack,
             "the copies that are stored already", "Free some space and run the command again.", 10,
             1},
    ErrorRow{kCorruptedBackup, "corrupted_backup", "corrupted backup", "checksum", kAbort,
             kTakeBack, kTakeBack, "an older backup",
             "Choose another backup: stravinsky backup verify --all", 7, 1},
    ErrorRow{kLockTimeout, "lock_timeout", "lock timeout", "lock check", kAbort, kTakeBack,
             kTakeBack, "waiting", "Wait until the other program is done and run it again.", 6, 1},
    ErrorRow{kDependencyFailure, "dependency_failure", "dependency failure", "import test", kAbort,
             kTakeBack, kStay, "the previous version",
             "Nothing is installed; mend the bundle and update again.", 3, 1},
    ErrorRow{kPartialWrite, "partial_write", "partial write", "transaction log", kAbort, kTakeBack,
             kTakeBack, "the transaction log", "Run the command again.", 1, 1},
    ErrorRow{kVersionMismatch, "version_mismatch", "version mismatch", "version files", kAbort,
             kTakeBack, kStay, "the previous version; latest.json is worked out again",
             "Run the command again.", 3, 1},
    ErrorRow{kUnknownError, "unknown_error", "unknown error", "catch-all", kAbort, kTakeBack,
             kTakeBack, "the previous version",
             "Nothing is installed; see what happened with: stravinsky audit log --limit 5", 1, 1},
};

consteval bool is_in_order() {
  for (size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<size_t>(kRows[i].error_class) != i) return false;
  return static_cast<size_t>(kUnknownError) + 1 == kRows.size();
}
static_assert(is_in_order());

// Whatever the cause: nothing half done may stay.
consteval bool decides_by_phase() {
  for (const ErrorRow& row : kRows)
    if (row.before != kAbort || row.after != kTakeBack || row.found_wanting == kAbort) return false;
  return true;
}
static_assert(decides_by_phase());

ErrorClass class_of(Verification verification) {
  switch (verification) {
    case Verification::kHooksSyntax:
    case Verification::kCommandsValid:
      return kParseError;
    case Verification::kSettingsSchema:
    case Verification::kFilePermissions:
      return kValidationError;
    case Verification::kDependencies:
      return kDependencyFailure;
    case Verification::kVersionConsistency:
      return kVersionMismatch;
  }
  return kValidationError;
}

std::string_view response_text(Response response) {
  switch (response) {
    case kAbort:
      return "abort";
    case kTakeBack:
      return "take back";
    case kStay:
      return "stay, and say so";
  }
  return "";
}

}  // namespace

std::string_view response_name(Response response) {
  switch (response) {
    case kAbort:
      return "abort";
    case kTakeBack:
      return "auto_rollback";
    case kStay:
      return "stay";
  }
  return "";
}

std::span<const ErrorRow> error_matrix() {
  return kRows;
}

const ErrorRow& row_of(ErrorClass error_class) {
  const auto index = static_cast<size_t>(error_class);
  CHECK(index < kRows.size());
  return kRows[index];
}

ErrorClass classify(const Error& error, Phase phase) {
  switch (error.code) {
    case ErrorCode::kChecksRefused: {
      const auto verification = verification_of(error.rule);
      return verification ? class_of(*verification) : kValidationError;
    }
    case ErrorCode::kPermission:
      return kPermissionError;
    case ErrorCode::kNoSpace:
      return kDiskFull;
    case ErrorCode::kCorrupt:
      return kCorruptedBackup;
    case ErrorCode::kLocked:
      return kLockTimeout;
    case ErrorCode::kChanged:
      return kPartialWrite;
    case ErrorCode::kIo:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kWrongType:
    case ErrorCode::kUnsupported:
      return phase == Phase::kSwap ? kPartialWrite : kUnknownError;
    case ErrorCode::kUsage:
    case ErrorCode::kConflict:
    case ErrorCode::kRecoveryRequired:
    case ErrorCode::kInterrupted:
      return kUnknownError;
  }
  return kUnknownError;
}

Response respond(const Error& error, Phase phase, AutomaticRollback automatic) {
  const ErrorRow& row = row_of(classify(error, phase));
  if (phase == Phase::kBefore) return row.before;
  if (phase == Phase::kVerify && automatic == AutomaticRollback::kOff) return row.found_wanting;
  return row.after;
}

std::string error_class_name(const Error& error, Phase phase) {
  switch (error.code) {
    case ErrorCode::kUsage:
    case ErrorCode::kConflict:
    case ErrorCode::kInterrupted:
      return "";
    case ErrorCode::kNotFound:
      if (phase == Phase::kBefore) return "";
      break;
    default:
      break;
  }
  return std::string(row_of(classify(error, phase)).name);
}

std::string error_matrix_markdown() {
  std::string table =
      "| error | class | found by | before the first change | after it | found wanting, automatic "
      "rollback off | what restores | exit code before, after | what you are told to do |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  for (const ErrorRow& row : kRows)
    table += fmt::format("| {} | `{}` | {} | {} | {} | {} | {} | {}, {} | {} |\n", row.title,
                         row.name, row.found_by, response_text(row.before),
                         response_text(row.after), response_text(row.found_wanting), row.restores,
                         row.exit_before, row.exit_after, row.next_step);
  return table;
}

}  // namespace stravinsky::engine
