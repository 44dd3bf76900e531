// The part of MemFs that is for tests: building trees, looking at them, cutting
// the power.
#include <fmt/format.h>

#include "base/check.h"
#include "base/strings.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {

using fs::NodeType;

namespace {

std::pair<std::string_view, std::string_view> parent_and_name(std::string_view absolute) {
  CHECK(absolute.size() > 1 && absolute.front() == '/' && absolute.back() != '/');
  const size_t slash = absolute.rfind('/');
  return {slash == 0 ? "/" : absolute.substr(0, slash), absolute.substr(slash + 1)};
}

}  // namespace

bool NodeDescription::operator==(const NodeDescription& other) const {
  return type == other.type && mode == other.mode && bytes == other.bytes &&
         link_text == other.link_text;
}

std::string difference(const Snapshot& before, const Snapshot& after) {
  std::string text;
  for (const auto& [path, node] : before) {
    const auto found = after.find(path);
    if (found == after.end()) {
      text += "- " + escape(path) + "\n";
      continue;
    }
    const NodeDescription& now = found->second;
    if (node == now) continue;
    text += "! " + escape(path) + ":";
    if (node.type != now.type) text += " type";
    if (node.bytes != now.bytes) {
      text += fmt::format(" bytes {} -> {},", node.bytes.size(), now.bytes.size());
    }
    if (node.mode != now.mode) text += fmt::format(" mode {:o} -> {:o},", node.mode, now.mode);
    if (node.link_text != now.link_text) text += " link text";
    text += "\n";
  }
  for (const auto& [path, node] : after) {
    if (!before.contains(path)) text += "+ " + escape(path) + "\n";
  }
  return text;
}

// --- building

NodeId MemFs::lookup(std::string_view absolute) const {
  CHECK(absolute.starts_with('/'));
  NodeId at = NodeId::kRoot;
  for (const std::string_view part : split(absolute, '/')) {
    if (part.empty()) continue;
    const auto& names = disk_.node(at).names;
    const auto found = names.find(std::string(part));
    if (found == names.end()) return NodeId::kAbsent;
    at = found->second;
  }
  return at;
}

NodeId MemFs::make_parents(std::string_view absolute, uint32_t mode) {
  CHECK(absolute.starts_with('/'));
  NodeId at = NodeId::kRoot;
  for (const std::string_view part : split(absolute, '/')) {
    if (part.empty()) continue;
    const auto& names = disk_.node(at).names;
    const auto found = names.find(std::string(part));
    if (found != names.end()) {
      at = found->second;
      CHECK(disk_.node(at).type == NodeType::kDirectory);
      continue;
    }
    const NodeId made = make_node(at, NodeType::kDirectory, mode).id;
    change_names(ChangeKind::kNames, {{at, std::string(part), made}});
    at = made;
  }
  return at;
}

void MemFs::make_dirs(std::string_view absolute, uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  make_parents(absolute, mode);
}

void MemFs::write_file(std::string_view absolute, std::string_view bytes, uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  const auto [parent, name] = parent_and_name(absolute);
  const NodeId dir = make_parents(parent, 0755);
  NodeId id = lookup(absolute);
  if (id == NodeId::kAbsent) {
    id = make_node(dir, NodeType::kFile, mode).id;
    change_names(ChangeKind::kNames, {{dir, std::string(name), id}});
  }
  Node& node = disk_.node(id);
  CHECK(node.type == NodeType::kFile);
  MemDisk::resize(node, bytes.size());
  MemDisk::write(node, 0, as_byte_span(bytes));
  node.meta.mode = mode;
  touch(node);
}

void MemFs::symlink(const std::string& text, std::string_view absolute) {
  const std::scoped_lock lock(mutex_);
  const auto [parent, name] = parent_and_name(absolute);
  const NodeId dir = make_parents(parent, 0755);
  CHECK(lookup(absolute) == NodeId::kAbsent);
  Node& made = make_node(dir, NodeType::kSymlink, 0777);
  made.link_text = text;
  change_names(ChangeKind::kNames, {{dir, std::string(name), made.id}});
}

