#include "testing/mem_fs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <set>
#include <tuple>

#include "base/strings.h"

namespace stravinsky::testing {

using fs::Fd;
using fs::NodeType;
using fs::RelPath;

namespace {

constexpr int kLinksMax = 40;

std::vector<std::string_view> components(std::string_view absolute) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(absolute, '/')) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

NodeId child(const Node& dir, std::string_view name) {
  const auto found = dir.names.find(std::string(name));
  return found == dir.names.end() ? NodeId::kAbsent : found->second;
}

}  // namespace

MemFs::MemFs(MemFsOptions options) : options_(std::move(options)) {
  Node& root = disk_.node(NodeId::kRoot);
  root.meta.uid = root.durable_meta.uid = options_.uid;
  root.meta.gid = root.durable_meta.gid = options_.gid;
  if (options_.second_device.empty()) return;
  make_dirs(options_.second_device);
  Node& second = disk_.node(lookup(options_.second_device));
  second.device = 2;
  second.mount_point = true;
  disk_.sync_device(1);
  disk_.sync_device(2);
}

MemFs::~MemFs() = default;

Error MemFs::failed(int sys_errno, const std::string& path) {
  return errno_error(sys_errno, escape(path));
}

// --- open and close

Result<MemFs::OpenFile*> MemFs::open_file(Fd fd) {
  const auto found = open_files_.find(fd);
  if (found == open_files_.end()) return errno_error(EBADF, "");
  return &found->second;
}

Result<MemFs::OpenFile*> MemFs::writable_file(Fd fd) {
  ASSIGN_OR_RETURN(OpenFile * file, open_file(fd));
  if (!file->is_writable) return errno_error(EBADF, "");
  return file;
}

bool MemFs::may(const Node& node, uint32_t wanted) const {
  if (options_.uid == 0) return true;
  uint32_t bits = node.meta.mode;
  if (node.meta.uid == options_.uid) {
    bits >>= 6U;
  } else if (node.meta.gid == options_.gid) {
    bits >>= 3U;
  }
  return (bits & wanted) == wanted;
}

Result<MemFs::Spot> MemFs::find(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(dir));
  Spot spot{.dir = NodeId::kAbsent, .name = {}, .node = file->node};
  for (const std::string_view part : path.components()) {
    if (spot.node == NodeId::kAbsent) return failed(ENOENT, path.str());
    const Node& node = disk_.node(spot.node);
    if (node.type == NodeType::kSymlink) return failed(ELOOP, path.str());
    if (node.type != NodeType::kDirectory) return failed(ENOTDIR, path.str());
    if (!may(node, kMaySearch)) return failed(EACCES, path.str());
    spot = {.dir = spot.node, .name = std::string(part), .node = child(node, part)};
  }
  return spot;
}

Result<MemFs::Spot> MemFs::find_node(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(Spot spot, find(dir, path));
  if (spot.node == NodeId::kAbsent) return failed(ENOENT, path.str());
  return spot;
}

Result<NodeId> MemFs::follow(const std::string& absolute) const {
  if (!absolute.starts_with('/')) {
    return make_error(ErrorCode::kUsage, "the path is not absolute", escape(absolute));
  }
  std::deque<std::string> left;
  for (const std::string_view part : components(absolute)) left.emplace_back(part);
  NodeId at = NodeId::kRoot;
  int links = 0;
  while (!left.empty()) {
    const std::string part = std::move(left.front());
    left.pop_front();
    const Node& dir = disk_.node(at);
    if (dir.type != NodeType::kDirectory) return failed(ENOTDIR, absolute);
    if (!may(dir, kMaySearch)) return failed(EACCES, absolute);
    if (part == ".") continue;
    if (part == "..") {
      if (at != NodeId::kRoot) at = dir.place.dir;
      continue;
    }
    const NodeId next = child(dir, part);
    if (next == NodeId::kAbsent) return failed(ENOENT, absolute);
    const Node& node = disk_.node(next);
    if (node.type != NodeType::kSymlink) {
      at = next;
      continue;
    }
    if (++links > kLinksMax) return failed(ELOOP, absolute);
    if (node.link_text.starts_with('/')) at = NodeId::kRoot;
    const auto parts = components(node.link_text);
    for (auto each = parts.rbegin(); each != parts.rend(); ++each) left.emplace_front(*each);
  }
  return at;
}

