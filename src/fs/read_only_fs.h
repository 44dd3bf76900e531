// ReadOnlyFs: a FileSystem that reads and never changes anything, for a dry run.
//
// A dry run is this decorator and not an `if` before each write, so that no
// write can be forgotten. Every operation that would change the disk, opening
// for writing included, fails with kPermission "dry run"; reads, locks on what
// was opened for reading, syncs and hints pass through.
#pragma once

#include "fs/file_system.h"

namespace stravinsky::fs {

class ReadOnlyFs final : public FileSystem {
 public:
  // inner must outlive this.
  explicit ReadOnlyFs(FileSystem& inner) : inner_(inner) {}

  Result<Fd> open_root(const std::string& absolute) override;
  Result<Fd> open(Fd dir, const RelPath& path, OpenMode how, uint32_t mode) override;
  Status close(Fd fd) override;
  Result<size_t> read(Fd fd, uint64_t offset, std::span<std::byte> out) override;
  Status write(Fd fd, uint64_t offset, std::span<const std::byte> data) override;
  Status copy_range(Fd from, uint64_t from_offset, Fd to, uint64_t to_offset,
                    uint64_t length) override;
  Status truncate(Fd fd, uint64_t size_bytes) override;
  Status sync(Fd fd, SyncKind kind) override;
  Status sync_file_system(Fd fd) override;
  void advise(Fd fd, Advice advice) override;
  Result<Stat> stat(Fd dir, const RelPath& path) override;
  Result<Stat> stat_fd(Fd fd) override;
  Result<std::vector<DirEntry>> list(Fd dir) override;
  Result<std::string> read_link(Fd dir, const RelPath& path) override;
  Status make_dir(Fd dir, const RelPath& path, uint32_t mode) override;
  Status make_symlink(const std::string& text, Fd dir, const RelPath& path) override;
  Status hard_link(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to) override;
  Status rename(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to,
                RenameMode mode) override;
  Status unlink(Fd dir, const RelPath& path) override;
  Status remove_dir(Fd dir, const RelPath& path) override;
  Status set_attributes(Fd fd, const Attributes& attributes) override;
  Result<Xattrs> get_xattrs(Fd fd) override;
  Status set_xattrs(Fd fd, const Xattrs& xattrs) override;
  Result<Space> space(Fd fd) override;
  Status try_lock(Fd fd, LockMode mode) override;
  Result<bool> may_change_names(Fd dir) override;
  Result<bool> has_writer(Fd fd) override;
  Result<std::string> path_of(Fd fd) override;

 private:
  FileSystem& inner_;
};

}  // namespace stravinsky::fs
