// File: owns one descriptor of a FileSystem.
//
// The destructor closes and ignores the answer, which is right for reading
// only; whoever wrote calls sync() and then close() and looks at both.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::fs {

class File {
 public:
  File() = default;
  File(FileSystem& fs, Fd fd) : fs_(&fs), fd_(fd) {}
  File(File&& other) noexcept : fs_(other.fs_), fd_(std::exchange(other.fd_, Fd::kNone)) {}
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  // As FileSystem::open_root and FileSystem::open.
  static Result<File> open_root(FileSystem& fs, const std::string& absolute);
  static Result<File> open(FileSystem& fs, Fd dir, const RelPath& path, OpenMode how,
                           uint32_t mode = 0600);

  bool is_open() const { return fd_ != Fd::kNone; }
  Fd fd() const { return fd_; }
  FileSystem& file_system() const { return *fs_; }
  Status close();

 private:
  FileSystem* fs_ = nullptr;
  Fd fd_ = Fd::kNone;
};

// nullopt when the name is absent (ENOENT); every other failure is an error.
Result<std::optional<Stat>> stat_if_present(FileSystem& fs, Fd dir, const RelPath& path);
Result<std::optional<File>> open_if_present(FileSystem& fs, Fd dir, const RelPath& path,
                                            OpenMode how);

// The whole file; kCorrupt when it is larger than size_max_bytes.
Result<std::string> read_all(FileSystem& fs, Fd fd, uint64_t size_max_bytes);
Result<std::string> read_file(FileSystem& fs, Fd dir, const RelPath& path, uint64_t size_max_bytes);

// Shows the whole file in pieces, in order; stops at the first error of see.
using SeePiece = std::function<Status(std::span<const std::byte>)>;
Status read_pieces(FileSystem& fs, Fd file, const SeePiece& see);

// Opens the directory at an absolute path, making it and its missing parents
// with the given mode; each new name is synced into its parent.
Result<File> ensure_root(FileSystem& fs, const std::string& absolute, uint32_t mode);
// The same beneath dir.
Status ensure_dir(FileSystem& fs, Fd dir, const RelPath& path, uint32_t mode);

// Makes the names in the directory durable, whatever file system it is on: a sync
// of the directory and, where that does not suffice, of the file system.
Status sync_names(FileSystem& fs, Fd dir);
// Makes the directory at path durable although somebody else made it: ensure_dir
// says nothing of one that a killed process left. Syncs dir and each directory on
// the way to path, path included.
Status sync_path(FileSystem& fs, Fd dir, const RelPath& path);

// Removes a file, a link or a whole tree beneath dir, following nothing; absent is success.
Status remove_tree(FileSystem& fs, Fd dir, const RelPath& path);

}  // namespace stravinsky::fs
