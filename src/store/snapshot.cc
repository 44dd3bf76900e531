#include "store/snapshot.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "fs/tree_walk.h"

namespace stravinsky::store {
namespace {

using fs::NodeType;
using fs::RelPath;
using model::Component;
using model::ComponentKind;
using model::EntryState;
using model::LogicalPath;
using model::Scope;

class Scan {
 public:
  Scan(fs::FileSystem& fs, const SnapshotRequest& request)
      : fs_(fs), request_(request), allowed_(request.roots.allowed()) {
    snapshot_.roots = request.roots;
  }

  Status scan_root(Scope scope, const Root& root) {
    const size_t first = snapshot_.directories.size();
    if (root.exists) RETURN_IF_ERROR(open_directory(root.path, {}, false));
    for (const Component& component : model::components()) {
      if (component.kind == ComponentKind::kReferenced) continue;
      const LogicalPath top{scope, RelPath::of(component.top)};
      if (!root.exists) {
        add_absent(component, top);
      } else {
        RETURN_IF_ERROR_WHILE(scan_top(component, top, root, first),
                              "while listing " + top.display());
      }
    }
    for (const LogicalPath& path : request_.referenced)
      if (path.scope == scope && root.exists)
        RETURN_IF_ERROR_WHILE(scan_referenced(path, root, first),
                              "while looking at " + path.display());
    return {};
  }

  Snapshot take() {
    std::ranges::sort(snapshot_.entries, {}, &TreeEntry::path);
    const auto rest = std::ranges::unique(snapshot_.entries, {}, &TreeEntry::path);
    snapshot_.entries.erase(rest.begin(), rest.end());
    return std::move(snapshot_);
  }

 private:
  fs::Fd fd(size_t directory) const { return snapshot_.directories[directory].file.fd(); }

  Status open_directory(const std::string& path, std::vector<LinkHop> hops, bool outside) {
    ASSIGN_OR_RETURN(fs::File file, fs::File::open_root(fs_, path));
    snapshot_.directories.push_back({std::move(file), path, std::move(hops), outside});
    return {};
  }

  void add_absent(const Component& component, const LogicalPath& path) {
    snapshot_.entries.push_back({.component = &component,
                                 .path = path,
                                 .state = EntryState::kAbsent,
                                 .beneath = path.path});
  }

  // The stat decides what kind of entry it is.
  void add(const Component& component, LogicalPath path, const fs::Stat& stat,
           std::string link_text, std::string via_link, size_t directory, RelPath beneath) {
    const bool is_wrong =
        stat.type == NodeType::kOther ||
        (component.kind == ComponentKind::kFile && stat.type == NodeType::kDirectory);
    TreeEntry entry{.component = &component,
                    .path = std::move(path),
                    .state = is_wrong ? EntryState::kSkipped : EntryState::kStored,
                    .stat = stat,
                    .link_text = std::move(link_text),
                    .via_link = std::move(via_link),
                    .directory = directory,
                    .beneath = std::move(beneath)};
    if (is_wrong) entry.stat.type = NodeType::kOther;
    snapshot_.entries.push_back(std::move(entry));
  }

  Status scan_top(const Component& component, const LogicalPath& top, const Root& root,
                  size_t directory) {
    ASSIGN_OR_RETURN(const auto found, stat_if_present(fs_, fd(directory), top.path));
    if (!found) {
      add_absent(component, top);
      return {};
    }
    if (found->type == NodeType::kSymlink)
      return scan_link(component, top, root, directory, *found);
    if (found->type != NodeType::kDirectory || component.kind == ComponentKind::kFile) {
      add(component, top, *found, {}, {}, directory, top.path);
      return {};
    }
    const auto skip = [](const RelPath& path, NodeType) { return model::is_excluded(path); };
    ASSIGN_OR_RETURN(auto walked, fs::walk_tree(fs_, fd(directory), top.path, skip));
    for (fs::WalkEntry& entry : walked)
      add(component, {top.scope, entry.path}, entry.stat, std::move(entry.link_text), {}, directory,
          entry.path);
    return {};
  }

