#include "store/bundle_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>

#include "base/strings.h"
#include "model/component.h"

namespace stravinsky::store {
namespace {

using fs::DirEntry;
using fs::NodeType;
using Entries = std::vector<DirEntry>;

constexpr size_t kSearchedDirsMax = 20'000;
constexpr std::string_view kAssetsFolder = "stravinsky_claude_assets";

// Where nobody's package has its tree, and other people's files are many.
constexpr std::array kNeverSearched = {"node_modules", "__pycache__", "site-packages", "venv",
                                       "target"};

const DirEntry* find(const Entries& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, &DirEntry::name);
  return found == entries.end() ? nullptr : &*found;
}

bool is_directory(const Entries& entries, std::string_view name) {
  const DirEntry* entry = find(entries, name);
  return entry != nullptr && entry->type == NodeType::kDirectory;
}

bool is_folder_of_component(std::string_view name) {
  return std::ranges::any_of(model::components(), [&](const model::Component& component) {
    return component.kind == model::ComponentKind::kArchive && component.top == name;
  });
}

// What makes a directory a tree.
bool has_components(const Entries& entries) {
  return std::ranges::any_of(entries, [](const DirEntry& entry) {
    return entry.name == "settings.json" ||
           (entry.type != NodeType::kFile && is_folder_of_component(entry.name));
  });
}

class LayoutSearch {
 public:
  explicit LayoutSearch(BundleSource& source) : source_(source) {}

  Result<BundleLayout> run() {
    ASSIGN_OR_RETURN(const auto tops, this->tops());
    std::vector<BundleLayout> found;
    for (const std::string& top : tops) {
      ASSIGN_OR_RETURN(const auto certain, certain_in(top));
      if (!certain.empty()) return one_of(certain);
    }
    for (const std::string& top : tops) {
      ASSIGN_OR_RETURN(const Entries entries, source_.list(top));
      if (!found.empty() || !has_components(entries)) continue;
      found.push_back({.kind = LayoutKind::kFolders, .package = top, .root = top});
    }
    RETURN_IF_ERROR(search_below(found));
    return one_of(found);
  }

  Result<BundleLayout> in(std::string subdir) {
    while (subdir.starts_with("./")) subdir.erase(0, 2);
    while (subdir.ends_with('/')) subdir.pop_back();
    if (subdir == ".") subdir.clear();
    if (!subdir.empty()) {
      const auto path = fs::RelPath::parse(subdir);
      if (!path)
        return make_error(ErrorCode::kUsage,
                          "--subdir is no directory of a bundle: " + path.error().message)
            .with_untouched("Nothing was changed.")
            .with_remedy("Give it relative to the top of the bundle.");
    }
    ASSIGN_OR_RETURN(const auto tops, this->tops());
    for (const std::string& top : tops) {
      const std::string dir = subdir.empty() ? top : join_path(top, subdir);
      ASSIGN_OR_RETURN(auto found, certain_in(dir));
      // The .claude beside a plugin can be named by itself.
      const auto plugin = std::ranges::find(found, LayoutKind::kPlugin, &BundleLayout::kind);
      if (plugin != found.end()) return *plugin;
      if (!found.empty()) return found.front();
      ASSIGN_OR_RETURN(const Entries entries, source_.list(dir));
      if (!has_components(entries)) continue;
      const size_t slash = dir.rfind('/');
      const std::string_view last = std::string_view(dir).substr(slash + 1);
      if (last == ".claude" || last == kAssetsFolder)
        return BundleLayout{.kind = last == ".claude" ? LayoutKind::kClaude : LayoutKind::kAssets,
                            .package = slash == std::string::npos ? "" : dir.substr(0, slash),
                            .root = dir};
      return BundleLayout{.kind = LayoutKind::kFolders, .package = dir, .root = dir};
    }
    return make_error(ErrorCode::kUsage, "there is no tree in this directory of the bundle",
                      escape(subdir))
        .with_untouched("Nothing was changed.")
        .with_remedy("Leave --subdir out to see which there are.");
  }

 private:
  Result<std::vector<std::string>> tops() {
    ASSIGN_OR_RETURN(const Entries entries, source_.list(""));
    std::vector<std::string> tops = {""};
    if (is_directory(entries, "package")) {
      tops.emplace_back("package");
    } else if (entries.size() == 1 && entries.front().type == NodeType::kDirectory &&
               entries.front().name != ".claude") {
      tops.push_back(entries.front().name);
    }
    return tops;
  }

