#include "cli/next_step.h"

#include <cerrno>

#include "base/strings.h"

namespace stravinsky::cli {
namespace {

constexpr const char* kLookAtTheTrail = "See what happened with: stravinsky audit log --limit 5";

// A path that a shell would understand, else nothing: "~/.claude/x", but no "journal".
std::string shell_path(const Error& error) {
  const auto bytes = unescape(error.path);
  if (!bytes) return "";
  if (bytes->starts_with("~/")) return "~/" + shell_quote(bytes->substr(2));
  return bytes->starts_with('/') ? shell_quote(*bytes) : "";
}

std::string look_at(const Error& error) {
  const std::string path = shell_path(error);
  return path.empty() ? kLookAtTheTrail : "Look at it with: ls -ld " + path;
}

std::string next_step(const Error& error) {
  const std::string path = shell_path(error);
  switch (error.code) {
    case ErrorCode::kUsage:
      return "See: stravinsky --help";
    case ErrorCode::kNotFound:
      return path.empty() ? "See what there is with: stravinsky status"
                          : "Check the path, or what is there: ls -ld " + path;
    case ErrorCode::kPermission:
      if (error.sys_errno == EROFS)
        return "Make the file system writable and run the command again; another store is "
               "named with --root.";
      return path.empty() ? "Check who owns it and may write to it."
                          : "See its owner and mode with: ls -ld " + path;
    case ErrorCode::kNoSpace:
      return "Free some space and run the command again.";
    case ErrorCode::kLocked:
    case ErrorCode::kChanged:
    case ErrorCode::kInterrupted:
      return "Run the command again.";
    case ErrorCode::kCorrupt:
      return "Find what is good with: stravinsky backup verify --all";
    case ErrorCode::kConflict:
    case ErrorCode::kWrongType:
      return path.empty() ? kLookAtTheTrail
                          : "Look at it (ls -ld " + path +
                                "), move it away or put it right, and run the command again.";
    case ErrorCode::kRecoveryRequired:
      return "Run: stravinsky recovery resume";
    case ErrorCode::kUnsupported:
      return path.empty() ? "See: stravinsky --help" : look_at(error);
    case ErrorCode::kChecksRefused:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kIo:
      break;
  }
  return look_at(error);
}

}  // namespace

Error with_next_step(Error error) {
  if (error.untouched.empty() && error.code != ErrorCode::kRecoveryRequired)
    error.untouched = "Nothing in the tree was changed.";
  if (error.remedy.empty()) error.remedy = next_step(error);
  return error;
}

}  // namespace stravinsky::cli
