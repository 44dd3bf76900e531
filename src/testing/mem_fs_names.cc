// The part of MemFs that looks at names and changes them.
#include <cerrno>

#include "base/strings.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {

using fs::Fd;
using fs::NodeType;
using fs::RelPath;

fs::Stat MemFs::describe(const Node& node) const {
  const bool is_directory = node.type == NodeType::kDirectory;
  return {
      .type = node.type,
      .device = node.device,
      .inode = static_cast<uint64_t>(node.id),
      .mode = node.meta.mode,
      .uid = node.meta.uid,
      .gid = node.meta.gid,
      .link_count = is_directory ? 2 * node.link_count : node.link_count,
      .size_bytes = node.type == NodeType::kSymlink ? node.link_text.size() : node.bytes->size(),
      .mtime_ns = node.meta.mtime_ns,
      .ctime_ns = node.ctime_ns,
      .immutable = node.immutable,
      .mount_point = node.mount_point};
}

Result<fs::Stat> MemFs::stat(Fd dir, const RelPath& path) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot spot, find_node(dir, path));
  return describe(disk_.node(spot.node));
}

Result<fs::Stat> MemFs::stat_fd(Fd fd) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(fd));
  return describe(disk_.node(file->node));
}

Result<std::vector<fs::DirEntry>> MemFs::list(Fd dir) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const OpenFile* file, open_file(dir));
  const Node& node = disk_.node(file->node);
  if (node.type != NodeType::kDirectory) return errno_error(ENOTDIR, "");
  std::vector<fs::DirEntry> entries;
  entries.reserve(node.names.size());
  for (const auto& [name, id] : node.names) entries.push_back({name, disk_.node(id).type});
  return entries;
}

Result<std::string> MemFs::read_link(Fd dir, const RelPath& path) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot spot, find_node(dir, path));
  const Node& node = disk_.node(spot.node);
  if (node.type != NodeType::kSymlink) {
    return make_error(ErrorCode::kWrongType, "not a symbolic link", escape(path.str()));
  }
  return node.link_text;
}

Status MemFs::may_edit(const Node& node) const {
  if (options_.read_only) return errno_error(EROFS, "");
  if (node.immutable) return errno_error(EPERM, "");
  return {};
}

Status MemFs::may_change_names(const Spot& spot) const {
  const Node& dir = disk_.node(spot.dir);
  RETURN_IF_ERROR(may_edit(dir));
  if (!may(dir, kMayWrite | kMaySearch)) return failed(EACCES, spot.name);
  if (spot.node == NodeId::kAbsent) return {};
  const Node& node = disk_.node(spot.node);
  if (node.immutable) return failed(EPERM, spot.name);
  if (node.mount_point) return failed(EBUSY, spot.name);
  return {};
}

Result<MemFs::Spot> MemFs::find_free(Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(Spot spot, find(dir, path));
  if (spot.node != NodeId::kAbsent) return failed(EEXIST, path.str());
  if (disk_.node(spot.dir).link_count == 0) return failed(ENOENT, path.str());
  RETURN_IF_ERROR(may_change_names(spot));
  if (disk_.used_nodes() >= nodes_max_) return failed(ENOSPC, path.str());
  return spot;
}

Node& MemFs::make_node(NodeId dir, NodeType type, uint32_t mode) {
  Node& made = disk_.make_node(disk_.node(dir).device, type,
                               {.mode = mode & kModeBits,
                                .uid = options_.uid,
                                .gid = options_.gid,
                                .mtime_ns = 0,
                                .xattrs = {}});
  touch(made);
  made.durable_meta = made.meta;
  return made;
}

void MemFs::touch(Node& node) {
  time_ns_ += 1'000'000;
  node.ctime_ns = options_.clock == nullptr ? time_ns_ : options_.clock->now_ns();
  node.meta.mtime_ns = node.ctime_ns;
}

void MemFs::change_names(ChangeKind kind, std::vector<NameAssignment> assignments) {
  for (const NameAssignment& each : assignments) touch(disk_.node(each.dir));
  disk_.change_names(kind, std::move(assignments));
}

Status MemFs::make_dir(Fd dir, const RelPath& path, uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot spot, find_free(dir, path));
  const NodeId made = make_node(spot.dir, NodeType::kDirectory, mode).id;
  change_names(ChangeKind::kNames, {{spot.dir, spot.name, made}});
  return {};
}

