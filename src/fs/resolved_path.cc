#include "fs/resolved_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"

namespace stravinsky::fs {
namespace {

constexpr int kParentFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;

int open_beneath(int dir, const char* path) {
  open_how how{};
  how.flags = kParentFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, dir, path, &how, sizeof how));
}

// The errno of the first component that cannot be entered is left in errno.
int walk_to(int dir, const RelPath& path) {
  int at = -1;
  for (const std::string_view part : path.components()) {
    const int next =
        openat(at < 0 ? dir : at, std::string(part).c_str(), kParentFlags | O_NOFOLLOW);
    const int saved_errno = errno;
    if (at >= 0) ::close(at);
    errno = saved_errno;
    if (next < 0) return -1;
    at = next;
  }
  return at;
}

// ENOSYS: an old kernel. EPERM: a sandbox that does not know the call; no search
// of directories answers so. E2BIG, EINVAL: a kernel older than one of the flags.
bool is_refusal(int sys_errno) {
  return sys_errno == ENOSYS || sys_errno == EPERM || sys_errno == E2BIG || sys_errno == EINVAL;
}

}  // namespace

ResolvedPath::~ResolvedPath() {
  if (owned_dir_ >= 0) ::close(owned_dir_);
}

Result<int> PathResolver::open_parent(int dir, const RelPath& parent) {
  int fd = -1;
  bool walk = !kernel_resolves_.load(std::memory_order_relaxed);
  if (!walk) {
    fd = open_beneath(dir, parent.str().c_str());
    if (fd < 0 && is_refusal(errno)) {
      kernel_resolves_.store(false, std::memory_order_relaxed);
      walk = true;
    } else if (fd < 0 && errno == EAGAIN) {  // a rename raced with the search
      walk = true;
    }
  }
  if (walk) fd = walk_to(dir, parent);
  if (fd >= 0) return fd;
  const int sys_errno = errno;
  Error error = errno_error(sys_errno, escape(parent.str()));
  if (error.sys_errno == EXDEV) error.code = ErrorCode::kWrongType;  // would leave the root
  return error;
}

Result<ResolvedPath> PathResolver::resolve(int dir, const RelPath& path) {
  if (!path.has_parent()) return ResolvedPath(dir, -1, path.str());
  ASSIGN_OR_RETURN(const int parent, open_parent(dir, path.parent()));
  return ResolvedPath(parent, parent, std::string(path.name()));
}

}  // namespace stravinsky::fs
