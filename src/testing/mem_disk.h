// MemDisk: the nodes of MemFs, each in two images, and the changes of names that
// are not yet durable. Knows no paths, descriptors or permissions; the fault
// model that it carries out stands in testing/mem_fs.h. Not thread-safe: MemFs
// holds its mutex around every call.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fs/file_system.h"
#include "testing/crash_choice.h"

namespace stravinsky::testing {

enum class NodeId : uint64_t { kAbsent = 0, kRoot = 1 };

struct NodeMeta {
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_ns = 0;
  std::map<std::string, std::string> xattrs = {};

  bool operator==(const NodeMeta&) const = default;
};

// Where a directory stands. (A file may stand in several places.)
struct NodePlace {
  NodeId dir = NodeId::kAbsent;
  std::string name = {};

  bool operator==(const NodePlace&) const = default;
};

struct Node {
  // Copied only when one of the images that share it changes.
  using Bytes = std::shared_ptr<std::string>;

  NodeId id = NodeId::kAbsent;
  uint64_t device = 0;
  fs::NodeType type = fs::NodeType::kOther;
  std::string link_text;  // of a symlink; never changes
  bool immutable = false;
  bool mount_point = false;
  int64_t ctime_ns = 0;
  uint64_t link_count = 0;  // names in the volatile image
  uint64_t open_count = 0;

  NodeMeta meta;          // volatile
  NodeMeta durable_meta;  // at first that of the creation: it reaches the disk with the name

  Bytes bytes;      // volatile: what read() sees
  Bytes writeback;  // what a sync makes durable; differs from bytes after a failed sync
  Bytes durable;

  std::map<std::string, NodeId> names;  // of a directory
  std::map<std::string, NodeId> durable_names;
  NodePlace place;  // of a directory
  NodePlace durable_place;
};

// One name gets a node, or none (kAbsent).
struct NameAssignment {
  NodeId dir = NodeId::kAbsent;
  std::string name = {};
  NodeId node = NodeId::kAbsent;
};

enum class ChangeKind { kNames, kRename };

class MemDisk {
 public:
  MemDisk();

  // --- nodes
  // The id of a node that was made stays valid, named or not.
  Node& node(NodeId id);
  const Node& node(NodeId id) const;
  // A node without a name.
  Node& make_node(uint64_t device, fs::NodeType type, const NodeMeta& meta);
  // Bytes and number of nodes that have a name or are open.
  uint64_t used_bytes() const;
  uint64_t used_nodes() const;

  // --- the volatile image
  // One atomic change of names, pending from now on.
  void change_names(ChangeKind kind, std::vector<NameAssignment> assignments);
  static void write(Node& node, uint64_t offset, std::span<const std::byte> data);
  static void resize(Node& node, uint64_t size_bytes);

  // --- the durable image
  static void sync_data(Node& node);
  static void sync_meta(Node& node);
  void sync_names(NodeId dir, const std::set<ChangeKind>& kinds);
  void sync_device(uint64_t device);
  // After a failed sync: the pages count as clean, and are not on the disk.
  static void forget_dirty(Node& node);
  void forget_dirty_device(uint64_t device);

  size_t pending_count() const { return pending_.size(); }
  DirtyData dirty_data() const;
  // The disk after a power cut: both images equal, nothing pending.
  MemDisk crashed(const CrashChoice& choice) const;

  // Equal for disks of equal volatile trees, attributes and node numbers included.
  uint64_t fingerprint() const;

 private:
  struct Change {
    ChangeKind kind = ChangeKind::kNames;
    std::vector<NameAssignment> assignments = {};
  };

  void assign(const NameAssignment& assignment);
  void make_durable(size_t index);
  bool touches(const Change& change, NodeId dir) const;

  std::map<NodeId, Node> nodes_;
  uint64_t next_id_ = 1;
  std::vector<Change> pending_;  // in the order they were made
};

}  // namespace stravinsky::testing
