#include "fs/posix_fs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/strings.h"
#include "base/units.h"
#include "fs/posix_calls.h"

// The operations on names are in posix_fs_names.cc.
namespace stravinsky::fs {

using namespace posix;

namespace {

constexpr long kExtMagic = 0xEF53;
constexpr long kXfsMagic = 0x58465342;
constexpr long kTmpfsMagic = 0x01021994;

bool is_kept_xattr(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability" ||
         name == "system.posix_acl_access";
}

// Runs call(buffer, size) with a growing buffer; nullopt with errno when it fails.
template <typename Call>
std::optional<std::string> read_xattr_bytes(Call call) {
  std::string bytes;
  while (true) {
    const ssize_t needed = call(nullptr, 0);
    if (needed < 0) return std::nullopt;
    bytes.resize(static_cast<size_t>(needed));
    if (needed == 0) return bytes;
    const ssize_t got = call(bytes.data(), bytes.size());
    if (got >= 0) {
      bytes.resize(static_cast<size_t>(got));
      return bytes;
    }
    if (errno != ERANGE) return std::nullopt;  // ERANGE: it grew between the two calls
  }
}

bool kernel_cannot_copy(int sys_errno) {
  return sys_errno == EXDEV || sys_errno == EINVAL || sys_errno == ENOSYS ||
         sys_errno == EOPNOTSUPP || sys_errno == EPERM;
}

}  // namespace

Status PosixFs::close(Fd fd) {
  if (::close(raw(fd)) == 0) return {};
  return errno_error(errno, "");
}

Result<size_t> PosixFs::read(Fd fd, uint64_t offset, std::span<std::byte> out) {
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = retry_eintr([&] {
      return pread(raw(fd), out.data() + size, out.size() - size,
                   static_cast<off_t>(offset + size));
    });
    if (got < 0) return error_of(fd);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  return size;
}

Status PosixFs::write(Fd fd, uint64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t put = retry_eintr(
        [&] { return pwrite(raw(fd), data.data(), data.size(), static_cast<off_t>(offset)); });
    if (put == 0) errno = EIO;
    if (put <= 0) return error_of(fd);
    offset += static_cast<size_t>(put);
    data = data.subspan(static_cast<size_t>(put));
  }
  return {};
}

Status PosixFs::copy_range(Fd from, uint64_t from_offset, Fd to, uint64_t to_offset,
                           uint64_t length) {
  auto from_at = static_cast<off64_t>(from_offset);
  auto to_at = static_cast<off64_t>(to_offset);
  while (length > 0) {
    const ssize_t got = retry_eintr(
        [&] { return copy_file_range(raw(from), &from_at, raw(to), &to_at, length, 0); });
    if (got < 0 && !kernel_cannot_copy(errno)) return error_of(to);
    if (got <= 0) break;
    length -= static_cast<uint64_t>(got);
  }
  // What the kernel would not copy; some file systems also answer 0 for "cannot".
  std::vector<std::byte> buffer(std::min<uint64_t>(length, 65536));
  while (length > 0) {
    const auto part = std::span(buffer).first(std::min<uint64_t>(length, buffer.size()));
    ASSIGN_OR_RETURN(const size_t got, read(from, static_cast<uint64_t>(from_at), part));
    if (got == 0) {
      return make_error(ErrorCode::kChanged, "the file became shorter while it was copied",
                        escape(kernel_path_of(from)));
    }
    RETURN_IF_ERROR(write(to, static_cast<uint64_t>(to_at), part.first(got)));
    from_at += static_cast<off64_t>(got);
    to_at += static_cast<off64_t>(got);
    length -= got;
  }
  return {};
}

Status PosixFs::truncate(Fd fd, uint64_t size_bytes) {
  return status_of(retry_eintr([&] { return ftruncate(raw(fd), static_cast<off_t>(size_bytes)); }),
                   fd);
}

Status PosixFs::sync(Fd fd, SyncKind kind) {
  return status_of(kind == SyncKind::kData ? fdatasync(raw(fd)) : fsync(raw(fd)), fd);
}

Status PosixFs::sync_file_system(Fd fd) {
  return status_of(syncfs(raw(fd)), fd);
}

void PosixFs::advise(Fd fd, Advice advice) {
  switch (advice) {
    case Advice::kStartWriteback:
      (void)sync_file_range(raw(fd), 0, 0, SYNC_FILE_RANGE_WRITE);
      return;
    case Advice::kDropCache:
      (void)posix_fadvise(raw(fd), 0, 0, POSIX_FADV_DONTNEED);
      return;
  }
}

