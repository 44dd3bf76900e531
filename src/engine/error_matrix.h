// The error matrix: what becomes of an operation that fails, by what failed and when.
//
// One table, from which the engine decides, the trail and --json name the class, and
// the table of docs/operations.md is made (a test compares the two). The phase decides
// first: before the first change everything aborts; after it everything is taken back by
// the journal, whatever the cause. Only a tree that is complete and was found wanting may
// stay, where automatic rollback is switched off. What cannot be taken back is an
// emergency, whatever its class.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stravinsky::engine {

enum class ErrorClass {
  kParseError,         // a hook or a command that its parser refuses
  kValidationError,    // settings, or what a health check looks at, is not as it must be
  kPermissionError,    // this user may not
  kDiskFull,           // no room
  kCorruptedBackup,    // what the store holds is not what was written
  kLockTimeout,        // somebody else is at work
  kDependencyFailure,  // something that is named is not there
  kPartialWrite,       // not all of it is in place, or not as planned
  kVersionMismatch,    // records of versions contradict each other
  kUnknownError,       // everything else
};

enum class Phase {
  kBefore,  // no target was touched
  kSwap,    // targets may be a mix
  kVerify,  // all of the new tree is in place, and looked at
};

enum class Response {
  kAbort,     // nothing was changed: stop, and say why
  kTakeBack,  // automatic rollback, by the journal
  kStay,      // the new tree stays in force; it is said how to take it back
};
std::string_view response_name(Response response);  // "abort", "auto_rollback", "stay"

// update.auto_rollback_on_failure
enum class AutomaticRollback { kOn, kOff };

struct ErrorRow {
  ErrorClass error_class;
  std::string_view name;       // "parse_error"
  std::string_view title;      // "parse error (hook, command)"
  std::string_view found_by;   // "syntax validation"
  Response before;             // in kBefore
  Response after;              // in kSwap and kVerify
  Response found_wanting;      // in kVerify with AutomaticRollback::kOff
  std::string_view restores;   // what is there afterwards, or brings it back
  std::string_view next_step;  // told when the error itself does not know better
  int exit_before;
  int exit_after;
};

// A row a class, in the order of the enumeration.
std::span<const ErrorRow> error_matrix();
const ErrorRow& row_of(ErrorClass error_class);

ErrorClass classify(const Error& error, Phase phase);
Response respond(const Error& error, Phase phase, AutomaticRollback automatic);
// The class's name; empty for what is no failure but the answer to a request: usage, not
// found, a decision of the user's that is missing, an interruption.
std::string error_class_name(const Error& error, Phase phase);

// The table as it stands in docs/operations.md.
std::string error_matrix_markdown();

}  // namespace stravinsky::engine