  // A path of one component that is a symlink.
  Status scan_link(const Component& component, const LogicalPath& top, const Root& root,
                   size_t directory, const fs::Stat& link) {
    ASSIGN_OR_RETURN(std::string text, fs_.read_link(fd(directory), top.path));
    ASSIGN_OR_RETURN(Location location, locate(fs_, root.path, top.path, allowed_));
    const bool refused = location.outside && request_.outside_links == OutsideLinks::kStoreAsLink;
    const size_t parent = snapshot_.directories.size();
    RETURN_IF_ERROR(open_directory(location.directory, location.hops, location.outside));
    ASSIGN_OR_RETURN(const auto target, stat_if_present(fs_, fd(parent), location.path));
    if (refused || !target) {
      add(component, top, link, std::move(text), {}, directory, top.path);
      return {};
    }
    add(component, top, *target, {}, std::move(text), parent, location.path);
    if (target->type != NodeType::kDirectory || component.kind != ComponentKind::kArchive)
      return {};

    const size_t inner = snapshot_.directories.size();
    RETURN_IF_ERROR(
        open_directory(location.absolute(), std::move(location.hops), location.outside));
    const auto skip = [&](const RelPath& path, NodeType) {
      return model::is_excluded(top.path / path);
    };
    ASSIGN_OR_RETURN(auto walked, fs::walk_all(fs_, fd(inner), skip));
    for (fs::WalkEntry& entry : walked)
      add(component, {top.scope, top.path / entry.path}, entry.stat, std::move(entry.link_text), {},
          inner, entry.path);
    return {};
  }

  Status scan_referenced(const LogicalPath& path, const Root& root, size_t directory) {
    const Component* component = model::component_of(path.path);
    if (component == nullptr || component->kind != ComponentKind::kReferenced) return {};
    if (model::is_excluded(path.path)) return {};
    ASSIGN_OR_RETURN(Location location, locate(fs_, root.path, path.path, allowed_));
    if (!location.hops.empty() && !path.path.has_parent()) {
      ASSIGN_OR_RETURN(const fs::Stat link, fs_.stat(fd(directory), path.path));
      return scan_link(*component, path, root, directory, link);
    }
    if (location.outside && request_.outside_links == OutsideLinks::kStoreAsLink) return {};
    const size_t parent = snapshot_.directories.size();
    RETURN_IF_ERROR(open_directory(location.directory, std::move(location.hops), location.outside));
    ASSIGN_OR_RETURN(const auto found, stat_if_present(fs_, fd(parent), location.path));
    if (!found || found->type == NodeType::kDirectory) return {};
    std::string text;
    if (found->type == NodeType::kSymlink) {
      ASSIGN_OR_RETURN(text, fs_.read_link(fd(parent), location.path));
    }
    add(*component, path, *found, std::move(text), {}, parent, location.path);
    return {};
  }

  fs::FileSystem& fs_;
  const SnapshotRequest& request_;
  std::vector<std::string> allowed_;
  Snapshot snapshot_;
};

}  // namespace

const TreeEntry* Snapshot::find(const LogicalPath& path) const {
  const auto at = std::ranges::lower_bound(entries, path, {}, &TreeEntry::path);
  return at != entries.end() && at->path == path ? &*at : nullptr;
}

Location Snapshot::location_of(const TreeEntry& entry) const {
  CHECK(entry.state != EntryState::kAbsent);
  const SnapshotDirectory& directory = directories[entry.directory];
  return Location{.directory = directory.path,
                  .path = entry.beneath,
                  .hops = directory.hops,
                  .outside = directory.outside};
}

uint64_t Snapshot::content_bytes() const {
  uint64_t bytes = 0;
  for (const TreeEntry& entry : entries)
    if (entry.state == EntryState::kStored && entry.stat.type == NodeType::kFile)
      bytes += entry.stat.size_bytes;
  return bytes;
}

Result<Snapshot> take_snapshot(fs::FileSystem& fs, const SnapshotRequest& request) {
  Scan scan(fs, request);
  RETURN_IF_ERROR(scan.scan_root(Scope::kUser, request.roots.user));
  if (request.roots.project)
    RETURN_IF_ERROR(scan.scan_root(Scope::kProject, *request.roots.project));
  return scan.take();
}

}  // namespace stravinsky::store
