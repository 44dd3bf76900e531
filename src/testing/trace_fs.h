// TraceFs: writes down every operation that passes through it, so that a test can
// assert their order and count them.
//
//   open root /home/u/.claude
//   create hooks/.rbk-1-0
//   write hooks/.rbk-1-0 0+812
//   sync full hooks/.rbk-1-0
//   rename exchange hooks/.rbk-1-0 <-> hooks/x.py
//
// Paths are those beneath the root that was opened; the root itself is ".". A
// failed operation ends in "!" and the name of the error code. advise is not
// written down.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fs/file_system.h"
#include "testing/op.h"

namespace stravinsky::testing {

struct TraceEntry {
  Op op = Op::kOpen;
  std::string text = {};  // the whole line
  std::string path = {};  // absolute, as reached; of a rename or link the target's
  bool succeeded = false;
};

class TraceFs final : public fs::FileSystem {
 public:
  explicit TraceFs(fs::FileSystem& inner) : inner_(inner) {}

  std::vector<TraceEntry> entries() const;
  // The lines of the mutating operations, or of all.
  std::vector<std::string> mutating_lines() const;
  std::vector<std::string> lines() const;
  size_t count(Op op) const;
  // Where in entries() the first line beginning so stands, from there on; npos.
  size_t find(std::string_view beginning, size_t from = 0) const;
  void clear();
  static constexpr size_t npos = static_cast<size_t>(-1);

  Result<fs::Fd> open_root(const std::string& absolute) override;
  Result<fs::Fd> open(fs::Fd dir, const fs::RelPath& path, fs::OpenMode how,
                      uint32_t mode) override;
  Status close(fs::Fd fd) override;
  Result<size_t> read(fs::Fd fd, uint64_t offset, std::span<std::byte> out) override;
  Status write(fs::Fd fd, uint64_t offset, std::span<const std::byte> data) override;
  Status copy_range(fs::Fd from, uint64_t from_offset, fs::Fd to, uint64_t to_offset,
                    uint64_t length) override;
  Status truncate(fs::Fd fd, uint64_t size_bytes) override;
  Status sync(fs::Fd fd, fs::SyncKind kind) override;
  Status sync_file_system(fs::Fd fd) override;
  void advise(fs::Fd fd, fs::Advice advice) override;
  Result<fs::Stat> stat(fs::Fd dir, const fs::RelPath& path) override;
  Result<fs::Stat> stat_fd(fs::Fd fd) override;
  Result<std::vector<fs::DirEntry>> list(fs::Fd dir) override;
  Result<std::string> read_link(fs::Fd dir, const fs::RelPath& path) override;
  Status make_dir(fs::Fd dir, const fs::RelPath& path, uint32_t mode) override;
  Status make_symlink(const std::string& text, fs::Fd dir, const fs::RelPath& path) override;
  Status hard_link(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir,
                   const fs::RelPath& to) override;
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override;
  Status unlink(fs::Fd dir, const fs::RelPath& path) override;
  Status remove_dir(fs::Fd dir, const fs::RelPath& path) override;
  Status set_attributes(fs::Fd fd, const fs::Attributes& attributes) override;
  Result<fs::Xattrs> get_xattrs(fs::Fd fd) override;
  Status set_xattrs(fs::Fd fd, const fs::Xattrs& xattrs) override;
  Result<fs::Space> space(fs::Fd fd) override;
  Status try_lock(fs::Fd fd, fs::LockMode mode) override;
  Result<bool> may_change_names(fs::Fd dir) override;
  Result<bool> has_writer(fs::Fd fd) override;
  Result<std::string> path_of(fs::Fd fd) override;

 private:
  struct Reached {
    std::string root = {};  // absolute
    std::string path = {};  // beneath it; empty for the root itself
  };

  Reached reached(fs::Fd fd) const;
  Reached reached(fs::Fd dir, const fs::RelPath& path) const;
  void remember(fs::Fd fd, Reached where);
  void record(Op op, const Reached& where, const std::string& text, const Error* error);

  // Records the answer and passes it on.
  template <typename Answer>
  Answer noted(Op op, const Reached& where, Answer answer, const std::string& text = {});

  fs::FileSystem& inner_;
  mutable std::mutex mutex_;
  std::map<fs::Fd, Reached> reached_;
  std::vector<TraceEntry> entries_;
};

}  // namespace stravinsky::testing
