#include "store/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/check.h"
#include "base/strings.h"
#include "codec/canonical_json.h"
#include "fs/file.h"
#include "model/component.h"
#include "store/bundle_source.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;

constexpr uint32_t kModeMask = 0755;
constexpr uint32_t kModeAlways = 0600;
constexpr uint32_t kSpecialBits = 07000;

// Where the tree lies in the source.
struct Layout {
  std::string package;  // "", "package/", "top/": where the version files are
  std::string root;     // where hooks/ and the others are
  bool has_claude_folder = false;
};

bool has_beneath(const RawFiles& raw, std::string_view prefix) {
  return std::ranges::any_of(
      raw.files, [&](const RawFile& file) { return file.path.str().starts_with(prefix); });
}

// A folder of a component, or settings: what makes a directory a tree.
bool has_components(const RawFiles& raw, const std::string& root) {
  for (const model::Component& component : model::components()) {
    if (component.kind == model::ComponentKind::kArchive &&
        has_beneath(raw, root + std::string(component.top) + "/"))
      return true;
  }
  return std::ranges::any_of(
      raw.files, [&](const RawFile& file) { return file.path.str() == root + "settings.json"; });
}

std::optional<Layout> find_layout(const RawFiles& raw) {
  std::vector<std::string> packages = {"", "package/"};
  if (raw.tops.size() == 1) packages.push_back(raw.tops.front() + "/");
  for (const std::string& package : packages) {
    const std::string folder = package + ".claude/";
    if (has_components(raw, folder))
      return Layout{.package = package, .root = folder, .has_claude_folder = true};
    if (has_components(raw, package)) return Layout{.package = package, .root = package};
  }
  return std::nullopt;
}

constexpr size_t kDepthMax = 64;       // far beyond what any tree has, far below what breaks
constexpr size_t kNameMaxBytes = 214;  // npm's own limit

// What a bundle's metadata say of it; the first file that tells a thing decides it.
struct Identity {
  std::optional<model::Version> version;
  std::string name;

