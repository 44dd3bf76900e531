// MeddlingFs: lets somebody else act just before a chosen mutating operation, or
// before every one: a user who saves a file, an observer who looks at the tree.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "testing/forwarding_fs.h"
#include "testing/op.h"

namespace stravinsky::testing {

class MeddlingFs final : public ForwardingFs {
 public:
  // The operation that is about to happen: its number among the mutating ones, from
  // 1, and the last name it is about, of a rename the one that is moved away.
  struct Upcoming {
    uint64_t number = 0;
    Op op = Op::kOpen;
    std::string name = {};
  };
  using Meddler = std::function<void(const Upcoming& upcoming)>;

  MeddlingFs(fs::FileSystem& inner, Meddler meddler)
      : ForwardingFs(inner), meddler_(std::move(meddler)) {}
  uint64_t mutating_count() const { return count_; }

  Result<fs::Fd> open(fs::Fd dir, const fs::RelPath& path, fs::OpenMode how,
                      uint32_t mode) override {
    if (is_mutating(op_of(how))) meddle(op_of(how), &path);
    return ForwardingFs::open(dir, path, how, mode);
  }
  Status write(fs::Fd fd, uint64_t offset, std::span<const std::byte> data) override {
    meddle(Op::kWrite, nullptr);
    return ForwardingFs::write(fd, offset, data);
  }
  Status sync(fs::Fd fd, fs::SyncKind kind) override {
    meddle(Op::kSync, nullptr);
    return ForwardingFs::sync(fd, kind);
  }
  Status copy_range(fs::Fd from, uint64_t from_offset, fs::Fd to, uint64_t to_offset,
                    uint64_t length) override {
    meddle(Op::kCopyRange, nullptr);
    return ForwardingFs::copy_range(from, from_offset, to, to_offset, length);
  }
  Status truncate(fs::Fd fd, uint64_t size_bytes) override {
    meddle(Op::kTruncate, nullptr);
    return ForwardingFs::truncate(fd, size_bytes);
  }
  Status sync_file_system(fs::Fd fd) override {
    meddle(Op::kSyncFileSystem, nullptr);
    return ForwardingFs::sync_file_system(fd);
  }
  Status set_attributes(fs::Fd fd, const fs::Attributes& attributes) override {
    meddle(Op::kSetAttributes, nullptr);
    return ForwardingFs::set_attributes(fd, attributes);
  }
  Status set_xattrs(fs::Fd fd, const fs::Xattrs& xattrs) override {
    meddle(Op::kSetXattrs, nullptr);
    return ForwardingFs::set_xattrs(fd, xattrs);
  }
  Status make_dir(fs::Fd dir, const fs::RelPath& path, uint32_t mode) override {
    meddle(Op::kMakeDir, &path);
    return ForwardingFs::make_dir(dir, path, mode);
  }
  Status make_symlink(const std::string& text, fs::Fd dir, const fs::RelPath& path) override {
    meddle(Op::kMakeSymlink, &path);
    return ForwardingFs::make_symlink(text, dir, path);
  }
  Status hard_link(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir,
                   const fs::RelPath& to) override {
    meddle(Op::kHardLink, &from);
    return ForwardingFs::hard_link(from_dir, from, to_dir, to);
  }
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    meddle(op_of(mode), &from);
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }
  Status unlink(fs::Fd dir, const fs::RelPath& path) override {
    meddle(Op::kUnlink, &path);
    return ForwardingFs::unlink(dir, path);
  }
  Status remove_dir(fs::Fd dir, const fs::RelPath& path) override {
    meddle(Op::kRemoveDir, &path);
    return ForwardingFs::remove_dir(dir, path);
  }

 private:
  void meddle(Op op, const fs::RelPath* path) {
    meddler_({.number = ++count_, .op = op, .name = std::string(path ? path->name() : "")});
  }

  Meddler meddler_;
  uint64_t count_ = 0;
};

}  // namespace stravinsky::testing