Status PosixFs::set_attributes(Fd fd, const Attributes& attributes) {
  // The owner first: a change of owner clears setuid and setgid.
  if (attributes.owner) {
    const auto [uid, gid] = *attributes.owner;
    RETURN_IF_ERROR(status_of(fchown(raw(fd), uid, gid), fd));
  }
  if (attributes.mode) RETURN_IF_ERROR(status_of(fchmod(raw(fd), *attributes.mode), fd));
  if (attributes.mtime_ns) {
    int64_t seconds = *attributes.mtime_ns / kNanosPerSecond;
    int64_t fraction_ns = *attributes.mtime_ns % kNanosPerSecond;
    if (fraction_ns < 0) {
      fraction_ns += kNanosPerSecond;
      --seconds;
    }
    const std::array<timespec, 2> times{
        {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = fraction_ns}}};
    RETURN_IF_ERROR(status_of(futimens(raw(fd), times.data()), fd));
  }
  return {};
}

Result<Xattrs> PosixFs::get_xattrs(Fd fd) {
  const auto names = read_xattr_bytes(
      [&](char* buffer, size_t size) { return flistxattr(raw(fd), buffer, size); });
  if (!names) {
    if (errno == ENOTSUP) return Xattrs{};
    return error_of(fd);
  }
  Xattrs xattrs;
  for (const std::string_view part : split(*names, '\0')) {
    if (!is_kept_xattr(part)) continue;
    const std::string name(part);
    auto value = read_xattr_bytes(
        [&](char* buffer, size_t size) { return fgetxattr(raw(fd), name.c_str(), buffer, size); });
    if (!value && errno == ENODATA) continue;  // removed since it was listed
    if (!value) return error_of(fd);
    xattrs.emplace_back(name, std::move(*value));
  }
  std::ranges::sort(xattrs);
  return xattrs;
}

Status PosixFs::set_xattrs(Fd fd, const Xattrs& xattrs) {
  for (const auto& [name, value] : xattrs) {
    RETURN_IF_ERROR(status_of(fsetxattr(raw(fd), name.c_str(), value.data(), value.size(), 0), fd));
  }
  return {};
}

Result<Space> PosixFs::space(Fd fd) {
  struct statvfs counts{};
  struct statfs kind{};
  if (fstatvfs(raw(fd), &counts) != 0 || fstatfs(raw(fd), &kind) != 0) return error_of(fd);
  const long magic = kind.f_type;
  return Space{
      .available_bytes = counts.f_bavail * counts.f_frsize,
      .available_inodes = counts.f_files == 0 ? UINT64_MAX : counts.f_favail,
      .read_only = (counts.f_flag & ST_RDONLY) != 0,
      .directory_sync_suffices = magic == kExtMagic || magic == kXfsMagic || magic == kTmpfsMagic};
}

Status PosixFs::try_lock(Fd fd, LockMode mode) {
  const int operation = mode == LockMode::kShared ? LOCK_SH : LOCK_EX;
  return status_of(retry_eintr([&] { return flock(raw(fd), operation | LOCK_NB); }), fd);
}

Result<bool> PosixFs::may_change_names(Fd dir) {
  if (faccessat(raw(dir), ".", W_OK | X_OK, AT_EACCESS) == 0) return true;
  if (errno == EACCES || errno == EPERM || errno == EROFS) return false;
  return error_of(dir);
}

Result<bool> PosixFs::has_writer(Fd fd) {
  // A read lease is refused while anybody has the file open for writing. Whoever
  // opens it for writing while we hold the lease makes the kernel send us a signal,
  // SIGIO by default, which ends a program; SIGURG is ignored unless asked for.
  if (fcntl(raw(fd), F_SETSIG, SIGURG) != 0) return false;
  if (fcntl(raw(fd), F_SETLEASE, F_RDLCK) != 0) return errno == EAGAIN;
  fcntl(raw(fd), F_SETLEASE, F_UNLCK);
  return false;
}

Result<std::string> PosixFs::path_of(Fd fd) {
  ASSIGN_OR_RETURN(const Stat open_one, stat_fd(fd));
  std::string path = kernel_path_of(fd);
  // Not "absent": the file is there, its name is not known (no /proc, outside a chroot).
  if (!path.starts_with('/')) {
    return make_error(ErrorCode::kUnsupported, "the path of an open file cannot be found out");
  }
  // The kernel adds " (deleted)" to a name that is gone; a name may also end so.
  const auto named = stat_at(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW);
  if (!named || named->device != open_one.device || named->inode != open_one.inode) {
    return make_error(ErrorCode::kNotFound, "the open file has no such name any more",
                      escape(path));
  }
  return path;
}

}  // namespace stravinsky::fs
