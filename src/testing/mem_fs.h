// MemFs: a file system in memory that knows what a power cut would leave of it.
//
// The fault model. There are two images. The volatile one is what running code
// sees; the durable one is what is on the disk. A power cut leaves the durable
// image plus any part of what was still on its way:
//
// - Contents. write, copy_range and truncate change the volatile image. A sync of
//   the file makes them durable: kData the bytes and the size, kFull also mode,
//   owner, mtime and extended attributes. At a cut each file that is not synced
//   has its last synced contents, all that was written, a torn mix (the first half
//   of what differs is new), or the new length with NUL bytes where it differs.
//   A new file that was never synced has synced contents of no bytes.
// - Attributes follow the contents: none or all. Those that a node is created with
//   reach the disk together with its name.
// - Names. Each create, make_dir, make_symlink, hard_link, rename, unlink and
//   remove_dir is one change of one or two directories, atomic and pending. At a
//   cut ANY SUBSET of the pending changes has reached the disk; those that have
//   are applied in the order they were made, as absolute assignments of names.
//   A sync of a file says nothing about its name.
// - A sync of a directory makes every pending change that touches it durable. A
//   rename between two directories is one step of the file system's journal, so a
//   sync of either directory makes the whole of it durable. A change that became
//   durable is never undone by an older one of the same name that follows it.
// - Where directory_sync_suffices is false, a sync of a directory leaves renames
//   pending; sync_file_system alone makes those durable.
// - sync_file_system makes everything on that device durable.
// - A sync that fails (FaultFs, forget_dirty) does as Linux does: the pages of the
//   file count as clean and are not on the disk. Running code goes on reading the
//   new bytes; a later sync succeeds and makes only later writes durable. Names
//   stay pending: they live in the journal, not in pages.
// - Descriptors and locks do not survive.
//
// Left out: reordering within one file beyond the four fates, reuse of node
// numbers, the damage that a failing disk does.
//
// Modes are enforced for the user of the options, uid 0 excepted. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fs/file_system.h"
#include "testing/mem_disk.h"

namespace stravinsky::testing {

struct MemFsOptions {
  bool has_exchange = true;    // rename kExchange
  bool has_no_replace = true;  // rename kNoReplace
  bool has_xattrs = true;
  bool directory_sync_suffices = true;
  bool read_only = false;          // every change fails with EROFS
  std::string second_device = {};  // this directory and all beneath it; made by the constructor
  const Clock* clock = nullptr;    // of mtimes; without one each change is 1 ms later
  uint32_t uid = 1000;
  uint32_t gid = 1000;
};

// One node of a tree, for comparing trees.
struct NodeDescription {
  fs::NodeType type = fs::NodeType::kOther;
  uint32_t mode = 0;
  std::string bytes = {};
  std::string link_text = {};
  uint64_t inode = 0;  // not compared

  bool operator==(const NodeDescription& other) const;
};

// By absolute path; sorted.
using Snapshot = std::map<std::string, NodeDescription>;

// The differences, a line each: "- /a/x", "+ /a/y", "! /a/z: bytes 3 -> 5, mode 644 -> 600".
std::string difference(const Snapshot& before, const Snapshot& after);

class MemFs final : public fs::FileSystem {
 public:
  explicit MemFs(MemFsOptions options = {});
  ~MemFs() override;

  // --- for building a tree: absolute paths; anything wrong crashes. Missing parents are made.
  void write_file(std::string_view absolute, std::string_view bytes, uint32_t mode = 0644);
  void make_dirs(std::string_view absolute, uint32_t mode = 0755);
  void symlink(const std::string& text, std::string_view absolute);
  void set_immutable(std::string_view absolute, bool immutable);
  void set_owner(std::string_view absolute, uint32_t uid, uint32_t gid);
  void set_mode(std::string_view absolute, uint32_t mode);
  void remove(std::string_view absolute);  // with everything beneath it
  void sync_everything();
  // From now on there is room for this much more; then kNoSpace.
  void set_free(uint64_t bytes, uint64_t inodes);

  // --- for looking
  // The node at the path and all beneath it; empty when it is absent.
  Snapshot snapshot(std::string_view absolute = "/") const;
  // The bytes of a file; nullopt when absent or no file.
  std::optional<std::string> contents(std::string_view absolute) const;
  uint64_t fingerprint() const;
  size_t open_descriptors() const;

  // --- for cutting the power
  size_t pending_count() const;
  // As crash_choices in testing/crash_choice.h, for the present state.
  std::vector<CrashChoice> crash_choices(size_t limit, Random& random) const;
  std::unique_ptr<MemFs> crashed(const CrashChoice& choice) const;
  // What a failed sync does to the pages of a file, or of the whole device.
  void forget_dirty(fs::Fd fd);
  void forget_dirty_device(fs::Fd fd);

  // --- fs::FileSystem
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
  struct OpenFile {
    NodeId node = NodeId::kAbsent;
    NodePlace reached_by = {};  // kAbsent for a root
    bool is_writable = false;
    std::optional<fs::LockMode> lock = {};
  };
  // A name in a directory and what it stands for.
  struct Spot {
    NodeId dir = NodeId::kAbsent;
    std::string name = {};
    NodeId node = NodeId::kAbsent;
  };

  static constexpr uint32_t kMayRead = 4;
  static constexpr uint32_t kMayWrite = 2;
  static constexpr uint32_t kMaySearch = 1;
  static constexpr uint32_t kModeBits = 07777;

  static Error failed(int sys_errno, const std::string& path);
  // All below: mutex_ is held.
  Result<OpenFile*> open_file(fs::Fd fd);
  Result<OpenFile*> writable_file(fs::Fd fd);
  Result<Spot> find(fs::Fd dir, const fs::RelPath& path);       // node may be absent
  Result<Spot> find_node(fs::Fd dir, const fs::RelPath& path);  // ENOENT when absent
  Result<NodeId> follow(const std::string& absolute) const;
  NodeId lookup(std::string_view absolute) const;  // no links followed; kAbsent
  NodeId make_parents(std::string_view absolute, uint32_t mode);
  fs::Fd add_open_file(OpenFile file);
  bool may(const Node& node, uint32_t wanted) const;
  Status may_change_names(const Spot& spot) const;
  Status may_edit(const Node& node) const;
  Status has_room_for(const Node& node, uint64_t size_bytes) const;
  Result<Spot> find_free(fs::Fd dir, const fs::RelPath& path);  // for a new node
  Node& make_node(NodeId dir, fs::NodeType type, uint32_t mode);
  void change_names(ChangeKind kind, std::vector<NameAssignment> assignments);
  void touch(Node& node);
  fs::Stat describe(const Node& node) const;
  std::string path_of_dir(NodeId dir) const;
  Status check_replace(const Spot& from, const Spot& to) const;
  bool is_beneath(NodeId dir, NodeId ancestor) const;

  mutable std::mutex mutex_;
  MemFsOptions options_;
  MemDisk disk_;
  std::map<fs::Fd, OpenFile> open_files_;
  int next_fd_ = 3;  // numbers are not used twice, so that a stale one is noticed
  int64_t time_ns_ = 1'767'886'462'000'000'000;
  uint64_t bytes_max_ = uint64_t{1} << 40U;
  uint64_t nodes_max_ = uint64_t{1} << 40U;
};

}  // namespace stravinsky::testing
