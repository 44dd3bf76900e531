// Error and Result: how every function that can fail says so.
//
// No exception crosses one of our functions. A function that can fail returns
// Result<T>; the caller handles it or passes it on with RETURN_IF_ERROR or
// ASSIGN_OR_RETURN, adding context ("while staging hooks/x.py") on the way up.
// Broken invariants are not errors: they crash (base/check.h).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stravinsky {

// A code exists only where a caller or the exit code reacts to it.
enum class ErrorCode {
  kIo,                // any failure without a code of its own
  kUsage,             // the request itself is wrong
  kChecksRefused,     // a check found that the update must not go ahead
  kConflict,          // a decision of the user is needed
  kNotFound,          // ENOENT and nothing else; or no such backup, version, file
  kAlreadyExists,     // EEXIST
  kLocked,            // another process holds the lock, or a file open for writing
  kCorrupt,           // stored data is not what was written
  kRecoveryRequired,  // a transaction is INCONSISTENT and needs a human
  kPermission,        // EACCES, EPERM, EROFS, wrong owner or mode
  kNoSpace,           // ENOSPC, EDQUOT, no inodes
  kInterrupted,       // SIGINT, SIGTERM: rolled back
  kUnsupported,       // the file system or kernel cannot do it: the fallback is taken
  kChanged,           // somebody else changed a file meanwhile
  kWrongType,         // ENOTDIR, EISDIR, ELOOP, not a regular file
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kIo;
  int sys_errno = 0;                 // 0 when no system call failed
  std::string path;                  // the file it is about, empty when none
  std::string message;               // the cause, without the path, no full stop
  std::string untouched;             // what was left as it was, a sentence or empty
  std::string remedy;                // what to do next, a sentence or empty
  std::vector<std::string> context;  // innermost first: "while staging hooks/x.py"
  std::string rule{};  // of the check that refused: "hook.syntax"; empty when none did

  // "path: message (while a, while b)"
  std::string to_string() const;
  Error&& with_context(std::string text) &&;
  Error&& with_remedy(std::string text) &&;
  Error&& with_untouched(std::string text) &&;
};

// The one place where an errno becomes a code.
ErrorCode code_of_errno(int sys_errno);
// Error for a failed system call: message is the system's text for it.
Error errno_error(int sys_errno, std::string path);
Error make_error(ErrorCode code, std::string message, std::string path = {});
// The stable name used in --json output: "not_found", "no_space", ...
std::string_view code_name(ErrorCode code);

template <typename T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  // NOLINTNEXTLINE(google-explicit-constructor): so that `return make_error(...)` reads well
  Result(Error error) : std::expected<T, Error>(std::unexpect, std::move(error)) {}
};

using Status = Result<void>;

inline bool is_not_found(const Error& error) {
  return error.code == ErrorCode::kNotFound;
}

}  // namespace stravinsky

#define STRAVINSKY_JOIN_(a, b) a##b
#define STRAVINSKY_JOIN(a, b) STRAVINSKY_JOIN_(a, b)

#define RETURN_IF_ERROR_(temporary, expression)                                         \
  do {                                                                                  \
    if (auto temporary = (expression); !temporary) return std::move(temporary).error(); \
  } while (false)
#define RETURN_IF_ERROR(expression) \
  RETURN_IF_ERROR_(STRAVINSKY_JOIN(status_, __COUNTER__), expression)

#define RETURN_IF_ERROR_WHILE_(temporary, expression, text)                        \
  do {                                                                             \
    if (auto temporary = (expression); !temporary)                                 \
      return ::stravinsky::Error(std::move(temporary).error().with_context(text)); \
  } while (false)
#define RETURN_IF_ERROR_WHILE(expression, text) \
  RETURN_IF_ERROR_WHILE_(STRAVINSKY_JOIN(status_, __COUNTER__), expression, text)

#define ASSIGN_OR_RETURN_(temporary, declaration, expression) \
  auto temporary = (expression);                              \
  if (!temporary) return std::move(temporary).error();        \
  declaration = std::move(*temporary)
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_(STRAVINSKY_JOIN(result_, __COUNTER__), declaration, expression)

#define ASSIGN_OR_RETURN_WHILE_(temporary, declaration, expression, text)                      \
  auto temporary = (expression);                                                               \
  if (!temporary) return ::stravinsky::Error(std::move(temporary).error().with_context(text)); \
  declaration = std::move(*temporary)
#define ASSIGN_OR_RETURN_WHILE(declaration, expression, text) \
  ASSIGN_OR_RETURN_WHILE_(STRAVINSKY_JOIN(result_, __COUNTER__), declaration, expression, text)
