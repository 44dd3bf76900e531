#include "store/snapshot.h"

#include <algorithm>
#include <functional>

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
    std::ranges::sort(snapshot_.omissions, {}, &Omission::path);
    const auto again = std::ranges::unique(snapshot_.omissions, {}, &Omission::path);
    snapshot_.omissions.erase(again.begin(), again.end());
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
    if (is_wrong) {
      entry.stat.type = NodeType::kOther;
      omit(entry.path, OmissionReason::kSpecial);
    } else if (stat.type == NodeType::kFile && !may_read(entry)) {
      entry.state = EntryState::kSkipped;
      omit(entry.path, OmissionReason::kUnreadable);
    }
    snapshot_.entries.push_back(std::move(entry));
  }

  void add_walked(const Component& component, LogicalPath path, fs::WalkEntry walked,
                  size_t directory) {
    const bool unlisted = walked.unlisted;
    const bool is_deep = walked.too_deep;
    add(component, std::move(path), walked.stat, std::move(walked.link_text), {}, directory,
        std::move(walked.path));
    if (!unlisted) return;
    snapshot_.entries.back().state = EntryState::kSkipped;
    omit(snapshot_.entries.back().path,
         is_deep ? OmissionReason::kTooDeep : OmissionReason::kUnreadable);
  }

  void omit(const LogicalPath& path, OmissionReason reason, std::string leads_to = {}) {
    snapshot_.omissions.push_back({path, reason, std::move(leads_to)});
  }

  // What everybody may read needs no look; any other failure than a refusal is for who
  // reads it in earnest.
  bool may_read(const TreeEntry& entry) const {
    constexpr uint32_t kReadByAll = 0444;
    if ((entry.stat.mode & kReadByAll) == kReadByAll) return true;
    const auto file = fs::File::open(fs_, fd(entry.directory), entry.beneath, fs::OpenMode::kRead);
    return file || file.error().code != ErrorCode::kPermission;
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
    ASSIGN_OR_RETURN(auto walked,
                     fs::walk_tree(fs_, fd(directory), top.path, skip, fs::Unreadable::kMark));
    for (fs::WalkEntry& entry : walked) {
      LogicalPath path{top.scope, entry.path};
      add_walked(component, std::move(path), std::move(entry), directory);
    }
    return {};
  }

  // A path of one component that is a symlink.
  Status scan_link(const Component& component, const LogicalPath& top, const Root& root,
                   size_t directory, const fs::Stat& link) {
    ASSIGN_OR_RETURN(std::string text, fs_.read_link(fd(directory), top.path));
    const auto as_link = [&] {
      add(component, top, link, std::move(text), {}, directory, top.path);
    };
    auto located = locate(fs_, root.path, top.path, allowed_);
    if (!located) return refuse_way(std::move(located).error(), top, as_link);
    Location location = std::move(*located);
    if (location.outside && request_.outside_links == OutsideLinks::kStoreAsLink) {
      omit(top, OmissionReason::kOutsideLink, location.absolute());
      as_link();
      return {};
    }
    const size_t parent = snapshot_.directories.size();
    if (Status opened = open_directory(location.directory, location.hops, location.outside);
        !opened)
      return refuse_way(std::move(opened).error(), top, as_link);
    auto target = stat_if_present(fs_, fd(parent), location.path);
    if (!target) return refuse_way(std::move(target).error(), top, as_link);
    if (!*target) {
      as_link();
      return {};
    }
    const size_t inner = snapshot_.directories.size();
    const bool has_names =
        (*target)->type == NodeType::kDirectory && component.kind == ComponentKind::kArchive;
    if (has_names) {
      if (Status opened = open_directory(location.absolute(), location.hops, location.outside);
          !opened)
        return refuse_way(std::move(opened).error(), top, as_link);
    }
    add(component, top, **target, {}, std::move(text), parent, location.path);
    if (!has_names) return {};
    const auto skip = [&](const RelPath& path, NodeType) {
      return model::is_excluded(top.path / path);
    };
    auto walked = fs::walk_all(fs_, fd(inner), skip, fs::Unreadable::kMark);
    if (!walked) {
      if (walked.error().code != ErrorCode::kPermission) return std::move(walked).error();
      snapshot_.entries.back().state = EntryState::kSkipped;
      omit(top, OmissionReason::kUnreadable, location.absolute());
      return {};
    }
    for (fs::WalkEntry& entry : *walked) {
      LogicalPath path{top.scope, top.path / entry.path};
      add_walked(component, std::move(path), std::move(entry), inner);
    }
    return {};
  }

  // A link whose way cannot be gone: a loop leads nowhere; what may not be entered is
  // not in the backup. The link itself is.
  Status refuse_way(Error error, const LogicalPath& top, const std::function<void()>& as_link) {
    if (error.code == ErrorCode::kPermission) {
      omit(top, OmissionReason::kUnreadable);
    } else if (error.code != ErrorCode::kWrongType) {
      return error;
    }
    as_link();
    return {};
  }

  Status scan_referenced(const LogicalPath& path, const Root& root, size_t directory) {
    const Component* component = model::component_of(path.path);
    if (component == nullptr || component->kind != ComponentKind::kReferenced) return {};
    if (model::is_excluded(path.path)) return {};
    auto located = locate(fs_, root.path, path.path, allowed_);
    if (!located) return refuse_referenced(std::move(located).error(), path);
    Location location = std::move(*located);
    if (!location.hops.empty() && !path.path.has_parent()) {
      ASSIGN_OR_RETURN(const fs::Stat link, fs_.stat(fd(directory), path.path));
      return scan_link(*component, path, root, directory, link);
    }
    if (location.outside && request_.outside_links == OutsideLinks::kStoreAsLink) {
      omit(path, OmissionReason::kOutsideLink, location.absolute());
      return {};
    }
    const size_t parent = snapshot_.directories.size();
    if (Status opened =
            open_directory(location.directory, std::move(location.hops), location.outside);
        !opened)
      return refuse_referenced(std::move(opened).error(), path);
    auto looked = stat_if_present(fs_, fd(parent), location.path);
    if (!looked) return refuse_referenced(std::move(looked).error(), path);
    const auto& found = *looked;
    if (!found || found->type == NodeType::kDirectory) return {};
    std::string text;
    if (found->type == NodeType::kSymlink) {
      ASSIGN_OR_RETURN(text, fs_.read_link(fd(parent), location.path));
    }
    add(*component, path, *found, std::move(text), {}, parent, location.path);
    return {};
  }

  Status refuse_referenced(Error error, const LogicalPath& path) {
    if (error.code == ErrorCode::kWrongType) return {};  // a loop, or through a file
    if (error.code != ErrorCode::kPermission) return error;
    omit(path, OmissionReason::kUnreadable);
    return {};
  }

  fs::FileSystem& fs_;
  const SnapshotRequest& request_;
  std::vector<std::string> allowed_;
  Snapshot snapshot_;
};

}  // namespace