  void add_json(const std::string& text) {
    const auto value = codec::parse_strict_json(text);
    if (!value || !value->is_object()) return;
    const auto text_of = [&](const char* key) -> std::string {
      const auto at = value->find(key);
      return at != value->end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    if (const std::string found = text_of("name"); name.empty() && found.size() <= kNameMaxBytes)
      name = found;
    if (version) return;
    if (auto found = model::Version::parse(text_of("version"))) version = std::move(*found);
  }
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// version = "1.2.3" in [project] or [tool.poetry]; as much TOML as that needs.
std::optional<model::Version> toml_version(const std::string& text) {
  bool in_project = false;
  for (const std::string_view raw_line : split(text, '\n')) {
    const std::string_view line = trim(raw_line);
    if (line.starts_with('[')) in_project = line == "[project]" || line == "[tool.poetry]";
    if (!in_project || !line.starts_with("version")) continue;
    const size_t open = line.find_first_of("\"'");
    if (open == std::string_view::npos) continue;
    if (trim(line.substr(7, open - 7)) != "=") continue;
    const size_t close = line.find(line[open], open + 1);
    if (close == std::string_view::npos) continue;
    if (auto version = model::Version::parse(line.substr(open + 1, close - open - 1)))
      return std::move(*version);
  }
  return std::nullopt;
}

Identity identify(const RawFiles& raw, const std::string& package) {
  const auto content = [&](std::string_view name) -> const std::string* {
    for (const RawFile& file : raw.files)
      if (file.path.str() == package + std::string(name)) return &file.content;
    return nullptr;
  };
  Identity identity;
  for (const char* name : {".claude-plugin/plugin.json", "package.json"})
    if (const std::string* text = content(name)) identity.add_json(*text);
  if (const std::string* text = content("pyproject.toml"); text != nullptr && !identity.version)
    identity.version = toml_version(*text);
  return identity;
}

std::string fold_case(std::string_view text) {
  std::string folded(text);
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return folded;
}

// No name twice, in whatever case, and none beneath another.
Status check_names(const std::vector<RawFile>& files) {
  std::unordered_set<std::string> names;
  for (const RawFile& file : files)
    if (!names.insert(fold_case(file.path.str())).second)
      return refuse_bundle(file.path.str(), "the name is there twice, perhaps in another case");
  for (const RawFile& file : files)
    for (RelPath path = file.path; path.has_parent();) {
      path = path.parent();
      if (names.contains(fold_case(path.str())))
        return refuse_bundle(path.str(), "the name is both a file and a directory");
    }
  return {};
}

// nullptr for what an update must not bring.
const model::Component* component_for(const RelPath& path, const Layout& layout) {
  if (model::is_excluded(path)) return nullptr;
  const model::Component* component = model::component_of(path);
  if (component == nullptr) return nullptr;
  // The user's own, by its name; and the notes of a package's authors to themselves.
  if (component->name == "settings.local") return nullptr;
  if (component->name == "CLAUDE.md" && !layout.has_claude_folder) return nullptr;
  return component;
}

std::string settings_of(const RawFiles& raw, const Layout& layout) {
  for (const RawFile& file : raw.files)
    if (file.path.str() == layout.root + "settings.json") return file.content;
  return {};
}

// The files that make up the tree, with their paths in the root; takes contents.
Result<std::vector<RawFile>> choose_files(RawFiles& raw, const Layout& layout,
                                          std::vector<std::string>& warnings) {
  const std::string settings = settings_of(raw, layout);
  std::vector<RawFile> files;
  for (RawFile& file : raw.files) {
    if (!file.path.str().starts_with(layout.root)) continue;
    if (file.path.components().size() > kDepthMax)
      return refuse_bundle(file.path.str(), "its directories are nested too deeply");
    ASSIGN_OR_RETURN(RelPath path,
                     RelPath::parse(std::string_view(file.path.str()).substr(layout.root.size())));
    const model::Component* component = component_for(path, layout);
    if (component == nullptr) {
      warnings.push_back(escape(path.str()) + " is never managed and was passed over");
      continue;
    }
    if (component->kind == model::ComponentKind::kReferenced) {
      if (!layout.has_claude_folder) continue;  // the package's other files
      if (settings.find(".claude/" + path.str()) == std::string::npos) {
        warnings.push_back(escape(path.str()) + " belongs to no component and was passed over");
        continue;
      }
    }
    if ((file.mode & kSpecialBits) != 0)
      warnings.push_back(escape(path.str()) + " had a setuid, setgid or sticky bit, now removed");
    files.push_back({.path = std::move(path),
                     .mode = (file.mode & kModeMask) | kModeAlways,
                     .content = std::move(file.content)});
  }
  RETURN_IF_ERROR(check_names(files));
  std::ranges::sort(files, {}, &RawFile::path);
  return files;
}

}  // namespace

Status Bundle::read(size_t index, const codec::Sink& sink) const {
  CHECK(index < contents_.size());
  return sink(as_byte_span(contents_[index]));
}

Result<Bundle> Bundle::open(fs::FileSystem& fs, const std::string& absolute_source,
                            const BundleLimits& limits) {
  const std::string context = "while reading the bundle " + escape(absolute_source);
  auto dir = fs::File::open_root(fs, absolute_source);
  Result<RawFiles> raw = RawFiles{};
  if (dir) {
    raw = read_directory(fs, dir->fd(), limits);
  } else if (dir.error().code != ErrorCode::kWrongType) {
    return Error(std::move(dir).error())
        .with_context(context)
        .with_untouched("Nothing was changed.");
  } else {
    const size_t slash = absolute_source.rfind('/');
    ASSIGN_OR_RETURN_WHILE(
        const fs::File parent,
        fs::File::open_root(fs, slash == 0 ? "/" : absolute_source.substr(0, slash)), context);
    ASSIGN_OR_RETURN_WHILE(const RelPath name, RelPath::parse(absolute_source.substr(slash + 1)),
                           context);
    ASSIGN_OR_RETURN_WHILE(const fs::File file,
                           fs::File::open(fs, parent.fd(), name, fs::OpenMode::kRead), context);
    raw = read_archive(fs, file.fd(), limits);
  }
  if (!raw) return Error(std::move(raw).error()).with_context(context);

  const auto layout = find_layout(*raw);
  if (!layout)
    return make_error(ErrorCode::kUsage,
                      "there is no hooks, commands, agents or skills folder in it",
                      escape(absolute_source))
        .with_untouched("Nothing was changed.")
        .with_remedy("Give the directory or archive that holds .claude/ or these folders.");
  Bundle bundle;
  Identity identity = identify(*raw, layout->package);
  bundle.version_ = std::move(identity.version);
  bundle.name_ = std::move(identity.name);
  ASSIGN_OR_RETURN_WHILE(auto files, choose_files(*raw, *layout, bundle.warnings_), context);
  for (RawFile& file : files) {
    bundle.files_.push_back({.path = std::move(file.path),
                             .mode = file.mode,
                             .size_bytes = file.content.size(),
                             .sha256 = codec::sha256(file.content)});
    bundle.contents_.push_back(std::move(file.content));
  }
  return bundle;
}

}  // namespace stravinsky::store
