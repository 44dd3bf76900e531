#include "base/error.h"

#include <cerrno>
#include <cstring>

namespace stravinsky {

std::string Error::to_string() const {
  std::string text = path.empty() ? message : path + ": " + message;
  if (context.empty()) return text;
  text += " (";
  for (size_t i = 0; i < context.size(); ++i) {
    if (i > 0) text += ", ";
    text += context[i];
  }
  return text + ")";
}

Error&& Error::with_context(std::string text) && {
  context.push_back(std::move(text));
  return std::move(*this);
}

Error&& Error::with_remedy(std::string text) && {
  remedy = std::move(text);
  return std::move(*this);
}

Error&& Error::with_untouched(std::string text) && {
  untouched = std::move(text);
  return std::move(*this);
}

ErrorCode code_of_errno(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EWOULDBLOCK:
    case ETXTBSY:
      return ErrorCode::kLocked;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorCode::kUnsupported;
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
      return ErrorCode::kWrongType;
    default:
      return ErrorCode::kIo;
  }
}

Error errno_error(int sys_errno, std::string path) {
  return Error{.code = code_of_errno(sys_errno),
               .sys_errno = sys_errno,
               .path = std::move(path),
               .message = std::strerror(sys_errno),
               .untouched = {},
               .remedy = {},
               .context = {}};
}

Error make_error(ErrorCode code, std::string message, std::string path) {
  return Error{.code = code,
               .sys_errno = 0,
               .path = std::move(path),
               .message = std::move(message),
               .untouched = {},
               .remedy = {},
               .context = {}};
}

std::string_view code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kChecksRefused:
      return "checks_refused";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kLocked:
      return "locked";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kRecoveryRequired:
      return "recovery_required";
    case ErrorCode::kPermission:
      return "permission";
    case ErrorCode::kNoSpace:
      return "no_space";
    case ErrorCode::kInterrupted:
      return "interrupted";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kChanged:
      return "changed";
    case ErrorCode::kWrongType:
      return "wrong_type";
  }
  return "io";
}

}  // namespace stravinsky
