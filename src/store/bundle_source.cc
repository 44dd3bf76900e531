#include "store/bundle_source.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/strings.h"
#include "model/component.h"

namespace stravinsky::store {
namespace {

using fs::NodeType;
using fs::RelPath;

class DirectorySource final : public BundleSource {
 public:
  DirectorySource(fs::FileSystem& fs, fs::Fd root, const BundleLimits& limits)
      : fs_(fs), root_(root), limits_(limits) {}

  Result<std::vector<fs::DirEntry>> list(const std::string& dir) override {
    if (dir.empty()) return fs_.list(root_);
    ASSIGN_OR_RETURN(const auto path, RelPath::parse(dir));
    ASSIGN_OR_RETURN(const auto found, find(path));
    if (!found || found->type != NodeType::kDirectory) return std::vector<fs::DirEntry>();
    ASSIGN_OR_RETURN(const fs::File opened,
                     fs::File::open(fs_, root_, path, fs::OpenMode::kDirectory));
    return fs_.list(opened.fd());
  }

  Result<std::optional<RawFile>> read(const std::string& text) override {
    ASSIGN_OR_RETURN(const auto path, RelPath::parse(text));
    ASSIGN_OR_RETURN(const auto found, find(path));
    if (!found || found->type != NodeType::kFile) return std::nullopt;
    ASSIGN_OR_RETURN(RawFile file, read_file(path, *found));
    return file;
  }

  Status collect(const std::string& path, const std::string& root,
                 std::vector<RawFile>& files) override {
    if (path.empty()) return collect_children(path, root, files);
    ASSIGN_OR_RETURN(const RelPath start, RelPath::parse(path));
    return visit(start, root, files);
  }

 private:
  // nullopt for a path that is not there, or would be beneath a file.
  Result<std::optional<fs::Stat>> find(const RelPath& path) {
    auto found = stat_if_present(fs_, root_, path);
    if (found || found.error().code != ErrorCode::kWrongType) return found;
    if (found.error().sys_errno == ENOTDIR) return std::nullopt;
    return refuse_link((path.has_parent() ? path.parent() : path).str());
  }

  Status collect_children(const std::string& dir, const std::string& root,
                          std::vector<RawFile>& files) {
    ASSIGN_OR_RETURN(const auto entries, list(dir));
    for (const fs::DirEntry& entry : entries) {
      const std::string text = join_path(dir, entry.name);
      const auto path = RelPath::parse(text);
      if (!path) return refuse_bundle(text, path.error().message);
      RETURN_IF_ERROR(visit(*path, root, files));
    }
    return {};
  }

  Status visit(const RelPath& path, const std::string& root, std::vector<RawFile>& files) {
    if (is_never_managed(path, root)) return {};
    if (path.components().size() > limits_.depth_max)
      return refuse_bundle(path.str(), "its directories are nested too deeply");
    if (++visited_ > limits_.files_max)
      return refuse_bundle(path.str(), fmt::format("the bundle has more than {} files",
                                                   with_thousands(limits_.files_max)));
    ASSIGN_OR_RETURN(const fs::Stat stat, fs_.stat(root_, path));
    switch (stat.type) {
      case NodeType::kDirectory:
        return collect_children(path.str(), root, files);
      case NodeType::kSymlink:
        return refuse_link(path.str());
      case NodeType::kOther:
        return refuse_special(path.str());
      case NodeType::kFile:
        break;
    }
    ASSIGN_OR_RETURN(RawFile file, read_file(path, stat));
    files.push_back(std::move(file));
    return {};
  }

  Result<RawFile> read_file(const RelPath& path, const fs::Stat& stat) {
    if (stat.size_bytes > limits_.file_max_bytes)
      return refuse_bundle(path.str(),
                           fmt::format("it is larger than {}", human_size(limits_.file_max_bytes)));
    total_bytes_ += stat.size_bytes;
    if (total_bytes_ > limits_.total_max_bytes)
      return refuse_bundle(path.str(), fmt::format("the bundle is larger than {}",
                                                   human_size(limits_.total_max_bytes)));
    ASSIGN_OR_RETURN(std::string content, fs::read_file(fs_, root_, path, limits_.file_max_bytes));
    return RawFile{.path = path, .mode = stat.mode, .content = std::move(content)};
  }

  fs::FileSystem& fs_;
  fs::Fd root_;
  const BundleLimits& limits_;
  uint64_t visited_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace

std::unique_ptr<BundleSource> directory_source(fs::FileSystem& fs, fs::Fd dir,
                                               const BundleLimits& limits) {
  return std::make_unique<DirectorySource>(fs, dir, limits);
}

bool is_never_managed(const fs::RelPath& path, const std::string& root) {
  if (path.str().size() <= root.size() || !path.str().starts_with(root)) return false;
  const auto inner =
      RelPath::parse(std::string_view(path.str()).substr(root.empty() ? 0 : root.size() + 1));
  return inner && model::is_excluded(*inner);
}

Error refuse_bundle(std::string_view member, std::string rule) {
  return make_error(ErrorCode::kCorrupt, std::move(rule), escape(member))
      .with_untouched("Nothing was changed.")
      .with_remedy("Do not install this bundle; ask whoever made it.");
}

Error refuse_link(std::string_view member) {
  return refuse_bundle(member, "it is a link, and a bundle must not hold links");
}

Error refuse_hard_link(std::string_view member) {
  return refuse_bundle(member, "it is a hard link, and a bundle must not hold links");
}

Error refuse_special(std::string_view member) {
  return refuse_bundle(member, "it is a device, a FIFO or a socket");
}

Error no_archive() {
  return make_error(ErrorCode::kCorrupt, "not a .tar.gz, .tar.zst or .zip archive")
      .with_untouched("Nothing was changed.")
      .with_remedy("Get the bundle again and compare its checksum.");
}

bool brings_what_lies_beside(std::string_view top) {
  return !top.starts_with('.') && top != "node_modules";
}

std::string join_path(const std::string& dir, std::string_view name) {
  return dir.empty() ? std::string(name) : dir + "/" + std::string(name);
}

}  // namespace stravinsky::store
