#include "store/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/check.h"
#include "base/strings.h"
#include "fs/file.h"
#include "model/component.h"
#include "store/bundle_identity.h"
#include "store/bundle_manifest.h"
#include "store/bundle_names.h"
#include "store/bundle_plugin.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;

constexpr uint32_t kModeMask = 0755;
constexpr uint32_t kModeAlways = 0600;
constexpr uint32_t kSetIdBits = 06000;

struct Tree {
  std::vector<RawFile> sources;  // as they lie in the source, if they are asked for
  std::vector<RawFile> files;    // with their paths in the root
};

// nullptr for what an update must not bring.
const model::Component* component_for(const RelPath& path, LayoutKind kind) {
  if (model::is_excluded(path)) return nullptr;
  const model::Component* component = model::component_of(path);
  if (component == nullptr) return nullptr;
  // The user's own, by its name; and the notes of a package's authors to themselves.
  if (component->name == "settings.local") return nullptr;
  if (component->name == "CLAUDE.md" && kind == LayoutKind::kFolders) return nullptr;
  return component;
}

bool names(std::string_view settings, const std::string& path) {
  return settings.find(".claude/" + path) != std::string_view::npos;
}

// What a layout may use, with its paths in the source.
Result<std::vector<RawFile>> collect_tree(BundleSource& source, const BundleLayout& layout) {
  std::vector<RawFile> files;
  if (layout.kind != LayoutKind::kFolders) {
    RETURN_IF_ERROR(source.collect(layout.root, layout.root, files));
    return files;
  }
  // Beside the folders of a tree may lie a whole checkout.
  ASSIGN_OR_RETURN(const auto entries, source.list(layout.root));
  ASSIGN_OR_RETURN(const auto settings, source.read(join_path(layout.root, "settings.json")));
  const auto is_named = [&](const fs::DirEntry& entry) {
    return settings &&
           names(settings->content,
                 entry.type == fs::NodeType::kDirectory ? entry.name + "/" : entry.name);
  };
  for (const fs::DirEntry& entry : entries)
    if (is_tree_top(entry.name) || is_named(entry))
      RETURN_IF_ERROR(source.collect(join_path(layout.root, entry.name), layout.root, files));
  return files;
}

Result<std::vector<RawFile>> choose_files(std::vector<RawFile> sources, const BundleLayout& layout,
                                          std::vector<std::string>& warnings) {
  const size_t prefix = layout.root.empty() ? 0 : layout.root.size() + 1;
  const std::string settings_path = join_path(layout.root, "settings.json");
  std::string settings;
  for (const RawFile& file : sources)
    if (file.path.str() == settings_path) settings = file.content;
  std::set<std::string, std::less<>> helper_tops;
  for (const RawFile& file : sources) {
    const std::string path = file.path.str().substr(prefix);
    const std::string top = path.substr(0, path.find('/'));
    if (top != path && brings_what_lies_beside(top) && names(settings, path))
      helper_tops.insert(top);
  }
  std::vector<RawFile> files;
  for (RawFile& file : sources) {
    ASSIGN_OR_RETURN(RelPath path,
                     RelPath::parse(std::string_view(file.path.str()).substr(prefix)));
    const model::Component* component = component_for(path, layout.kind);
    if (component == nullptr) {
      warnings.push_back(escape(path.str()) + " is never managed and was passed over");
      continue;
    }
    const bool is_named =
        helper_tops.contains(path.components().front()) || names(settings, path.str());
    if (component->kind == model::ComponentKind::kReferenced && !is_named) {
      warnings.push_back(escape(path.str()) + " belongs to no component and was passed over");
      continue;
    }
    files.push_back(
        {.path = std::move(path), .mode = file.mode, .content = std::move(file.content)});
  }
  return files;
}

Status check_manifest(BundleSource& source, const BundleLayout& layout,
                      const std::vector<RawFile>& sources) {
  for (const std::string& dir : dir_and_above(layout.package)) {
    ASSIGN_OR_RETURN(const auto manifest, source.read(join_path(dir, kBundleManifestName)));
    if (manifest) return check_bundle_manifest(source, dir, manifest->content, sources);
  }
  return {};
}

Result<Tree> read_tree(BundleSource& source, const BundleLayout& layout,
                       const BundleOptions& options, std::vector<std::string>& warnings) {
  Tree tree;
  if (layout.kind == LayoutKind::kPlugin) {
    ASSIGN_OR_RETURN(PluginTree plugin, read_plugin(source, layout.root, options.root_in_commands));
    RETURN_IF_ERROR(check_manifest(source, layout, plugin.sources));
    warnings.insert(warnings.end(), plugin.warnings.begin(), plugin.warnings.end());
    std::erase_if(plugin.files, [&](const RawFile& file) {
      if (component_for(file.path, layout.kind) != nullptr) return false;
      warnings.push_back(escape(file.path.str()) + " is never managed and was passed over");
      return true;
    });
    tree.files = std::move(plugin.files);
    tree.sources = std::move(plugin.sources);
  } else {
    ASSIGN_OR_RETURN(std::vector<RawFile> sources, collect_tree(source, layout));
    RETURN_IF_ERROR(check_manifest(source, layout, sources));
    if (options.sources == Sources::kKeep) tree.sources = sources;
    ASSIGN_OR_RETURN(tree.files, choose_files(std::move(sources), layout, warnings));
  }
  return tree;
}

