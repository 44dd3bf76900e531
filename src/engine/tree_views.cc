#include "engine/tree_views.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "engine/present_tree.h"
#include "fs/file.h"
#include "fs/tree_walk.h"

namespace stravinsky::engine {
namespace {

using checks::FileView;
using model::ImageKind;
using model::LogicalPath;
using model::Scope;

constexpr int kLinkHopsMax = 40;

struct RealName {
  fs::File dir;
  fs::RelPath name;
};

// The directory and name that a path leads to once every link is followed; nullopt
// when a link leads nowhere, or in a circle, or the directory is not there.
Result<std::optional<RealName>> resolve(fs::FileSystem& fs, std::string absolute) {
  for (int hop = 0; hop <= kLinkHopsMax; ++hop) {
    const size_t slash = absolute.rfind('/');
    const std::string parent = slash == 0 ? "/" : absolute.substr(0, slash);
    const auto name = fs::RelPath::parse(absolute.substr(slash + 1));
    if (!name) break;  // a link to "..", "/" or a name with a slash behind: no file
    auto dir = fs::File::open_root(fs, parent);
    if (!dir) {
      if (is_not_found(dir.error()) || dir.error().code == ErrorCode::kWrongType) break;
      return std::move(dir).error();
    }
    ASSIGN_OR_RETURN(const auto stat, fs::stat_if_present(fs, dir->fd(), *name));
    if (!stat) break;
    if (stat->type != fs::NodeType::kSymlink)
      return std::optional<RealName>(RealName{std::move(*dir), *name});
    ASSIGN_OR_RETURN(const std::string text, fs.read_link(dir->fd(), *name));
    absolute = text.starts_with('/') ? text : parent + "/" + text;
  }
  return std::optional<RealName>();
}

// Where a path of directories ends up; empty when it is not there.
std::string real_directory(fs::FileSystem& fs, const std::string& absolute) {
  const auto dir = fs::File::open_root(fs, absolute);
  if (!dir) return {};
  const auto path = fs.path_of(dir->fd());
  return path ? *path : std::string();
}

}  // namespace

// With CLAUDE_CONFIG_DIR elsewhere, ~/.claude is another directory, unless it is a link to
// the same one: most packages write ~/.claude in their commands, and mean that.
LiveView::LiveView(fs::FileSystem& fs, const store::Roots& roots, model::HookRoots hook_roots,
                   const KnownTree* known)
    : fs_(fs), roots_(roots), hook_roots_(std::move(hook_roots)), known_(known) {
  std::string usual = hook_roots_.home + "/.claude";
  if (hook_roots_.home.empty() || usual == hook_roots_.user_root) return;
  if (roots_.user.exists && real_directory(fs_, usual) == roots_.user.path)
    hook_roots_.user_root_aliases.push_back(std::move(usual));
}

bool LiveView::exists_outside(const std::string& absolute) const {
  const auto real = resolve(fs_, absolute);
  return !real || real->has_value();
}

bool LiveView::is_dangling(const LogicalPath& path) const {
  const store::Root* root = roots_.of(path.scope);
  if (root == nullptr) return false;
  const auto dir = fs::File::open_root(fs_, root->path);
  if (!dir) return false;
  const auto stat = fs::stat_if_present(fs_, dir->fd(), path.path);
  if (!stat || !*stat || (*stat)->type != fs::NodeType::kSymlink) return false;
  const auto real = resolve(fs_, root->path + "/" + path.path.str());
  return real && !real->has_value();
}

Result<std::optional<FileView>> LiveView::find(const LogicalPath& path) const {
  const store::Root* root = roots_.of(path.scope);
  if (root == nullptr) return std::optional<FileView>();
  const std::string absolute = root->path + "/" + path.path.str();
  ASSIGN_OR_RETURN(const auto real, resolve(fs_, absolute));
  if (!real) return std::optional<FileView>();
  ASSIGN_OR_RETURN(const auto stat, fs::stat_if_present(fs_, real->dir.fd(), real->name));
  if (!stat) return std::optional<FileView>();
  FileView view;
  view.type = stat->type;
  view.mode = stat->mode;
  view.size_bytes = stat->size_bytes;
  if (known_ != nullptr) {
    const auto known = known_->find(path);
    if (known != known_->end() && known->second.kind == ImageKind::kFile)
      view.sha256 = known->second.sha256;
  }
  view.read = [&fs = fs_, absolute]() -> Result<std::string> {
    ASSIGN_OR_RETURN(const auto again, resolve(fs, absolute));
    if (!again) return make_error(ErrorCode::kNotFound, "vanished", absolute);
    return fs::read_file(fs, again->dir.fd(), again->name, kSettingsMaxBytes);
  };
  return std::optional<FileView>(std::move(view));
}

Result<std::vector<LogicalPath>> LiveView::files_beneath(Scope scope,
                                                         const std::string& directory) const {
  std::vector<LogicalPath> paths;
  const store::Root* root = roots_.of(scope);
  if (root == nullptr) return paths;
  ASSIGN_OR_RETURN(const fs::RelPath start, fs::RelPath::parse(directory));
  ASSIGN_OR_RETURN(const auto real, resolve(fs_, root->path + "/" + directory));
  if (!real) return paths;
  // The walk's names begin with the name that the directory really has.
  const std::string prefix = real->name.str();
  const auto logical = [&](const fs::RelPath& path) {
    return start / fs::RelPath::of(path.str().substr(prefix.size() + 1));
  };
  const auto skip = [&](const fs::RelPath& path, fs::NodeType) {
    return path != real->name && model::is_excluded(logical(path));
  };
  // What cannot be listed is told with the backup, and is nothing for a check.
  ASSIGN_OR_RETURN(const auto entries,
                   fs::walk_tree(fs_, real->dir.fd(), real->name, skip, fs::Unreadable::kMark));
  for (const fs::WalkEntry& entry : entries) {
    if (entry.path != real->name && entry.stat.type == fs::NodeType::kFile)
      paths.push_back({scope, logical(entry.path)});
  }
  return paths;
}

Result<std::optional<FileView>> EditedView::find(const LogicalPath& path) const {
  const auto edit = edits_.find(path);
  if (edit == edits_.end()) return live_.find(path);
  const model::Image& after = edit->second.after;
  FileView view;
  switch (after.kind) {
    case ImageKind::kAbsent:
      // A directory only goes when it is empty; the files in it are edits as well.
      return std::optional<FileView>();
    case ImageKind::kSymlink:
      return live_.find(path);
    case ImageKind::kDirectory:
      view.type = fs::NodeType::kDirectory;
      break;
    case ImageKind::kFile:
      break;
  }
  view.mode = after.mode;
  view.size_bytes = after.size_bytes;
  if (after.kind == ImageKind::kFile) view.sha256 = after.sha256;
  view.read = [&bytes = edit->second.bytes]() -> Result<std::string> {
    if (!bytes) return make_error(ErrorCode::kWrongType, "is not a file");
    std::string text;
    RETURN_IF_ERROR(bytes([&](std::span<const std::byte> piece) -> Status {
      text += as_text(piece);
      return {};
    }));
    return text;
  };
  return std::optional<FileView>(std::move(view));
}

Result<std::vector<LogicalPath>> EditedView::files_beneath(Scope scope,
                                                           const std::string& directory) const {
  ASSIGN_OR_RETURN(const auto live, live_.files_beneath(scope, directory));
  std::set<LogicalPath> paths(live.begin(), live.end());
  ASSIGN_OR_RETURN(const fs::RelPath start, fs::RelPath::parse(directory));
  for (const auto& [path, edit] : edits_) {
    if (path.scope != scope || !path.path.starts_with(start) || path.path == start) continue;
    if (edit.after.kind == ImageKind::kFile) {
      paths.insert(path);
    } else {
      paths.erase(path);
    }
  }
  return std::vector<LogicalPath>(paths.begin(), paths.end());
}

std::optional<bool> EditedView::is_edited(const LogicalPath& path) const {
  return edits_.contains(path);
}

std::optional<bool> EditedView::is_edited_beneath(Scope scope, const std::string& directory) const {
  const auto head = fs::RelPath::parse(directory);
  if (!head) return std::nullopt;
  return std::ranges::any_of(edits_, [&](const auto& edit) {
    return edit.first.scope == scope && edit.first.path.starts_with(*head);
  });
}

}  // namespace stravinsky::engine
