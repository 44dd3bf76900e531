// FileSystem: the seam. Production code reaches the disk through these
// operations and no others, so that every one of them can be recorded, failed
// or cut short by a test.
//
// Paths are checked relative paths beneath a directory descriptor. No component
// is followed when it is a symlink, the last one included: a path that leads
// through one fails with kWrongType. Only open_root follows links, because a
// root is something the user chose.
//
// Absent means ENOENT and nothing else: kNotFound is returned for it alone.
//
// Implementations: PosixFs (the disk), testing/MemFs (a model with a volatile
// and a durable image), and decorators: ReadOnlyFs (dry run), testing/FaultFs,
// testing/TraceFs. All pass the same contract suite (testing/contract_test.cc).
// All are safe to use from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "fs/rel_path.h"

namespace stravinsky::fs {

// An open file or directory. Owned by File (fs/file.h) wherever possible.
enum class Fd : int { kNone = -1 };

enum class NodeType { kFile, kDirectory, kSymlink, kOther };

struct Stat {
  NodeType type = NodeType::kOther;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint32_t mode = 0;  // permission bits, setuid, setgid and sticky: 12 bits
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t link_count = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  bool immutable = false;    // immutable or append-only attribute
  bool mount_point = false;  // another file system is mounted here
};

struct DirEntry {
  std::string name;  // raw bytes
  NodeType type = NodeType::kOther;
};

enum class OpenMode {
  kRead,             // an existing regular file, read only; never blocks on a FIFO
  kDirectory,        // an existing directory
  kCreateExclusive,  // a new regular file for reading and writing; kAlreadyExists if the name is
                     // taken
  kReadWrite,        // an existing regular file
  kOpenOrCreate,     // an existing or new regular file for reading and writing
};

enum class RenameMode {
  kReplace,    // rename(2)
  kNoReplace,  // kAlreadyExists if the target is there
  kExchange,   // both names exist and swap their nodes in one step
};

enum class SyncKind {
  kData,  // fdatasync
  kFull,  // fsync; for a directory: its names
};

enum class Advice {
  kStartWriteback,  // begin to write dirty pages now, do not wait
  kDropCache,       // forget clean pages, so that the next read is cold
};

enum class LockMode { kShared, kExclusive };

// What set_attributes changes; an empty member stays as it is.
struct Attributes {
  std::optional<uint32_t> mode;
  std::optional<std::pair<uint32_t, uint32_t>> owner;  // uid, gid
  std::optional<int64_t> mtime_ns;
};

using Xattrs = std::vector<std::pair<std::string, std::string>>;  // sorted by name

struct Space {
  uint64_t available_bytes = 0;   // to this user
  uint64_t available_inodes = 0;  // UINT64_MAX where the file system does not count them
  bool read_only = false;
  // True only for a file system known to make the renames of a directory durable
  // by fsync of that directory (ext2-4, xfs, tmpfs); elsewhere the transaction
  // also calls sync_file_system before COMMIT.
  bool directory_sync_suffices = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // --- open and close
  // Opens an existing directory by absolute path, following links.
  virtual Result<Fd> open_root(const std::string& absolute) = 0;
  // mode is the permission of a file that this call creates (exact, no umask).
  virtual Result<Fd> open(Fd dir, const RelPath& path, OpenMode how, uint32_t mode = 0600) = 0;
  // Never retried, whatever it answers: the descriptor is gone.
  virtual Status close(Fd fd) = 0;

  // --- bytes
  // Reads up to out.size() bytes at offset; fewer only at the end of the file.
  virtual Result<size_t> read(Fd fd, uint64_t offset, std::span<std::byte> out) = 0;
  // Writes all of data at offset, or fails.
  virtual Status write(Fd fd, uint64_t offset, std::span<const std::byte> data) = 0;
  // Copies length bytes without passing them through this process where the kernel can.
  virtual Status copy_range(Fd from, uint64_t from_offset, Fd to, uint64_t to_offset,
                            uint64_t length) = 0;
  virtual Status truncate(Fd fd, uint64_t size_bytes) = 0;

  // --- durability
  // A failed sync is never retried: the kernel has dropped the pages, and the
  // second call would report success for data that is not there.
  virtual Status sync(Fd fd, SyncKind kind) = 0;
  virtual Status sync_file_system(Fd fd) = 0;
  // A hint; failure means nothing.
  virtual void advise(Fd fd, Advice advice) = 0;

  // --- names
  virtual Result<Stat> stat(Fd dir, const RelPath& path) = 0;  // of the link itself
  virtual Result<Stat> stat_fd(Fd fd) = 0;
  virtual Result<std::vector<DirEntry>> list(Fd dir) = 0;  // sorted by name, no "." and ".."
  virtual Result<std::string> read_link(Fd dir, const RelPath& path) = 0;
  virtual Status make_dir(Fd dir, const RelPath& path, uint32_t mode) = 0;  // exact, no umask
  virtual Status make_symlink(const std::string& text, Fd dir, const RelPath& path) = 0;
  virtual Status hard_link(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to) = 0;
  // kUnsupported where the file system lacks kNoReplace or kExchange.
  virtual Status rename(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to,
                        RenameMode mode) = 0;
  virtual Status unlink(Fd dir, const RelPath& path) = 0;  // anything but a directory
  virtual Status remove_dir(Fd dir, const RelPath& path) = 0;

  // --- attributes
  virtual Status set_attributes(Fd fd, const Attributes& attributes) = 0;
  // The user.* and security.capability attributes and the access list beyond the mode;
  // empty where there is no support.
  virtual Result<Xattrs> get_xattrs(Fd fd) = 0;
  virtual Status set_xattrs(Fd fd, const Xattrs& xattrs) = 0;

  // --- the rest
  virtual Result<Space> space(Fd fd) = 0;
  // Advisory lock on the open file (flock), released by close. kLocked when another
  // open file holds it; never waits.
  virtual Status try_lock(Fd fd, LockMode mode) = 0;
  // Whether this user may add, replace and remove names in an open directory.
  virtual Result<bool> may_change_names(Fd dir) = 0;
  // True when some process has the file open for writing; false when unknown.
  virtual Result<bool> has_writer(Fd fd) = 0;
  // The absolute path, without links, that the descriptor was reached by.
  virtual Result<std::string> path_of(Fd fd) = 0;
};

}  // namespace stravinsky::fs
