// PosixFs: the FileSystem of the disk, for Linux.
//
// A path of several components is resolved by openat2 beneath the descriptor
// and no symlink in it is followed; where the kernel lacks that call or a
// sandbox refuses it, a walk with O_NOFOLLOW does the same (fs/resolved_path.h).
// The last component is then used by the *at calls, never followed either.
//
// Error.path is the relative path, or for a descriptor its absolute path,
// escaped for output. Holds no state but the choice of resolution.
#pragma once

#include "fs/file_system.h"
#include "fs/resolved_path.h"

namespace stravinsky::fs {

class PosixFs final : public FileSystem {
 public:
  explicit PosixFs(PathResolution resolution = PathResolution::kKernel) : resolver_(resolution) {}

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
  // Sets the given ones and leaves others as they are.
  Status set_xattrs(Fd fd, const Xattrs& xattrs) override;
  Result<Space> space(Fd fd) override;
  Status try_lock(Fd fd, LockMode mode) override;
  // Needs ownership of the file (or CAP_LEASE) and a descriptor opened for reading
  // only; anything else is "unknown", which is false.
  Result<bool> may_change_names(Fd dir) override;
  Result<bool> has_writer(Fd fd) override;
  Result<std::string> path_of(Fd fd) override;

 private:
  PathResolver resolver_;
};

}  // namespace stravinsky::fs