Status check_modes(const std::vector<RawFile>& files) {
  for (const RawFile& file : files)
    if ((file.mode & kSetIdBits) != 0)
      return refuse_bundle(file.path.str(), "it is setuid or setgid");
  return {};
}

}  // namespace

Status Bundle::read(size_t index, const codec::Sink& sink) const {
  return sink(as_byte_span(content(index)));
}

const std::string& Bundle::content(size_t index) const {
  CHECK(index < contents_.size());
  return contents_[index];
}

Result<Bundle> Bundle::read_source(BundleSource& source, const BundleOptions& options) {
  Bundle bundle;
  ASSIGN_OR_RETURN(bundle.layout_, find_layout(source, options.subdir));
  ASSIGN_OR_RETURN(BundleIdentity identity,
                   identify(source, bundle.layout_.package, options.first));
  bundle.version_ = std::move(identity.version);
  if (options.version) bundle.version_ = options.version;
  bundle.name_ = std::move(identity.name);
  ASSIGN_OR_RETURN(Tree tree, read_tree(source, bundle.layout_, options, bundle.warnings_));
  RETURN_IF_ERROR(check_modes(tree.files));
  std::vector<RelPath> paths;
  paths.reserve(tree.files.size());
  for (const RawFile& file : tree.files) paths.push_back(file.path);
  RETURN_IF_ERROR(check_names(paths));
  std::ranges::sort(tree.files, {}, &RawFile::path);
  for (RawFile& file : tree.files) {
    bundle.files_.push_back({.path = std::move(file.path),
                             .mode = (file.mode & kModeMask) | kModeAlways,
                             .size_bytes = file.content.size(),
                             .sha256 = codec::sha256(file.content)});
    bundle.contents_.push_back(std::move(file.content));
  }
  bundle.warnings_.insert(bundle.warnings_.end(), identity.warnings.begin(),
                          identity.warnings.end());
  if (options.sources == Sources::kDrop) return bundle;
  bundle.sources_ = std::move(tree.sources);
  for (RawFile& file : identity.files) bundle.sources_.push_back(std::move(file));
  return bundle;
}

Result<Bundle> Bundle::open_archive(std::string_view bytes, const std::string& shown,
                                    const BundleOptions& options) {
  const std::string context = "while reading the bundle " + escape(shown);
  ASSIGN_OR_RETURN_WHILE(const auto source, archive_source(bytes, options.limits), context);
  ASSIGN_OR_RETURN_WHILE(Bundle bundle, read_source(*source, options), context);
  return bundle;
}

Result<Bundle> Bundle::open(fs::FileSystem& fs, const std::string& absolute_source,
                            const BundleOptions& options) {
  const std::string context = "while reading the bundle " + escape(absolute_source);
  auto dir = fs::File::open_root(fs, absolute_source);
  if (dir) {
    const auto source = directory_source(fs, dir->fd(), options.limits);
    ASSIGN_OR_RETURN_WHILE(Bundle bundle, read_source(*source, options), context);
    return bundle;
  }
  if (dir.error().code != ErrorCode::kWrongType)
    return Error(std::move(dir).error())
        .with_context(context)
        .with_untouched("Nothing was changed.");
  ASSIGN_OR_RETURN(const std::string bytes, read_archive_file(fs, absolute_source, options.limits));
  return open_archive(bytes, absolute_source, options);
}

Result<std::string> read_archive_file(fs::FileSystem& fs, const std::string& absolute,
                                      const BundleLimits& limits) {
  const std::string context = "while reading the bundle " + escape(absolute);
  const size_t slash = absolute.rfind('/');
  ASSIGN_OR_RETURN_WHILE(const fs::File parent,
                         fs::File::open_root(fs, slash == 0 ? "/" : absolute.substr(0, slash)),
                         context);
  ASSIGN_OR_RETURN_WHILE(const RelPath name, RelPath::parse(absolute.substr(slash + 1)), context);
  ASSIGN_OR_RETURN_WHILE(const fs::File file,
                         fs::File::open(fs, parent.fd(), name, fs::OpenMode::kRead), context);
  ASSIGN_OR_RETURN_WHILE(const fs::Stat stat, fs.stat_fd(file.fd()), context);
  if (stat.size_bytes > limits.archive_max_bytes)
    return refuse_bundle(absolute, fmt::format("the archive is larger than {}",
                                               human_size(limits.archive_max_bytes)));
  ASSIGN_OR_RETURN_WHILE(std::string bytes, read_all(fs, file.fd(), limits.archive_max_bytes),
                         context);
  return bytes;
}

}  // namespace stravinsky::store
