// posix_calls: what the parts of PosixFs share. For posix_fs*.cc only.
#pragma once

#include <cerrno>
#include <optional>
#include <string>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::fs::posix {

inline int raw(Fd fd) {
  return static_cast<int>(fd);
}
inline Fd fd_of(int raw_fd) {
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): Fd names one value, holds all
  return static_cast<Fd>(raw_fd);
}

template <typename Call>
auto retry_eintr(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Errors made of errno, with an escaped path: the name, or what the kernel calls
// the descriptor.
Error error_at(const RelPath& path);
Error error_of(Fd fd);
Error wrong_type(const RelPath& path, std::string message);
// Success when a call's result is 0.
Status status_at(int result, const RelPath& path);
Status status_of(int result, Fd fd);

// The text of a symlink; empty and errno set when it cannot be read.
std::string link_text_at(int dir, const char* name);
// As in /proc/self/fd; empty when it cannot be read.
std::string kernel_path_of(Fd fd);
// statx with these flags; errno is set when it is nullopt.
std::optional<Stat> stat_at(int dir, const char* name, int flags);

}  // namespace stravinsky::fs::posix
