#include "store/location.h"

#include <deque>

#include "base/check.h"
#include "base/strings.h"
#include "fs/file.h"

namespace stravinsky::store {
namespace {

using fs::NodeType;
using fs::RelPath;

enum class Origin { kPath, kLink };

struct Part {
  std::string name;
  Origin origin;
};

std::string join(const std::string& directory, std::string_view name) {
  return (directory == "/" ? "" : directory) + "/" + std::string(name);
}

// Walks one path; `here_` is always a real directory.
class Resolver {
 public:
  Resolver(fs::FileSystem& fs, std::string root, const RelPath& path)
      : fs_(fs), here_(root), anchor_(std::move(root)), path_(path) {
    for (const std::string_view name : path.components())
      pending_.push_back({std::string(name), Origin::kPath});
  }

  Result<Location> run() {
    while (!pending_.empty()) {
      Part part = std::move(pending_.front());
      pending_.pop_front();
      if (part.name.empty() || part.name == ".") continue;
      if (part.name == "..") {  // out of a link's text alone
        here_ = parent_of(here_);
        continue;
      }
      ASSIGN_OR_RETURN(const bool found, step(part));
      if (found) return finish(part);
    }
    // The text of the last link ended in "." or "..".
    if (here_ == "/") return error("the link leads to the root of the file system");
    const std::string name = here_.substr(here_.rfind('/') + 1);
    here_ = parent_of(here_);
    return finish({name, Origin::kLink});
  }

 private:
  // True when part is the last one to look at.
  Result<bool> step(const Part& part) {
    ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(fs_, here_));
    ASSIGN_OR_RETURN(const RelPath name, RelPath::parse(part.name));
    ASSIGN_OR_RETURN(const auto found, stat_if_present(fs_, dir.fd(), name));
    if (!found) return true;
    const bool is_managed_link =
        pending_.empty() && part.origin == Origin::kPath && path_.has_parent();
    if (found->type == NodeType::kSymlink && !is_managed_link) {
      ASSIGN_OR_RETURN(const std::string text, fs_.read_link(dir.fd(), name));
      RETURN_IF_ERROR(follow(part.name, text));
      return false;
    }
    if (pending_.empty()) return true;
    if (found->type != NodeType::kDirectory) return error("a part of the path is not a directory");
    here_ = join(here_, part.name);
    if (part.origin == Origin::kPath) {
      tail_.push_back(part.name);
    } else {
      anchor_ = here_;
    }
    return false;
  }

  Status follow(const std::string& name, const std::string& text) {
    hops_.push_back({.directory = here_, .name = name, .text = text});
    if (hops_.size() > kLinkHopsMax) return error("too many links, or links in a circle");
    if (text.starts_with('/')) here_ = "/";
    anchor_ = here_;
    tail_.clear();
    const auto parts = split(text, '/');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part)
      pending_.push_front({std::string(*part), Origin::kLink});
    return {};
  }

  Result<Location> finish(const Part& last) {
    std::string text;
    const bool by_link = last.origin == Origin::kLink;
    if (!by_link)
      for (const std::string& name : tail_) text += name + "/";
    text += last.name;
    for (const Part& part : pending_) text += "/" + part.name;
    auto path = RelPath::parse(text);  // ".." behind an absent name is refused here
    if (!path) return error("a link leads through a directory that is not there");
    return Location{.directory = by_link || tail_.empty() ? here_ : anchor_,
                    .path = std::move(*path),
                    .hops = std::move(hops_)};
  }

  Error error(std::string message) const {
    return make_error(ErrorCode::kWrongType, std::move(message), escape(path_.str()))
        .with_untouched("Nothing was changed.")
        .with_remedy("Look at the links on the way: ls -l " + shell_quote(here_));
  }

  fs::FileSystem& fs_;
  std::string here_;
  std::string anchor_;             // the directory that tail_ is beneath
  std::vector<std::string> tail_;  // parts of the path itself since the last link
  const RelPath& path_;
  std::deque<Part> pending_;
  std::vector<LinkHop> hops_;
};

// The location of a path whose root is absent.
Result<Location> locate_absent(fs::FileSystem& fs, const std::string& root, const RelPath& path) {
  std::string directory = root;
  std::string tail = path.str();
  while (directory != "/") {
    tail.insert(0, directory.substr(directory.rfind('/') + 1) + "/");
    directory = parent_of(directory);
    const auto opened = fs::File::open_root(fs, directory);
    if (!opened && !is_not_found(opened.error())) return Error(opened.error());
    if (!opened) continue;
    ASSIGN_OR_RETURN(RelPath whole, RelPath::parse(tail));
    return Location{.directory = directory, .path = std::move(whole)};
  }
  return make_error(ErrorCode::kNotFound, "no directory of this path exists", escape(root));
}

}  // namespace

std::string parent_of(const std::string& absolute) {
  const size_t slash = absolute.rfind('/');
  return slash == 0 ? "/" : absolute.substr(0, slash);
}

bool is_beneath(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path == directory || (path.size() > directory.size() && path.starts_with(directory) &&
                               path[directory.size()] == '/');
}

Result<Location> locate(fs::FileSystem& fs, const std::string& root, const RelPath& path,
                        std::span<const std::string> allowed_roots) {
  CHECK(root.starts_with('/'));
  const auto dir = fs::File::open_root(fs, root);
  if (!dir && is_not_found(dir.error())) return locate_absent(fs, root, path);
  if (!dir) return Error(dir.error());
  // Most paths have no link in them, and one call tells.
  const auto found = fs.stat(dir->fd(), path);
  const bool plain =
      found ? found->type != NodeType::kSymlink || path.has_parent() : is_not_found(found.error());
  if (plain) return Location{.directory = root, .path = path};
  if (!found && found.error().code != ErrorCode::kWrongType) return Error(found.error());

  ASSIGN_OR_RETURN(Location location, Resolver(fs, root, path).run());
  location.outside = true;
  for (const std::string& allowed : allowed_roots)
    if (is_beneath(location.directory, allowed)) location.outside = false;
  return location;
}

Result<std::string> real_path(fs::FileSystem& fs, const std::string& absolute) {
  if (!absolute.starts_with('/'))
    return make_error(ErrorCode::kUsage, "not an absolute path", escape(absolute));
  auto dir = fs::File::open_root(fs, absolute);
  if (dir) return fs.path_of(dir->fd());
  if (!is_not_found(dir.error())) return std::move(dir).error();
  const size_t end = absolute.find_last_not_of('/');
  if (end == std::string::npos) return std::move(dir).error();
  const std::string trimmed = absolute.substr(0, end + 1);
  ASSIGN_OR_RETURN(const std::string parent, real_path(fs, parent_of(trimmed)));
  ASSIGN_OR_RETURN(const RelPath name, RelPath::parse(trimmed.substr(trimmed.rfind('/') + 1)));
  if (const auto above = fs::File::open_root(fs, parent); above) {
    ASSIGN_OR_RETURN(const auto found, stat_if_present(fs, above->fd(), name));
    if (found && found->type == NodeType::kSymlink)
      return make_error(ErrorCode::kWrongType, "the link leads to nothing", escape(trimmed))
          .with_untouched("Nothing was changed.")
          .with_remedy("Remove the link or make the directory it names.");
  }
  return join(parent, name.str());
}

}  // namespace stravinsky::store
