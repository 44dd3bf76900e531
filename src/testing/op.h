// Op: the operations of fs::FileSystem by class, for the doubles that count, fail
// and record them.
#pragma once

#include <span>
#include <string_view>

#include "fs/file_system.h"

namespace stravinsky::testing {

enum class Op {
  kOpenRoot,
  kOpen,    // an existing node
  kCreate,  // open with kCreateExclusive or kOpenOrCreate
  kClose,
  kRead,
  kWrite,
  kCopyRange,
  kTruncate,
  kSync,
  kSyncFileSystem,
  kStat,
  kList,
  kReadLink,
  kMakeDir,
  kMakeSymlink,
  kHardLink,
  kRename,
  kRenameNoReplace,
  kRenameExchange,
  kUnlink,
  kRemoveDir,
  kSetAttributes,
  kGetXattrs,
  kSetXattrs,
  kSpace,
  kTryLock,
  kMayChangeNames,
  kHasWriter,
  kPathOf,
};

Op op_of(fs::OpenMode how);
Op op_of(fs::RenameMode mode);
// "rename exchange"
std::string_view op_name(Op op);
// Changes what is on the disk, or what is certain to be on it (the syncs).
bool is_mutating(Op op);
// The errnos that the operation can fail with although the request is right.
// ENOENT is not among them: an absent name is an answer, not a fault.
std::span<const int> possible_errnos(Op op);

}  // namespace stravinsky::testing
