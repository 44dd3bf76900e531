// The part of PosixFs that opens, makes, moves and removes names.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/strings.h"
#include "fs/posix_calls.h"
#include "fs/posix_fs.h"

namespace stravinsky::fs {

using namespace posix;

namespace {

constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kPrivateDir = 0700;
// Non-blocking, so that a FIFO put in a file's place cannot hang us.
constexpr int kFileFlags = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kCreateTriesMax = 16;

// Opens an existing regular file; -1 with errno, EISDIR for every other type.
int open_regular(const ResolvedPath& at, int access) {
  const int fd = retry_eintr([&] { return openat(at.dir(), at.name(), access | kFileFlags); });
  if (fd < 0) {
    if (errno == ENXIO) errno = EISDIR;  // a socket
    return -1;
  }
  const auto found = stat_at(fd, "", AT_EMPTY_PATH);
  if (found && found->type == NodeType::kFile) return fd;
  const int sys_errno = found ? EISDIR : errno;
  ::close(fd);
  errno = sys_errno;
  return -1;
}

// Creates a regular file with exactly this mode; -1 with errno, and no new name then.
int create_exclusive(const ResolvedPath& at, uint32_t mode) {
  const int fd = retry_eintr([&] {
    return openat(at.dir(), at.name(), O_RDWR | O_CREAT | O_EXCL | kFileFlags, kPrivateFile);
  });
  if (fd < 0 || fchmod(fd, mode) == 0) return fd;
  const int sys_errno = errno;
  ::close(fd);
  unlinkat(at.dir(), at.name(), 0);
  errno = sys_errno;
  return -1;
}

int open_or_create(const ResolvedPath& at, uint32_t mode) {
  int fd = -1;
  // The name may come and go between the two calls.
  for (int i = 0; i < kCreateTriesMax; ++i) {
    fd = create_exclusive(at, mode);
    if (fd >= 0 || errno != EEXIST) return fd;
    fd = open_regular(at, O_RDWR);
    if (fd >= 0 || errno != ENOENT) return fd;
  }
  return fd;
}

int open_as(const ResolvedPath& at, OpenMode how, uint32_t mode) {
  switch (how) {
    case OpenMode::kRead:
      return open_regular(at, O_RDONLY);
    case OpenMode::kDirectory:
      return retry_eintr([&] { return openat(at.dir(), at.name(), kDirectoryFlags | O_NOFOLLOW); });
    case OpenMode::kCreateExclusive:
      return create_exclusive(at, mode);
    case OpenMode::kReadWrite:
      return open_regular(at, O_RDWR);
    case OpenMode::kOpenOrCreate:
      return open_or_create(at, mode);
  }
  errno = EINVAL;
  return -1;
}

NodeType type_of_entry(int dir, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return NodeType::kFile;
    case DT_DIR:
      return NodeType::kDirectory;
    case DT_LNK:
      return NodeType::kSymlink;
    case DT_UNKNOWN: {  // this file system does not tell
      const auto found = stat_at(dir, entry.d_name, AT_SYMLINK_NOFOLLOW);
      return found ? found->type : NodeType::kOther;
    }
    default:
      return NodeType::kOther;
  }
}

}  // namespace

Result<Fd> PosixFs::open_root(const std::string& absolute) {
  if (!absolute.starts_with('/') || absolute.find('\0') != std::string::npos) {
    return make_error(ErrorCode::kUsage, "not an absolute path", escape(absolute));
  }
  const int fd = retry_eintr([&] { return ::open(absolute.c_str(), kDirectoryFlags); });
  const int sys_errno = errno;
  if (fd < 0) return errno_error(sys_errno, escape(absolute));
  return fd_of(fd);
}

Result<Fd> PosixFs::open(Fd dir, const RelPath& path, OpenMode how, uint32_t mode) {
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  const int fd = open_as(at, how, mode);
  if (fd >= 0) return fd_of(fd);
  if (errno == ELOOP) return wrong_type(path, "is a symbolic link");
  if (errno == EISDIR) return wrong_type(path, "is not a regular file");
  return error_at(path);
}

