#include "store/bundle_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "model/component.h"

namespace stravinsky::store {
namespace {

using fs::NodeType;
using fs::RelPath;

bool is_version_file(std::string_view path) {
  return path == "package.json" || path == "pyproject.toml" || path == ".claude-plugin/plugin.json";
}

// The name of a component in the root.
bool is_top(std::string_view name) {
  return std::ranges::any_of(model::components(), [&](const model::Component& component) {
    return !component.top.empty() && component.top == name;
  });
}

bool may_lead_to_files(std::string_view path) {
  const std::string_view top = path.substr(0, path.find('/'));
  return top == ".claude" || is_version_file(path) || is_top(top);
}

// Reads a directory, going only where a layout could be: a checkout may hold a
// hundred thousand files of others beside.
class DirectoryReader {
 public:
  DirectoryReader(fs::FileSystem& fs, fs::Fd root, const BundleLimits& limits)
      : fs_(fs), root_(root), limits_(limits) {}

  Result<RawFiles> run() {
    ASSIGN_OR_RETURN(const auto entries, fs_.list(root_));
    for (const fs::DirEntry& entry : entries) raw_.tops.push_back(entry.name);
    RETURN_IF_ERROR(read_package(root_, ""));
    for (const fs::DirEntry& entry : entries) {
      const bool may_hold_it = entry.name == "package" || entries.size() == 1;
      if (found_tree_ || !may_hold_it || entry.type != NodeType::kDirectory) continue;
      ASSIGN_OR_RETURN(const RelPath name, RelPath::parse(entry.name));
      ASSIGN_OR_RETURN(const fs::File dir,
                       fs::File::open(fs_, root_, name, fs::OpenMode::kDirectory));
      RETURN_IF_ERROR(read_package(dir.fd(), entry.name + "/"));
    }
    return std::move(raw_);
  }

 private:
  // Folders at the top do not count where there is a tree in ".claude": they are
  // the sources of something else then.
  Status read_package(fs::Fd dir, const std::string& prefix) {
    ASSIGN_OR_RETURN(const bool in_folder, has_claude_tree(dir));
    ASSIGN_OR_RETURN(const auto entries, fs_.list(dir));
    for (const fs::DirEntry& entry : entries) {
      const bool is_folder = entry.name == ".claude";
      const bool tells_version = entry.name == ".claude-plugin" || is_version_file(entry.name);
      if (!tells_version && (in_folder ? !is_folder : !is_top(entry.name))) continue;
      found_tree_ = found_tree_ || !tells_version;
      ASSIGN_OR_RETURN(const RelPath path, RelPath::parse(prefix + entry.name));
      RETURN_IF_ERROR(visit(path));
    }
    return {};
  }

  Result<bool> has_claude_tree(fs::Fd dir) {
    const RelPath name = RelPath::of(".claude");
    ASSIGN_OR_RETURN(const auto found, stat_if_present(fs_, dir, name));
    if (!found) return false;
    if (found->type == NodeType::kSymlink)
      return refuse_bundle(".claude", "it is a link, and a bundle must not hold links");
    if (found->type != NodeType::kDirectory) return false;
    ASSIGN_OR_RETURN(const fs::File inner,
                     fs::File::open(fs_, dir, name, fs::OpenMode::kDirectory));
    ASSIGN_OR_RETURN(const auto entries, fs_.list(inner.fd()));
    return std::ranges::any_of(entries,
                               [](const fs::DirEntry& entry) { return is_top(entry.name); });
  }

  static bool is_never_managed(const RelPath& path) {
    const std::string_view text = path.str();
    for (const std::string_view folder : {"/.claude/", ".claude/"}) {
      const size_t at = text.find(folder);
      if (at == std::string_view::npos || (folder.front() != '/' && at != 0)) continue;
      const auto inner = RelPath::parse(text.substr(at + folder.size()));
      if (inner && model::is_excluded(*inner)) return true;
    }
    return false;
  }

  Status visit(const RelPath& path) {
    // Else the todos and projects of a user's own ~/.claude would all be read.
    if (is_never_managed(path)) return {};
    ASSIGN_OR_RETURN(const fs::Stat stat, fs_.stat(root_, path));
    if (stat.type == NodeType::kFile) return read(path, stat);
    if (stat.type != NodeType::kDirectory)
      return refuse_bundle(path.str(), stat.type == NodeType::kSymlink
                                           ? "it is a link, and a bundle must not hold links"
                                           : "it is not an ordinary file");
    ASSIGN_OR_RETURN(const fs::File dir,
                     fs::File::open(fs_, root_, path, fs::OpenMode::kDirectory));
    ASSIGN_OR_RETURN(const auto entries, fs_.list(dir.fd()));
    for (const fs::DirEntry& entry : entries) {
      const auto inner = RelPath::parse(path.str() + "/" + entry.name);
      if (!inner) return refuse_bundle(path.str() + "/" + entry.name, inner.error().message);
      RETURN_IF_ERROR(visit(*inner));
    }
    return {};
  }

  Status read(const RelPath& path, const fs::Stat& stat) {
    if (stat.size_bytes > limits_.file_max_bytes)
      return refuse_bundle(path.str(),
                           fmt::format("it is larger than {}", human_size(limits_.file_max_bytes)));
    total_bytes_ += stat.size_bytes;
    if (raw_.files.size() >= limits_.files_max)
      return refuse_bundle(path.str(), fmt::format("the bundle has more than {} files",
                                                   with_thousands(limits_.files_max)));
    if (total_bytes_ > limits_.total_max_bytes)
      return refuse_bundle(path.str(), fmt::format("the bundle is larger than {}",
                                                   human_size(limits_.total_max_bytes)));
    ASSIGN_OR_RETURN(std::string content, fs::read_file(fs_, root_, path, limits_.file_max_bytes));
    raw_.files.push_back({path, stat.mode, std::move(content)});
    return {};
  }

  fs::FileSystem& fs_;
  fs::Fd root_;
  const BundleLimits& limits_;
  RawFiles raw_;
  bool found_tree_ = false;
  uint64_t total_bytes_ = 0;
};

}  // namespace

bool is_candidate(const RelPath& path) {
  if (may_lead_to_files(path.str())) return true;
  const size_t slash = path.str().find('/');
  return slash != std::string::npos &&
         may_lead_to_files(std::string_view(path.str()).substr(slash + 1));
}

Error refuse_bundle(std::string_view member, std::string rule) {
  return make_error(ErrorCode::kUsage, std::move(rule), escape(member))
      .with_untouched("Nothing was changed.")
      .with_remedy("Do not install this bundle; ask whoever made it.");
}

Result<RawFiles> read_directory(fs::FileSystem& fs, fs::Fd dir, const BundleLimits& limits) {
  return DirectoryReader(fs, dir, limits).run();
}

}  // namespace stravinsky::store