  // The trees that say so themselves.
  Result<std::vector<BundleLayout>> certain_in(const std::string& dir) {
    ASSIGN_OR_RETURN(const Entries entries, source_.list(dir));
    std::vector<BundleLayout> found;
    for (const auto& [name, kind] : {std::pair{std::string_view(".claude"), LayoutKind::kClaude},
                                     {kAssetsFolder, LayoutKind::kAssets}}) {
      const DirEntry* entry = find(entries, name);
      if (entry == nullptr) continue;
      const std::string root = join_path(dir, name);
      if (entry->type == NodeType::kSymlink) return refuse_link(root);
      ASSIGN_OR_RETURN(const Entries inner, source_.list(root));
      if (has_components(inner)) found.push_back({.kind = kind, .package = dir, .root = root});
    }
    if (is_directory(entries, ".claude-plugin") && has_components(entries)) {
      ASSIGN_OR_RETURN(const Entries inner, source_.list(join_path(dir, ".claude-plugin")));
      if (find(inner, "plugin.json") != nullptr)
        found.push_back({.kind = LayoutKind::kPlugin, .package = dir, .root = dir});
    }
    return found;
  }

  Status search_below(std::vector<BundleLayout>& found) {
    struct Place {
      std::string dir;
      size_t depth;
    };
    const bool top_is_tree = !found.empty();
    const std::string tree_top = top_is_tree ? found.front().root : "";
    std::deque<Place> open = {{"", 0}};
    for (size_t searched = 0; !open.empty(); ++searched) {
      if (searched > kSearchedDirsMax)
        return make_error(ErrorCode::kUsage, "it has too many directories to look for a tree in")
            .with_untouched("Nothing was changed.")
            .with_remedy("Say where the tree is: --subdir DIR");
      const Place place = std::move(open.front());
      open.pop_front();
      ASSIGN_OR_RETURN(const auto certain, certain_in(place.dir));
      found.insert(found.end(), certain.begin(), certain.end());
      ASSIGN_OR_RETURN(const Entries entries, source_.list(place.dir));
      if (certain.empty() && has_components(entries))
        possible_.push_back(
            {.kind = LayoutKind::kFolders, .package = place.dir, .root = place.dir});
      if (place.depth == kSearchDepthMax) continue;
      for (const DirEntry& entry : entries) {
        if (entry.type != NodeType::kDirectory || entry.name.starts_with('.') ||
            entry.name == kAssetsFolder ||
            std::ranges::find(kNeverSearched, entry.name) != kNeverSearched.end())
          continue;
        // The folders of a tree at the top are the tree itself.
        if (top_is_tree && place.dir == tree_top && is_tree_top(entry.name)) continue;
        open.push_back({join_path(place.dir, entry.name), place.depth + 1});
      }
    }
    return {};
  }

  // Folders below the top are too often somebody's sources to be taken unasked.
  Result<BundleLayout> one_of(const std::vector<BundleLayout>& found) const {
    if (found.size() == 1) return found.front();
    if (found.empty() && !possible_.empty()) return choose_from(possible_);
    if (found.empty())
      return make_error(ErrorCode::kUsage,
                        "there is no hooks, commands, agents or skills folder "
                        "in it")
          .with_untouched("Nothing was changed.")
          .with_remedy("Give the directory or archive that holds .claude/ or these folders.");
    return choose_from(found);
  }

  static Error choose_from(const std::vector<BundleLayout>& found) {
    constexpr size_t kShownMax = 20;
    std::vector<std::string> names;
    for (const BundleLayout& layout : found)
      if (names.size() < kShownMax)
        names.push_back(fmt::format("{} ({})", escape(layout.display()), layout_name(layout.kind)));
    const std::string what = found.size() == 1 ? "it holds what may be a tree"
                                               : fmt::format("it holds {} trees", found.size());
    return make_error(ErrorCode::kUsage, fmt::format("{}: {}", what, fmt::join(names, ", ")))
        .with_untouched("Nothing was changed.")
        .with_remedy("Choose one: --subdir " + shell_quote(escape(found.front().display())));
  }

  BundleSource& source_;
  std::vector<BundleLayout> possible_;  // folders below the top
};

}  // namespace

std::string_view layout_name(LayoutKind kind) {
  switch (kind) {
    case LayoutKind::kClaude:
      return ".claude folder";
    case LayoutKind::kPlugin:
      return "plugin";
    case LayoutKind::kAssets:
      return "wheel";
    case LayoutKind::kFolders:
      return "folders";
  }
  return "folders";
}

std::string BundleLayout::display() const {
  return root.empty() ? "." : root;
}

bool is_tree_top(std::string_view name) {
  return std::ranges::any_of(model::components(), [&](const model::Component& component) {
    return !component.top.empty() && component.top == name;
  });
}

Result<BundleLayout> find_layout(BundleSource& source, const std::optional<std::string>& subdir) {
  LayoutSearch search(source);
  return subdir ? search.in(*subdir) : search.run();
}

}  // namespace stravinsky::store
