#include "testing/op.h"

#include <array>
#include <cerrno>

#include "base/check.h"

namespace stravinsky::testing {
namespace {

constexpr std::array kOpenErrnos = {EACCES, EIO, EMFILE, ENOMEM, ELOOP};
constexpr std::array kCreateErrnos = {EACCES, EIO, EMFILE, ENOSPC, EDQUOT, EROFS};
constexpr std::array kIoErrnos = {EIO};
constexpr std::array kWriteErrnos = {EIO, ENOSPC, EDQUOT};
constexpr std::array kLookErrnos = {EACCES, EIO, ENOMEM};
constexpr std::array kNameErrnos = {EACCES, EIO, ENOSPC, EDQUOT, EROFS};
constexpr std::array kLinkErrnos = {EACCES, EPERM, EMLINK, EIO, ENOSPC, EROFS};
constexpr std::array kRenameErrnos = {EACCES, EPERM, EBUSY, EIO, ENOSPC, EROFS};
constexpr std::array kRenameFlagErrnos = {EACCES, EPERM, EBUSY, EIO, ENOSPC, EROFS, EOPNOTSUPP};
constexpr std::array kRemoveErrnos = {EACCES, EPERM, EBUSY, EIO, EROFS};
constexpr std::array kAttributeErrnos = {EPERM, EIO, EROFS};
constexpr std::array kGetXattrErrnos = {EACCES, EIO};
constexpr std::array kSetXattrErrnos = {EPERM, EIO, ENOSPC, EOPNOTSUPP};
constexpr std::array kLockErrnos = {EWOULDBLOCK, ENOLCK};

struct OpTraits {
  Op op;
  std::string_view name;
  bool mutating;
  std::span<const int> errnos;
};

constexpr std::array kTraits = {
    OpTraits{Op::kOpenRoot, "open root", false, kOpenErrnos},
    OpTraits{Op::kOpen, "open", false, kOpenErrnos},
    OpTraits{Op::kCreate, "create", true, kCreateErrnos},
    OpTraits{Op::kClose, "close", false, kIoErrnos},
    OpTraits{Op::kRead, "read", false, kIoErrnos},
    OpTraits{Op::kWrite, "write", true, kWriteErrnos},
    OpTraits{Op::kCopyRange, "copy", true, kWriteErrnos},
    OpTraits{Op::kTruncate, "truncate", true, kWriteErrnos},
    OpTraits{Op::kSync, "sync", true, kWriteErrnos},
    OpTraits{Op::kSyncFileSystem, "sync file system", true, kWriteErrnos},
    OpTraits{Op::kStat, "stat", false, kLookErrnos},
    OpTraits{Op::kList, "list", false, kLookErrnos},
    OpTraits{Op::kReadLink, "read link", false, kLookErrnos},
    OpTraits{Op::kMakeDir, "make dir", true, kNameErrnos},
    OpTraits{Op::kMakeSymlink, "make symlink", true, kNameErrnos},
    OpTraits{Op::kHardLink, "hard link", true, kLinkErrnos},
    OpTraits{Op::kRename, "rename", true, kRenameErrnos},
    OpTraits{Op::kRenameNoReplace, "rename noreplace", true, kRenameFlagErrnos},
    OpTraits{Op::kRenameExchange, "rename exchange", true, kRenameFlagErrnos},
    OpTraits{Op::kUnlink, "unlink", true, kRemoveErrnos},
    OpTraits{Op::kRemoveDir, "remove dir", true, kRemoveErrnos},
    OpTraits{Op::kSetAttributes, "set attributes", true, kAttributeErrnos},
    OpTraits{Op::kGetXattrs, "get xattrs", false, kGetXattrErrnos},
    OpTraits{Op::kSetXattrs, "set xattrs", true, kSetXattrErrnos},
    OpTraits{Op::kSpace, "space", false, kIoErrnos},
    OpTraits{Op::kTryLock, "try lock", false, kLockErrnos},
    OpTraits{Op::kMayChangeNames, "may change names", false, kIoErrnos},
    OpTraits{Op::kHasWriter, "has writer", false, kIoErrnos},
    OpTraits{Op::kPathOf, "path of", false, kLookErrnos},
};

const OpTraits& traits(Op op) {
  const OpTraits& found = kTraits[static_cast<size_t>(op)];
  CHECK(found.op == op);
  return found;
}

}  // namespace

Op op_of(fs::OpenMode how) {
  const bool creates = how == fs::OpenMode::kCreateExclusive || how == fs::OpenMode::kOpenOrCreate;
  return creates ? Op::kCreate : Op::kOpen;
}

Op op_of(fs::RenameMode mode) {
  if (mode == fs::RenameMode::kExchange) return Op::kRenameExchange;
  return mode == fs::RenameMode::kNoReplace ? Op::kRenameNoReplace : Op::kRename;
}

std::string_view op_name(Op op) {
  return traits(op).name;
}
bool is_mutating(Op op) {
  return traits(op).mutating;
}
std::span<const int> possible_errnos(Op op) {
  return traits(op).errnos;
}

}  // namespace stravinsky::testing
