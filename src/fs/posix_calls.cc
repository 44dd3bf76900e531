#include "fs/posix_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <climits>

#include "base/strings.h"
#include "base/units.h"

namespace stravinsky::fs::posix {
namespace {

constexpr uint32_t kModeBits = 07777;

NodeType type_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return NodeType::kFile;
  if (S_ISDIR(mode)) return NodeType::kDirectory;
  if (S_ISLNK(mode)) return NodeType::kSymlink;
  return NodeType::kOther;
}

int64_t nanos(const struct statx_timestamp& time) {
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

Stat stat_of(const struct statx& from) {
  const uint64_t attributes = from.stx_attributes & from.stx_attributes_mask;
  return Stat{.type = type_of_mode(from.stx_mode),
              .device = makedev(from.stx_dev_major, from.stx_dev_minor),
              .inode = from.stx_ino,
              .mode = from.stx_mode & kModeBits,
              .uid = from.stx_uid,
              .gid = from.stx_gid,
              .link_count = from.stx_nlink,
              .size_bytes = from.stx_size,
              .mtime_ns = nanos(from.stx_mtime),
              .ctime_ns = nanos(from.stx_ctime),
              .immutable = (attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0,
              .mount_point = (attributes & STATX_ATTR_MOUNT_ROOT) != 0};
}

}  // namespace

std::string link_text_at(int dir, const char* name) {
  std::string text(PATH_MAX, '\0');
  const ssize_t size = readlinkat(dir, name, text.data(), text.size());
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return text;
}

std::string kernel_path_of(Fd fd) {
  return link_text_at(AT_FDCWD, ("/proc/self/fd/" + std::to_string(raw(fd))).c_str());
}

Error error_at(const RelPath& path) {
  const int sys_errno = errno;  // before escape can change it
  return errno_error(sys_errno, escape(path.str()));
}

Error error_of(Fd fd) {
  const int sys_errno = errno;
  return errno_error(sys_errno, escape(kernel_path_of(fd)));
}

Error wrong_type(const RelPath& path, std::string message) {
  return make_error(ErrorCode::kWrongType, std::move(message), escape(path.str()));
}

Status status_at(int result, const RelPath& path) {
  if (result == 0) return {};
  return error_at(path);
}

Status status_of(int result, Fd fd) {
  if (result == 0) return {};
  return error_of(fd);
}

std::optional<Stat> stat_at(int dir, const char* name, int flags) {
  struct statx found{};
  if (statx(dir, name, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &found) != 0) return {};
  return stat_of(found);
}

}  // namespace stravinsky::fs::posix
