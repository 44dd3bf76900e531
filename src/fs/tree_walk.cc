#include "fs/tree_walk.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "fs/file.h"

namespace stravinsky::fs {
namespace {

constexpr int kDepthMax = 256;

class Walk {
 public:
  Walk(FileSystem& fs, const WalkFilter& skip, Unreadable unreadable)
      : fs_(fs), skip_(skip), unreadable_(unreadable) {}

  // name in the directory dir; path is where that is in the walk.
  Status visit(Fd dir, const RelPath& name, const RelPath& path, int depth) {
    if (depth > kDepthMax) return too_deep(path);
    ASSIGN_OR_RETURN(const auto found, stat_if_present(fs_, dir, name));
    if (!found || (skip_ && skip_(path, found->type))) return {};
    WalkEntry entry{.path = path, .stat = *found, .link_text = {}};
    if (found->type == NodeType::kSymlink) {
      auto text = fs_.read_link(dir, name);
      if (!text && is_not_found(text.error())) return {};
      if (!text) return std::move(text).error();
      entry.link_text = std::move(*text);
    }
    if (found->type != NodeType::kDirectory) {
      entries_.push_back(std::move(entry));
      return {};
    }
    const size_t index = entries_.size();
    entries_.push_back(std::move(entry));
    Status listed = visit_inner(dir, name, path, depth + 1);
    if (listed) return listed;
    const bool too_deep = std::exchange(is_too_deep_, false);
    const bool known = too_deep || listed.error().code == ErrorCode::kPermission;
    if (!known || unreadable_ == Unreadable::kFail) return listed;
    // What was seen of it before it failed is no list of what is there.
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index) + 1, entries_.end());
    entries_[index].unlisted = true;
    entries_[index].too_deep = too_deep;
    return {};
  }

  // Everything in the directory dir; at is where that is in the walk, null at the top.
  Status visit_all(Fd dir, const RelPath* at, int depth) {
    auto names = fs_.list(dir);
    if (!names && is_not_found(names.error())) return {};  // removed since it was opened
    if (!names) return std::move(names).error();
    for (const DirEntry& entry : *names) {
      ASSIGN_OR_RETURN(const RelPath name, RelPath::parse(entry.name));
      auto path = RelPath::parse(at == nullptr ? entry.name : at->str() + "/" + entry.name);
      if (!path) return too_deep(*at);  // the name alone was good
      RETURN_IF_ERROR(visit(dir, name, *path, depth));
    }
    return {};
  }

  std::vector<WalkEntry> take_sorted() {
    // Not the order of the visits: "a-b" stands between "a" and "a/b".
    std::ranges::sort(entries_, {}, [](const WalkEntry& entry) -> const std::string& {
      return entry.path.str();
    });
    return std::move(entries_);
  }

 private:
  Status visit_inner(Fd dir, const RelPath& name, const RelPath& path, int depth) {
    ASSIGN_OR_RETURN(const auto inner, open_if_present(fs_, dir, name, OpenMode::kDirectory));
    if (!inner) {
      entries_.pop_back();
      return {};
    }
    return visit_all(inner->fd(), &path, depth);
  }

  Error too_deep(const RelPath& path) {
    is_too_deep_ = true;
    return make_error(ErrorCode::kIo, "directories are nested more than 256 levels deep",
                      escape(path.str()));
  }

  FileSystem& fs_;
  const WalkFilter& skip_;
  Unreadable unreadable_;
  bool is_too_deep_ = false;
  std::vector<WalkEntry> entries_;
};

}  // namespace

Result<std::vector<WalkEntry>> walk_tree(FileSystem& fs, Fd dir, const RelPath& start,
                                         const WalkFilter& skip, Unreadable unreadable) {
  Walk walk(fs, skip, unreadable);
  RETURN_IF_ERROR(walk.visit(dir, start, start, 1));
  return walk.take_sorted();
}

Result<std::vector<WalkEntry>> walk_all(FileSystem& fs, Fd dir, const WalkFilter& skip,
                                        Unreadable unreadable) {
  Walk walk(fs, skip, unreadable);
  RETURN_IF_ERROR(walk.visit_all(dir, nullptr, 1));
  return walk.take_sorted();
}

}  // namespace stravinsky::fs