std::string_view omission_reason_name(OmissionReason reason) {
  switch (reason) {
    case OmissionReason::kOutsideLink:
      return "outside_link";
    case OmissionReason::kUnreadable:
      return "unreadable";
    case OmissionReason::kTooDeep:
      return "too_deep";
    case OmissionReason::kSpecial:
      return "special";
  }
  return "unreadable";
}

std::string Omission::to_string() const {
  const std::string what = path.display();
  switch (reason) {
    case OmissionReason::kOutsideLink:
      return what + " is not in the backup: it is a link that leads to " + escape(leads_to) +
             ", outside the home and the project; to include it, add --follow-outside-links";
    case OmissionReason::kUnreadable:
      return what + " is not in the backup: you may not read " +
             (leads_to.empty() ? std::string("it") : escape(leads_to)) +
             "; it is left alone, also by a way back";
    case OmissionReason::kTooDeep:
      return what + " is not in the backup: its directories are nested too deep";
    case OmissionReason::kSpecial:
      return what + " is not in the backup: it is no file, link or directory of its kind";
  }
  return what + " is not in the backup";
}

bool Snapshot::is_unreadable(const LogicalPath& path) const {
  return std::ranges::any_of(omissions, [&](const Omission& omission) {
    return (omission.reason == OmissionReason::kUnreadable ||
            omission.reason == OmissionReason::kTooDeep) &&
           omission.path.scope == path.scope && path.path.starts_with(omission.path.path);
  });
}

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