Fd MemFs::add_open_file(OpenFile file) {
  const Fd fd{next_fd_++};
  ++disk_.node(file.node).open_count;
  open_files_.emplace(fd, std::move(file));
  return fd;
}

Result<Fd> MemFs::open_root(const std::string& absolute) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const NodeId id, follow(absolute));
  if (disk_.node(id).type != NodeType::kDirectory) return failed(ENOTDIR, absolute);
  if (!may(disk_.node(id), kMayRead)) return failed(EACCES, absolute);
  return add_open_file({.node = id, .reached_by = {}, .is_writable = false, .lock = {}});
}

Result<Fd> MemFs::open(Fd dir, const RelPath& path, fs::OpenMode how, uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(Spot spot, find(dir, path));
  const bool creates = how == fs::OpenMode::kCreateExclusive || how == fs::OpenMode::kOpenOrCreate;
  const bool writes = creates || how == fs::OpenMode::kReadWrite;
  const bool is_absent = spot.node == NodeId::kAbsent;
  if (!is_absent && how == fs::OpenMode::kCreateExclusive) return failed(EEXIST, path.str());
  if (is_absent) {
    if (!creates) return failed(ENOENT, path.str());
    ASSIGN_OR_RETURN(spot, find_free(dir, path));
    spot.node = make_node(spot.dir, NodeType::kFile, mode).id;
    change_names(ChangeKind::kNames, {{spot.dir, spot.name, spot.node}});
  }
  const Node& node = disk_.node(spot.node);
  const bool wants_directory = how == fs::OpenMode::kDirectory;
  if (node.type == NodeType::kSymlink) return failed(ELOOP, path.str());
  if (wants_directory && node.type != NodeType::kDirectory) {
    return failed(ENOTDIR, path.str());
  }
  if (!wants_directory && node.type == NodeType::kDirectory) return failed(EISDIR, path.str());
  if (!is_absent) {
    if (!may(node, writes ? kMayRead | kMayWrite : kMayRead)) {
      return failed(EACCES, path.str());
    }
    if (writes) RETURN_IF_ERROR(may_edit(node));
  }
  return add_open_file(
      {.node = spot.node, .reached_by = {spot.dir, spot.name}, .is_writable = writes, .lock = {}});
}

Status MemFs::close(Fd fd) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  --disk_.node(file->node).open_count;
  open_files_.erase(fd);
  return {};
}

// --- bytes

Result<size_t> MemFs::read(Fd fd, uint64_t offset, std::span<std::byte> out) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  const Node& node = disk_.node(file->node);
  if (node.type == NodeType::kDirectory) return errno_error(EISDIR, "");
  const std::string& bytes = *node.bytes;
  if (offset >= bytes.size()) return size_t{0};
  const size_t count = std::min<size_t>(out.size(), bytes.size() - offset);
  if (count > 0) std::memcpy(out.data(), bytes.data() + offset, count);
  return count;
}

Status MemFs::has_room_for(const Node& node, uint64_t size_bytes) const {
  if (size_bytes <= node.bytes->size()) return {};
  const uint64_t more = size_bytes - node.bytes->size();
  if (more > bytes_max_ || disk_.used_bytes() > bytes_max_ - more) return errno_error(ENOSPC, "");
  return {};
}

Status MemFs::write(Fd fd, uint64_t offset, std::span<const std::byte> data) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, writable_file(fd));
  Node& node = disk_.node(file->node);
  RETURN_IF_ERROR(has_room_for(node, offset + data.size()));
  MemDisk::write(node, offset, data);
  touch(node);
  return {};
}

Status MemFs::copy_range(Fd from, uint64_t from_offset, Fd to, uint64_t to_offset,
                         uint64_t length) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* source, open_file(from));
  ASSIGN_OR_RETURN(const OpenFile* target, writable_file(to));
  const std::string& bytes = *disk_.node(source->node).bytes;
  if (from_offset > bytes.size() || length > bytes.size() - from_offset) {
    return make_error(ErrorCode::kChanged, "the file is shorter than what was to be copied");
  }
  const std::string copied = bytes.substr(from_offset, length);
  Node& node = disk_.node(target->node);
  RETURN_IF_ERROR(has_room_for(node, to_offset + copied.size()));
  MemDisk::write(node, to_offset, as_byte_span(copied));
  touch(node);
  return {};
}

Status MemFs::truncate(Fd fd, uint64_t size_bytes) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, writable_file(fd));
  Node& node = disk_.node(file->node);
  RETURN_IF_ERROR(has_room_for(node, size_bytes));
  MemDisk::resize(node, size_bytes);
  touch(node);
  return {};
}

