#include "fs/lock_file.h"

#include <algorithm>

#include "base/strings.h"

namespace stravinsky::fs {
namespace {

constexpr int64_t kPollMs = 10;
constexpr size_t kOwnerMaxBytes = 1024;
constexpr int64_t kNanosPerMs = 1'000'000;

Result<std::string> owner_in(FileSystem& fs, Fd fd) {
  std::string text(kOwnerMaxBytes, '\0');
  ASSIGN_OR_RETURN(const size_t size, fs.read(fd, 0, std::as_writable_bytes(std::span(text))));
  text.resize(size);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// kLocked when another still holds the lock after timeout_ms.
Status wait_for_lock(FileSystem& fs, Fd fd, Clock& clock, int64_t timeout_ms) {
  const int64_t deadline_ns = clock.monotonic_ns() + timeout_ms * kNanosPerMs;
  while (true) {
    Status locked = fs.try_lock(fd, LockMode::kExclusive);
    if (locked || locked.error().code != ErrorCode::kLocked) return locked;
    if (clock.monotonic_ns() >= deadline_ns) return locked;
    clock.sleep_ms(kPollMs);
  }
}

Error locked_error(std::string message, std::string path) {
  return make_error(ErrorCode::kLocked, std::move(message), std::move(path))
      .with_untouched("Nothing was changed.")
      .with_remedy(
          "Wait until that process ends, or end it, then run the command again; "
          "the lock is freed by itself when the process ends.");
}

// Whoever put something else in its place has to take it away: moving it would let in
// a second process that holds what was there.
Error cannot_open(FileSystem& fs, Fd dir, const RelPath& name, Error error) {
  const auto directory = fs.path_of(dir);
  const std::string path = (directory ? *directory + "/" : std::string()) + name.str();
  if (error.code != ErrorCode::kWrongType) {
    error.path = escape(path);
    return error;
  }
  return make_error(ErrorCode::kWrongType,
                    "the lock is no file: something else stands in its place", escape(path))
      .with_untouched("Nothing was changed.")
      .with_remedy("Move it away: mv " + shell_quote(path) + " " + shell_quote(path + ".aside"));
}

}  // namespace

Result<LockFile> LockFile::acquire(FileSystem& fs, Fd dir, const RelPath& name, Clock& clock,
                                   int64_t timeout_ms, std::string_view owner_text) {
  auto opened = File::open(fs, dir, name, OpenMode::kOpenOrCreate, 0600);
  if (!opened) return cannot_open(fs, dir, name, std::move(opened).error());
  File file = std::move(*opened);
  if (Status locked = wait_for_lock(fs, file.fd(), clock, timeout_ms); !locked) {
    if (locked.error().code != ErrorCode::kLocked) return std::move(locked).error();
    const auto owner = owner_in(fs, file.fd());
    const std::string who = owner && !owner->empty() ? escape(*owner) : "its name is not known";
    return locked_error("another process holds the lock (" + who + ")", escape(name.str()));
  }
  // Over the old text and cut afterwards: on a full disk the block that the file
  // already has is enough, and recovery gets its lock.
  const std::string line = std::string(owner_text.substr(0, kOwnerMaxBytes - 1)) + "\n";
  RETURN_IF_ERROR(fs.write(file.fd(), 0, as_byte_span(line)));
  RETURN_IF_ERROR(fs.truncate(file.fd(), line.size()));
  return LockFile(std::move(file));
}

Result<LockFile> LockFile::acquire_dir(FileSystem& fs, const std::string& absolute_dir,
                                       Clock& clock, int64_t timeout_ms) {
  ASSIGN_OR_RETURN(File file, File::open_root(fs, absolute_dir));
  if (Status locked = wait_for_lock(fs, file.fd(), clock, timeout_ms); !locked) {
    if (locked.error().code != ErrorCode::kLocked) return std::move(locked).error();
    return locked_error("another process is changing this directory", escape(absolute_dir));
  }
  return LockFile(std::move(file));
}

Result<std::optional<std::string>> current_owner(FileSystem& fs, Fd dir, const RelPath& name) {
  ASSIGN_OR_RETURN(const auto file, open_if_present(fs, dir, name, OpenMode::kRead));
  if (!file) return std::optional<std::string>();
  const Status free = fs.try_lock(file->fd(), LockMode::kShared);
  if (free) return std::optional<std::string>();
  if (free.error().code != ErrorCode::kLocked) return free.error();
  ASSIGN_OR_RETURN(std::string owner, owner_in(fs, file->fd()));
  return std::optional<std::string>(std::move(owner));
}

}  // namespace stravinsky::fs
