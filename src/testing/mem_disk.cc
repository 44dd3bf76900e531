#include "testing/mem_disk.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::testing {
namespace {

using fs::NodeType;

bool same_bytes(const Node::Bytes& a, const Node::Bytes& b) {
  return a == b || *a == *b;
}

// The string behind bytes, safe to change: nobody but bytes and partner (when
// partner is the same string) sees it.
std::string& own(Node::Bytes& bytes, Node::Bytes& partner) {
  const bool shared_with_partner = bytes == partner;
  if (bytes.use_count() > (shared_with_partner ? 2 : 1)) {
    bytes = std::make_shared<std::string>(*bytes);
    if (shared_with_partner) partner = bytes;
  }
  return *bytes;
}

// Applies edit to what read() sees and to what a sync would write.
void edit_both(Node& node, const std::function<void(std::string&)>& edit) {
  const bool same = node.bytes == node.writeback;
  edit(own(node.bytes, node.writeback));
  if (!same) edit(own(node.writeback, node.bytes));
}

uint64_t mixed(uint64_t seed, uint64_t number) {
  uint64_t hash = seed ^ (number * 0x9e3779b97f4a7c15U);
  hash = (hash ^ (hash >> 29U)) * 0xbf58476d1ce4e5b9U;
  return hash ^ (hash >> 32U);
}

DataFate fate_of(const Node& node, const CrashChoice& choice) {
  if (choice.data != DataFate::kMixed) return choice.data;
  return static_cast<DataFate>(mixed(choice.seed, static_cast<uint64_t>(node.id)) % 4);
}

Node::Bytes contents_after(const Node& node, DataFate fate) {
  if (fate == DataFate::kNone || node.durable == node.writeback) return node.durable;
  if (fate == DataFate::kAll) return node.writeback;
  const std::string& before = *node.durable;
  const std::string& after = *node.writeback;
  const auto differ = std::ranges::mismatch(before, after).in2;
  const auto same = static_cast<size_t>(differ - after.begin());
  if (fate == DataFate::kNul) {
    std::string bytes = after.substr(0, same);
    bytes.resize(after.size(), '\0');
    return std::make_shared<std::string>(std::move(bytes));
  }
  const size_t reached = same + (after.size() - same) / 2;
  std::string bytes = after.substr(0, reached);
  if (before.size() > reached) bytes += before.substr(reached);
  return std::make_shared<std::string>(std::move(bytes));
}

// Attributes have two fates only; each goes with contents of both kinds.
const NodeMeta& meta_after(const Node& node, DataFate fate) {
  return fate == DataFate::kAll || fate == DataFate::kNul ? node.meta : node.durable_meta;
}

bool is_live(const Node& node) {
  return node.link_count > 0 || node.open_count > 0;
}

}  // namespace

MemDisk::MemDisk() {
  Node& root = make_node(1, NodeType::kDirectory, {.mode = 0755});
  CHECK(root.id == NodeId::kRoot);
  root.link_count = 1;
}

Node& MemDisk::node(NodeId id) {
  const auto found = nodes_.find(id);
  CHECK(found != nodes_.end());
  return found->second;
}

const Node& MemDisk::node(NodeId id) const {
  const auto found = nodes_.find(id);
  CHECK(found != nodes_.end());
  return found->second;
}

Node& MemDisk::make_node(uint64_t device, NodeType type, const NodeMeta& meta) {
  const NodeId id{next_id_++};
  Node& made = nodes_[id];
  made.id = id;
  made.device = device;
  made.type = type;
  made.meta = made.durable_meta = meta;
  made.bytes = made.writeback = made.durable = std::make_shared<std::string>();
  return made;
}

uint64_t MemDisk::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [id, node] : nodes_) used += is_live(node) ? node.bytes->size() : 0;
  return used;
}

uint64_t MemDisk::used_nodes() const {
  return static_cast<uint64_t>(
      std::ranges::count_if(nodes_, [](const auto& entry) { return is_live(entry.second); }));
}

void MemDisk::assign(const NameAssignment& assignment) {
  auto& names = node(assignment.dir).names;
  if (const auto old = names.find(assignment.name); old != names.end()) {
    --node(old->second).link_count;
    names.erase(old);
  }
  if (assignment.node == NodeId::kAbsent) return;
  names[assignment.name] = assignment.node;
  Node& named = node(assignment.node);
  ++named.link_count;
  if (named.type == NodeType::kDirectory) named.place = {assignment.dir, assignment.name};
}

void MemDisk::change_names(ChangeKind kind, std::vector<NameAssignment> assignments) {
  for (const NameAssignment& assignment : assignments) assign(assignment);
  pending_.push_back({.kind = kind, .assignments = std::move(assignments)});
}

void MemDisk::write(Node& node, uint64_t offset, std::span<const std::byte> data) {
  edit_both(node, [&](std::string& bytes) {
    if (bytes.size() < offset + data.size()) bytes.resize(offset + data.size());
    if (!data.empty()) std::memcpy(bytes.data() + offset, data.data(), data.size());
  });
}

void MemDisk::resize(Node& node, uint64_t size_bytes) {
  edit_both(node, [&](std::string& bytes) { bytes.resize(size_bytes); });
}

void MemDisk::sync_data(Node& node) {
  node.durable = node.writeback;
}
void MemDisk::sync_meta(Node& node) {
  node.durable_meta = node.meta;
}
void MemDisk::forget_dirty(Node& node) {
  node.writeback = node.durable;
}

bool MemDisk::touches(const Change& change, NodeId dir) const {
  return std::ranges::any_of(change.assignments,
                             [&](const NameAssignment& each) { return each.dir == dir; });
}