Result<Stat> PosixFs::stat(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  const auto found = stat_at(at.dir(), at.name(), AT_SYMLINK_NOFOLLOW);
  if (!found) return error_at(path);
  return *found;
}

Result<Stat> PosixFs::stat_fd(Fd fd) {
  const auto found = stat_at(raw(fd), "", AT_EMPTY_PATH);
  if (!found) return error_of(fd);
  return *found;
}

Result<std::vector<DirEntry>> PosixFs::list(Fd dir) {
  // A descriptor of its own: the position in dir is shared by all who use it.
  const int fd = openat(raw(dir), ".", kDirectoryFlags);
  if (fd < 0) return error_of(dir);
  const auto close_stream = [](DIR* open_stream) { closedir(open_stream); };
  const std::unique_ptr<DIR, decltype(close_stream)> stream(fdopendir(fd), close_stream);
  if (!stream) {
    Error error = error_of(dir);
    ::close(fd);
    return error;
  }
  std::vector<DirEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({.name = std::string(name), .type = type_of_entry(fd, *entry)});
  }
  if (errno != 0) return error_of(dir);
  std::ranges::sort(entries, {}, &DirEntry::name);
  return entries;
}

Result<std::string> PosixFs::read_link(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  std::string text = link_text_at(at.dir(), at.name());
  if (!text.empty()) return text;
  if (errno == EINVAL) return wrong_type(path, "is not a symbolic link");
  return error_at(path);
}

Status PosixFs::make_dir(Fd dir, const RelPath& path, uint32_t mode) {
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  if (mkdirat(at.dir(), at.name(), kPrivateDir) != 0) return error_at(path);
  const int fd = openat(at.dir(), at.name(), kDirectoryFlags | O_NOFOLLOW);
  Status done = status_at(fd >= 0 ? fchmod(fd, mode) : -1, path);
  if (fd >= 0) ::close(fd);
  if (!done) unlinkat(at.dir(), at.name(), AT_REMOVEDIR);
  return done;
}

Status PosixFs::make_symlink(const std::string& text, Fd dir, const RelPath& path) {
  // The kernel answers ENOENT to an empty text, which would read as "absent".
  if (text.empty() || text.find('\0') != std::string::npos) {
    return make_error(ErrorCode::kUsage, "no possible text of a symbolic link", escape(path.str()));
  }
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  return status_at(symlinkat(text.c_str(), at.dir(), at.name()), path);
}

Status PosixFs::hard_link(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to) {
  ASSIGN_OR_RETURN(const ResolvedPath from_at, resolver_.resolve(raw(from_dir), from));
  ASSIGN_OR_RETURN(const ResolvedPath to_at, resolver_.resolve(raw(to_dir), to));
  return status_at(linkat(from_at.dir(), from_at.name(), to_at.dir(), to_at.name(), 0), to);
}

Status PosixFs::rename(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to,
                       RenameMode mode) {
  ASSIGN_OR_RETURN(const ResolvedPath from_at, resolver_.resolve(raw(from_dir), from));
  ASSIGN_OR_RETURN(const ResolvedPath to_at, resolver_.resolve(raw(to_dir), to));
  int result = 0;
  if (mode == RenameMode::kReplace) {
    result = renameat(from_at.dir(), from_at.name(), to_at.dir(), to_at.name());
  } else {
    result = renameat2(from_at.dir(), from_at.name(), to_at.dir(), to_at.name(),
                       mode == RenameMode::kExchange ? RENAME_EXCHANGE : RENAME_NOREPLACE);
  }
  if (result == 0) return {};
  Error error = error_at(to);
  // EINVAL is how a file system says that it does not know the flag; it is also the
  // answer to moving a directory into itself, which the fallback finds out again.
  if (error.sys_errno == EINVAL && mode != RenameMode::kReplace) {
    error.code = ErrorCode::kUnsupported;
  }
  return error;
}

Status PosixFs::unlink(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  return status_at(unlinkat(at.dir(), at.name(), 0), path);
}

Status PosixFs::remove_dir(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(const ResolvedPath at, resolver_.resolve(raw(dir), path));
  return status_at(unlinkat(at.dir(), at.name(), AT_REMOVEDIR), path);
}

}  // namespace stravinsky::fs