Status MemFs::make_symlink(const std::string& text, Fd dir, const RelPath& path) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot spot, find_free(dir, path));
  if (text.empty())
    return make_error(ErrorCode::kUsage, "the link text is empty", escape(path.str()));
  Node& made = make_node(spot.dir, NodeType::kSymlink, 0777);
  made.link_text = text;
  change_names(ChangeKind::kNames, {{spot.dir, spot.name, made.id}});
  return {};
}

Status MemFs::hard_link(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot source, find_node(from_dir, from));
  ASSIGN_OR_RETURN(const Spot target, find_free(to_dir, to));
  Node& node = disk_.node(source.node);
  if (node.type == NodeType::kDirectory) return failed(EPERM, from.str());
  if (node.immutable) return failed(EPERM, from.str());
  if (node.device != disk_.node(target.dir).device) return failed(EXDEV, to.str());
  change_names(ChangeKind::kNames, {{target.dir, target.name, source.node}});
  return {};
}

bool MemFs::is_beneath(NodeId dir, NodeId ancestor) const {
  while (dir != ancestor && dir != NodeId::kRoot) dir = disk_.node(dir).place.dir;
  return dir == ancestor;
}

// The rules of rename(2) for a target that exists.
Status MemFs::check_replace(const Spot& from, const Spot& to) const {
  const bool moves_directory = disk_.node(from.node).type == NodeType::kDirectory;
  const Node& target = disk_.node(to.node);
  const bool onto_directory = target.type == NodeType::kDirectory;
  if (moves_directory && !onto_directory) return failed(ENOTDIR, to.name);
  if (!moves_directory && onto_directory) return failed(EISDIR, to.name);
  if (onto_directory && !target.names.empty()) return failed(ENOTEMPTY, to.name);
  return {};
}

Status MemFs::rename(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to,
                     fs::RenameMode mode) {
  const std::scoped_lock lock(mutex_);
  if (mode == fs::RenameMode::kExchange && !options_.has_exchange) {
    return failed(EOPNOTSUPP, to.str());
  }
  if (mode == fs::RenameMode::kNoReplace && !options_.has_no_replace) {
    return failed(EOPNOTSUPP, to.str());
  }
  ASSIGN_OR_RETURN(const Spot source, find_node(from_dir, from));
  ASSIGN_OR_RETURN(const Spot target, find(to_dir, to));
  const bool is_absent = target.node == NodeId::kAbsent;
  if (mode == fs::RenameMode::kExchange && is_absent) return failed(ENOENT, to.str());
  if (mode == fs::RenameMode::kNoReplace && !is_absent) return failed(EEXIST, to.str());
  if (disk_.node(source.dir).device != disk_.node(target.dir).device) {
    return failed(EXDEV, to.str());
  }
  RETURN_IF_ERROR(may_change_names(source));
  RETURN_IF_ERROR(may_change_names(target));
  if (source.node == target.node) return {};
  if (disk_.node(target.dir).link_count == 0) return failed(ENOENT, to.str());
  const bool onto_ancestor = !is_absent && is_beneath(source.dir, target.node);
  if (is_beneath(target.dir, source.node) || (onto_ancestor && mode == fs::RenameMode::kExchange)) {
    return failed(EINVAL, to.str());
  }
  if (mode == fs::RenameMode::kExchange) {
    change_names(ChangeKind::kRename,
                 {{source.dir, source.name, target.node}, {target.dir, target.name, source.node}});
    return {};
  }
  if (!is_absent) RETURN_IF_ERROR(check_replace(source, target));
  change_names(ChangeKind::kRename, {{source.dir, source.name, NodeId::kAbsent},
                                     {target.dir, target.name, source.node}});
  return {};
}

Status MemFs::unlink(Fd dir, const RelPath& path) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot spot, find_node(dir, path));
  if (disk_.node(spot.node).type == NodeType::kDirectory) return failed(EISDIR, path.str());
  RETURN_IF_ERROR(may_change_names(spot));
  change_names(ChangeKind::kNames, {{spot.dir, spot.name, NodeId::kAbsent}});
  return {};
}

Status MemFs::remove_dir(Fd dir, const RelPath& path) {
  const std::scoped_lock lock(mutex_);
  ASSIGN_OR_RETURN(const Spot spot, find_node(dir, path));
  const Node& node = disk_.node(spot.node);
  if (node.type != NodeType::kDirectory) return failed(ENOTDIR, path.str());
  RETURN_IF_ERROR(may_change_names(spot));
  if (!node.names.empty()) return failed(ENOTEMPTY, path.str());
  change_names(ChangeKind::kNames, {{spot.dir, spot.name, NodeId::kAbsent}});
  return {};
}

}  // namespace stravinsky::testing