void MemFs::set_immutable(std::string_view absolute, bool immutable) {
  const std::scoped_lock lock(mutex_);
  disk_.node(lookup(absolute)).immutable = immutable;
}

void MemFs::set_owner(std::string_view absolute, uint32_t uid, uint32_t gid) {
  const std::scoped_lock lock(mutex_);
  NodeMeta& meta = disk_.node(lookup(absolute)).meta;
  meta.uid = uid;
  meta.gid = gid;
}

void MemFs::set_mode(std::string_view absolute, uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  disk_.node(lookup(absolute)).meta.mode = mode;
}

void MemFs::remove(std::string_view absolute) {
  const std::scoped_lock lock(mutex_);
  const auto [parent, name] = parent_and_name(absolute);
  CHECK(lookup(absolute) != NodeId::kAbsent);
  change_names(ChangeKind::kNames, {{lookup(parent), std::string(name), NodeId::kAbsent}});
}

void MemFs::sync_everything() {
  const std::scoped_lock lock(mutex_);
  disk_.sync_device(1);
  disk_.sync_device(2);
}

void MemFs::set_free(uint64_t bytes, uint64_t inodes) {
  const std::scoped_lock lock(mutex_);
  bytes_max_ = disk_.used_bytes() + bytes;
  nodes_max_ = disk_.used_nodes() + inodes;
}

// --- looking

Snapshot MemFs::snapshot(std::string_view absolute) const {
  const std::scoped_lock lock(mutex_);
  const NodeId top = lookup(absolute);
  if (top == NodeId::kAbsent) return {};
  Snapshot found;
  std::vector<std::pair<std::string, NodeId>> left = {{std::string(absolute), top}};
  while (!left.empty()) {
    const auto [path, id] = std::move(left.back());
    left.pop_back();
    const Node& node = disk_.node(id);
    found[path] = {.type = node.type,
                   .mode = node.meta.mode,
                   .bytes = *node.bytes,
                   .link_text = node.link_text,
                   .inode = static_cast<uint64_t>(id)};
    for (const auto& [name, child] : node.names) {
      left.emplace_back((path == "/" ? "" : path) + "/" + name, child);
    }
  }
  return found;
}

std::optional<std::string> MemFs::contents(std::string_view absolute) const {
  const std::scoped_lock lock(mutex_);
  const NodeId id = lookup(absolute);
  if (id == NodeId::kAbsent || disk_.node(id).type != NodeType::kFile) return std::nullopt;
  return *disk_.node(id).bytes;
}

uint64_t MemFs::fingerprint() const {
  const std::scoped_lock lock(mutex_);
  return disk_.fingerprint();
}

size_t MemFs::open_descriptors() const {
  const std::scoped_lock lock(mutex_);
  return open_files_.size();
}

// --- cutting the power

size_t MemFs::pending_count() const {
  const std::scoped_lock lock(mutex_);
  return disk_.pending_count();
}

std::vector<CrashChoice> MemFs::crash_choices(size_t limit, Random& random) const {
  const std::scoped_lock lock(mutex_);
  return testing::crash_choices(disk_.pending_count(), disk_.dirty_data(), limit, random);
}

std::unique_ptr<MemFs> MemFs::crashed(const CrashChoice& choice) const {
  const std::scoped_lock lock(mutex_);
  MemFsOptions options = options_;
  options.second_device.clear();  // its directory is on the disk already
  auto after = std::make_unique<MemFs>(std::move(options));
  after->options_ = options_;
  after->disk_ = disk_.crashed(choice);
  after->next_fd_ = next_fd_;
  after->time_ns_ = time_ns_;
  after->bytes_max_ = bytes_max_;
  after->nodes_max_ = nodes_max_;
  return after;
}

void MemFs::forget_dirty(fs::Fd fd) {
  const std::scoped_lock lock(mutex_);
  if (const auto file = open_file(fd)) MemDisk::forget_dirty(disk_.node((*file)->node));
}

void MemFs::forget_dirty_device(fs::Fd fd) {
  const std::scoped_lock lock(mutex_);
  if (const auto file = open_file(fd)) disk_.forget_dirty_device(disk_.node((*file)->node).device);
}

}  // namespace stravinsky::testing