// --- durability

Status MemFs::sync(Fd fd, fs::SyncKind kind) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  Node& node = disk_.node(file->node);
  MemDisk::sync_data(node);
  if (kind == fs::SyncKind::kFull) MemDisk::sync_meta(node);
  if (node.type != NodeType::kDirectory) return {};
  std::set<ChangeKind> kinds = {ChangeKind::kNames};
  if (options_.directory_sync_suffices) kinds.insert(ChangeKind::kRename);
  disk_.sync_names(node.id, kinds);
  return {};
}

Status MemFs::sync_file_system(Fd fd) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  disk_.sync_device(disk_.node(file->node).device);
  return {};
}

void MemFs::advise(Fd, fs::Advice) {}

// --- attributes

Status MemFs::set_attributes(Fd fd, const fs::Attributes& attributes) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  Node& node = disk_.node(file->node);
  RETURN_IF_ERROR(may_edit(node));
  if (options_.uid != 0) {
    if (node.meta.uid != options_.uid) return errno_error(EPERM, "");
    if (attributes.owner && *attributes.owner != std::pair(node.meta.uid, node.meta.gid)) {
      return errno_error(EPERM, "");
    }
  }
  const int64_t mtime_ns = node.meta.mtime_ns;
  touch(node);
  node.meta.mtime_ns = attributes.mtime_ns.value_or(mtime_ns);
  if (attributes.mode) node.meta.mode = *attributes.mode & kModeBits;
  if (attributes.owner) std::tie(node.meta.uid, node.meta.gid) = *attributes.owner;
  return {};
}

Result<fs::Xattrs> MemFs::get_xattrs(Fd fd) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  const auto& xattrs = disk_.node(file->node).meta.xattrs;
  return fs::Xattrs(xattrs.begin(), xattrs.end());
}

Status MemFs::set_xattrs(Fd fd, const fs::Xattrs& xattrs) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  if (!options_.has_xattrs && !xattrs.empty()) return errno_error(EOPNOTSUPP, "");
  Node& node = disk_.node(file->node);
  RETURN_IF_ERROR(may_edit(node));
  for (const auto& [name, value] : xattrs) node.meta.xattrs[name] = value;
  return {};
}

// --- the rest

Result<fs::Space> MemFs::space(Fd fd) {
  const std::scoped_lock lock(mutex_);
  RETURN_IF_ERROR(open_file(fd));
  const uint64_t bytes = disk_.used_bytes();
  const uint64_t nodes = disk_.used_nodes();
  return fs::Space{.available_bytes = bytes_max_ - std::min(bytes, bytes_max_),
                   .available_inodes = nodes_max_ - std::min(nodes, nodes_max_),
                   .read_only = options_.read_only,
                   .directory_sync_suffices = options_.directory_sync_suffices};
}

Status MemFs::try_lock(Fd fd, fs::LockMode mode) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(OpenFile * file, open_file(fd));
  for (const auto& [other_fd, other] : open_files_) {
    if (other_fd == fd || other.node != file->node || !other.lock) continue;
    if (mode == fs::LockMode::kExclusive || *other.lock == fs::LockMode::kExclusive) {
      return errno_error(EWOULDBLOCK, "");
    }
  }
  file->lock = mode;
  return {};
}

Result<bool> MemFs::may_change_names(Fd dir) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(dir));
  const Node& node = disk_.node(file->node);
  return may_edit(node).has_value() && may(node, kMayWrite | kMaySearch);
}

Result<bool> MemFs::has_writer(Fd fd) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  return std::ranges::any_of(open_files_, [&](const auto& entry) {
    return entry.second.node == file->node && entry.second.is_writable;
  });
}

std::string MemFs::path_of_dir(NodeId dir) const {
  if (dir == NodeId::kRoot) return "/";
  const NodePlace& place = disk_.node(dir).place;
  const std::string parent = path_of_dir(place.dir);
  return (parent == "/" ? "" : parent) + "/" + place.name;
}

Result<std::string> MemFs::path_of(Fd fd) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  if (disk_.node(file->node).type == NodeType::kDirectory) return path_of_dir(file->node);
  const std::string parent = path_of_dir(file->reached_by.dir);
  return (parent == "/" ? "" : parent) + "/" + file->reached_by.name;
}

}  // namespace stravinsky::testing
