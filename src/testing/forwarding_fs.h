// ForwardingFs: passes every operation on; for a test's own decorator that changes
// one or two of them.
#pragma once

#include <string>
#include <vector>

#include "fs/file_system.h"

namespace stravinsky::testing {

class ForwardingFs : public fs::FileSystem {
 public:
  explicit ForwardingFs(fs::FileSystem& inner) : inner_(inner) {}

  Result<fs::Fd> open_root(const std::string& absolute) override {
    return inner_.open_root(absolute);
  }
  Result<fs::Fd> open(fs::Fd dir, const fs::RelPath& path, fs::OpenMode how,
                      uint32_t mode) override {
    return inner_.open(dir, path, how, mode);
  }
  Status close(fs::Fd fd) override { return inner_.close(fd); }
  Result<size_t> read(fs::Fd fd, uint64_t offset, std::span<std::byte> out) override {
    return inner_.read(fd, offset, out);
  }
  Status write(fs::Fd fd, uint64_t offset, std::span<const std::byte> data) override {
    return inner_.write(fd, offset, data);
  }
  Status copy_range(fs::Fd from, uint64_t from_offset, fs::Fd to, uint64_t to_offset,
                    uint64_t length) override {
    return inner_.copy_range(from, from_offset, to, to_offset, length);
  }
  Status truncate(fs::Fd fd, uint64_t size_bytes) override {
    return inner_.truncate(fd, size_bytes);
  }
  Status sync(fs::Fd fd, fs::SyncKind kind) override { return inner_.sync(fd, kind); }
  Status sync_file_system(fs::Fd fd) override { return inner_.sync_file_system(fd); }
  void advise(fs::Fd fd, fs::Advice advice) override { inner_.advise(fd, advice); }
  Result<fs::Stat> stat(fs::Fd dir, const fs::RelPath& path) override {
    return inner_.stat(dir, path);
  }
  Result<fs::Stat> stat_fd(fs::Fd fd) override { return inner_.stat_fd(fd); }
  Result<std::vector<fs::DirEntry>> list(fs::Fd dir) override { return inner_.list(dir); }
  Result<std::string> read_link(fs::Fd dir, const fs::RelPath& path) override {
    return inner_.read_link(dir, path);
  }
  Status make_dir(fs::Fd dir, const fs::RelPath& path, uint32_t mode) override {
    return inner_.make_dir(dir, path, mode);
  }
  Status make_symlink(const std::string& text, fs::Fd dir, const fs::RelPath& path) override {
    return inner_.make_symlink(text, dir, path);
  }
  Status hard_link(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir,
                   const fs::RelPath& to) override {
    return inner_.hard_link(from_dir, from, to_dir, to);
  }
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    return inner_.rename(from_dir, from, to_dir, to, mode);
  }
  Status unlink(fs::Fd dir, const fs::RelPath& path) override { return inner_.unlink(dir, path); }
  Status remove_dir(fs::Fd dir, const fs::RelPath& path) override {
    return inner_.remove_dir(dir, path);
  }
  Status set_attributes(fs::Fd fd, const fs::Attributes& attributes) override {
    return inner_.set_attributes(fd, attributes);
  }
  Result<fs::Xattrs> get_xattrs(fs::Fd fd) override { return inner_.get_xattrs(fd); }
  Status set_xattrs(fs::Fd fd, const fs::Xattrs& xattrs) override {
    return inner_.set_xattrs(fd, xattrs);
  }
  Result<fs::Space> space(fs::Fd fd) override { return inner_.space(fd); }
  Status try_lock(fs::Fd fd, fs::LockMode mode) override { return inner_.try_lock(fd, mode); }
  Result<bool> may_change_names(fs::Fd dir) override { return inner_.may_change_names(dir); }
  Result<bool> has_writer(fs::Fd fd) override { return inner_.has_writer(fd); }
  Result<std::string> path_of(fs::Fd fd) override { return inner_.path_of(fd); }

 private:
  fs::FileSystem& inner_;
};

}  // namespace stravinsky::testing