void MemDisk::make_durable(size_t index) {
  const Change change = std::move(pending_[index]);
  pending_.erase(pending_.begin() + static_cast<ptrdiff_t>(index));
  for (const NameAssignment& assignment : change.assignments) {
    auto& names = node(assignment.dir).durable_names;
    if (assignment.node == NodeId::kAbsent) {
      names.erase(assignment.name);
    } else {
      names[assignment.name] = assignment.node;
      Node& named = node(assignment.node);
      if (named.type == NodeType::kDirectory) {
        named.durable_place = {assignment.dir, assignment.name};
      }
    }
    // An older change of the same name must not come back over this one.
    for (size_t i = 0; i < index; ++i) {
      std::erase_if(pending_[i].assignments, [&](const NameAssignment& old) {
        return old.dir == assignment.dir && old.name == assignment.name;
      });
    }
  }
}

void MemDisk::sync_names(NodeId dir, const std::set<ChangeKind>& kinds) {
  for (size_t i = 0; i < pending_.size();) {
    if (kinds.contains(pending_[i].kind) && touches(pending_[i], dir)) {
      make_durable(i);
    } else {
      ++i;
    }
  }
  std::erase_if(pending_, [](const Change& change) { return change.assignments.empty(); });
}

void MemDisk::sync_device(uint64_t device) {
  for (size_t i = 0; i < pending_.size();) {
    const auto& assignments = pending_[i].assignments;
    if (!assignments.empty() && node(assignments.front().dir).device == device) {
      make_durable(i);
    } else {
      ++i;
    }
  }
  std::erase_if(pending_, [](const Change& change) { return change.assignments.empty(); });
  for (auto& [id, node] : nodes_) {
    if (node.device != device) continue;
    sync_data(node);
    sync_meta(node);
  }
}

void MemDisk::forget_dirty_device(uint64_t device) {
  for (auto& [id, node] : nodes_) {
    if (node.device == device) forget_dirty(node);
  }
}

DirtyData MemDisk::dirty_data() const {
  const auto is_dirty = [](const auto& entry) {
    const Node& node = entry.second;
    NodeMeta meta = node.meta;
    meta.mtime_ns = node.durable_meta.mtime_ns;  // changes with every write: no fate of its own
    return !same_bytes(node.writeback, node.durable) || meta != node.durable_meta;
  };
  return std::ranges::any_of(nodes_, is_dirty) ? DirtyData::kPresent : DirtyData::kAbsent;
}

MemDisk MemDisk::crashed(const CrashChoice& choice) const {
  // The directories as they are on the disk, with the chosen changes over them.
  std::map<NodeId, std::map<std::string, NodeId>> changed;
  std::map<NodeId, NodePlace> moved;
  for (size_t i = 0; i < pending_.size() && i < choice.kept.size(); ++i) {
    if (!choice.kept[i]) continue;
    for (const NameAssignment& each : pending_[i].assignments) {
      auto& names = changed.try_emplace(each.dir, node(each.dir).durable_names).first->second;
      names.erase(each.name);
      if (each.node == NodeId::kAbsent) continue;
      names[each.name] = each.node;
      if (node(each.node).type == NodeType::kDirectory) moved[each.node] = {each.dir, each.name};
    }
  }

  MemDisk disk;
  disk.nodes_.clear();
  disk.next_id_ = next_id_;
  std::vector<NodeId> left = {NodeId::kRoot};
  while (!left.empty()) {
    const NodeId id = left.back();
    left.pop_back();
    if (disk.nodes_.contains(id)) {
      ++disk.node(id).link_count;
      continue;
    }
    const Node& from = node(id);
    const DataFate fate = fate_of(from, choice);
    Node& to = disk.nodes_[id];
    to.id = id;
    to.device = from.device;
    to.type = from.type;
    to.link_text = from.link_text;
    to.immutable = from.immutable;
    to.mount_point = from.mount_point;
    to.ctime_ns = from.ctime_ns;
    to.link_count = 1;
    to.meta = to.durable_meta = meta_after(from, fate);
    to.bytes = to.writeback = to.durable = contents_after(from, fate);
    const auto moved_here = moved.find(id);
    to.place = to.durable_place =
        moved_here == moved.end() ? from.durable_place : moved_here->second;
    const auto changed_here = changed.find(id);
    for (const auto& [name, child] :
         changed_here == changed.end() ? from.durable_names : changed_here->second) {
      // A directory has one name: the one that was given to it last.
      const auto moved_child = moved.find(child);
      const NodePlace& place =
          moved_child == moved.end() ? node(child).durable_place : moved_child->second;
      const bool is_elsewhere =
          node(child).type == NodeType::kDirectory && place != NodePlace{id, name};
      if (is_elsewhere) continue;
      to.names[name] = child;
      left.push_back(child);
    }
    to.durable_names = to.names;
  }
  return disk;
}

uint64_t MemDisk::fingerprint() const {
  uint64_t hash = 0;
  const auto add = [&](uint64_t number) { hash = mixed(hash * 31 + 7, number); };
  const auto add_text = [&](const std::string& text) { add(std::hash<std::string>()(text)); };
  const std::function<void(NodeId)> visit = [&](NodeId id) {
    const Node& node = this->node(id);
    add(static_cast<uint64_t>(id));
    add(static_cast<uint64_t>(node.type));
    add(node.meta.mode);
    add(node.meta.uid);
    add(node.meta.gid);
    add(static_cast<uint64_t>(node.meta.mtime_ns));
    for (const auto& [name, value] : node.meta.xattrs) {
      add_text(name);
      add_text(value);
    }
    add_text(*node.bytes);
    add_text(node.link_text);
    add(node.names.size());
    for (const auto& [name, child] : node.names) {
      add_text(name);
      visit(child);
    }
  };
  visit(NodeId::kRoot);
  return hash;
}

}  // namespace stravinsky::testing
