#include "store/bundle_plugin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "model/component.h"
#include "store/bundle_layout.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;
using nlohmann::json;

constexpr std::string_view kVariableName = "CLAUDE_PLUGIN_ROOT";
constexpr std::array<std::string_view, 2> kVariables = {"${CLAUDE_PLUGIN_ROOT}",
                                                        "$CLAUDE_PLUGIN_ROOT"};
constexpr const char* kHooksFile = "hooks/hooks.json";

bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where the variable next stands in text, and how long it is spelled.
struct Found {
  size_t at = std::string_view::npos;
  size_t size = 0;
};
Found find_variable(std::string_view text, size_t from) {
  Found found;
  for (const std::string_view variable : kVariables) {
    size_t at = text.find(variable, from);
    while (at != std::string_view::npos && !variable.ends_with('}') &&
           at + variable.size() < text.size() && is_identifier(text[at + variable.size()]))
      at = text.find(variable, at + 1);
    if (at < found.at) found = {at, variable.size()};
  }
  return found;
}

// True for a path out of the plugin's own folder. An entry that only describes one of its
// files ({"name": ...}) leads nowhere else.
// NOLINTNEXTLINE(misc-no-recursion): the parser bounds the depth
bool names_files_elsewhere(const json& value, const std::string& folder) {
  if (value.is_string()) {
    std::string_view path = value.get_ref<const std::string&>();
    while (path.starts_with("./")) path.remove_prefix(2);
    return path != folder && !path.starts_with(folder + "/");
  }
  if (value.is_array())
    return std::ranges::any_of(value,
                               [&](const json& one) { return names_files_elsewhere(one, folder); });
  if (!value.is_object()) return false;
  for (const char* key : {"path", "source", "file"})
    if (const auto at = value.find(key); at != value.end())
      return names_files_elsewhere(*at, folder);
  if (value.contains("content")) return true;
  // {"name": {"source": ...}}
  return std::ranges::any_of(value, [&](const json& one) {
    return one.is_structured() && names_files_elsewhere(one, folder);
  });
}

// What people expect beside the folders of a plugin, and no hook needs.
bool is_about_the_package(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {
      "LICENSE",  "LICENCE",        "NOTICE",        "package.json",
      "Makefile", "pyproject.toml", "settings.json", "package-lock.json"};
  return name.starts_with('.') || name.ends_with(".md") || name.starts_with("LICENSE.") ||
         name == "node_modules" || std::ranges::find(kNames, name) != kNames.end();
}

class PluginReader {
 public:
  PluginReader(BundleSource& source, const std::string& root, const std::string& root_in_commands)
      : source_(source), root_(root), root_in_commands_(root_in_commands) {}

  Result<PluginTree> run() {
    RETURN_IF_ERROR(read_hooks());
    RETURN_IF_ERROR(collect_folders());
    for (RawFile& file : tree_.files)
      if (file.path.str().ends_with(".md")) {
        RETURN_IF_ERROR(note_files_in(file.content));
        file.content = resolved(file.content);
      }
    RETURN_IF_ERROR(collect_referenced());
    RETURN_IF_ERROR(name_what_is_passed_over());
    for (const RawFile& file : tree_.files)
      if (file.content.find(kVariableName) != std::string::npos)
        tree_.warnings.push_back(escape(file.path.str()) +
                                 " reads CLAUDE_PLUGIN_ROOT, which is not set outside a plugin");
    if (!hooks_.empty()) {
      RETURN_IF_ERROR(check_root());
      tree_.files.push_back({.path = RelPath::of("settings.json"),
                             .mode = 0644,
                             .content = json{{"hooks", hooks_}}.dump(2) + "\n"});
    }
    return std::move(tree_);
  }

 private:
  Status collect_folders() {
    ASSIGN_OR_RETURN(const auto entries, source_.list(root_));
    for (const fs::DirEntry& entry : entries) {
      if (entry.name == "settings.json")
        tree_.warnings.emplace_back(
            "settings.json was passed over: of a plugin only the hooks become settings");
      if (entry.name == ".mcp.json")
        tree_.warnings.emplace_back(".mcp.json was passed over: MCP servers are not managed");
      const bool is_folder = is_tree_top(entry.name) && entry.type != fs::NodeType::kFile;
      if (is_folder)
        RETURN_IF_ERROR(source_.collect(join_path(root_, entry.name), root_, tree_.sources));
    }
    for (const RawFile& file : tree_.sources) RETURN_IF_ERROR(take(file));
    return {};
  }

  // A file of the source as one of the tree.
  Status take(const RawFile& file) {
    const size_t prefix = root_.empty() ? 0 : root_.size() + 1;
    ASSIGN_OR_RETURN(RelPath path,
                     RelPath::parse(std::string_view(file.path.str()).substr(prefix)));
    if (hooks_files_.contains(path.str())) return {};  // read as settings
    if (!taken_.insert(path.str()).second) return {};
    tree_.files.push_back({.path = std::move(path), .mode = file.mode, .content = file.content});
    return {};
  }

  Status read_hooks() {
    ASSIGN_OR_RETURN(const auto described, source_.read(join_path(root_, kPluginFile)));
    if (!described) return {};
    const auto plugin = codec::parse_strict_json(described->content);
    if (!plugin || !plugin->is_object())
      return refuse_bundle(kPluginFile, plugin ? "it is not an object" : plugin.error().message);
    for (const auto& [key, folder] : {std::pair{"commands", "commands"},
                                      {"agents", "agents"},
                                      {"skills", "skills"},
                                      {"outputStyles", "output-styles"}})
      if (plugin->contains(key) && names_files_elsewhere((*plugin)[key], folder))
        tree_.warnings.push_back(std::string("plugin.json names other ") + key +
                                 ", which were passed over");
    if (plugin->contains("mcpServers"))
      tree_.warnings.emplace_back("plugin.json names MCP servers, which are not managed");
    ASSIGN_OR_RETURN(bool has_default, add_hooks_file(kHooksFile));
    const auto named = plugin->find("hooks");
    if (named == plugin->end()) return {};
    if (named->is_object()) return add_hooks(*named, kPluginFile);
    const json list = named->is_array() ? *named : json::array({*named});
    for (const json& one : list) {
      if (!one.is_string()) return refuse_bundle(kPluginFile, "its \"hooks\" is no path");
      std::string path = one.get<std::string>();
      while (path.starts_with("./")) path.erase(0, 2);
      if (path == kHooksFile && has_default) continue;
      ASSIGN_OR_RETURN(const bool is_there, add_hooks_file(path));
      if (!is_there) return refuse_bundle(path, "plugin.json names it, and it is missing");
    }
    return {};
  }

  // False when there is none.
  Result<bool> add_hooks_file(const std::string& path) {
    const auto checked = RelPath::parse(path);
    if (!checked) return refuse_bundle(path, checked.error().message);
    ASSIGN_OR_RETURN(auto file, source_.read(join_path(root_, path)));
    if (!file) return false;
    const auto value = codec::parse_strict_json(file->content);
    if (!value) return refuse_bundle(path, value.error().message);
    RETURN_IF_ERROR(add_hooks(*value, path));
    hooks_files_.insert(path);
    if (!is_tree_top(path.substr(0, path.find('/')))) tree_.sources.push_back(std::move(*file));
    return true;
  }

  Status add_hooks(const json& value, const std::string& path) {
    const auto inner = value.is_object() ? value.find("hooks") : value.end();
    const json& events = value.is_object() && inner != value.end() ? *inner : value;
    if (!events.is_object()) return refuse_bundle(path, "its \"hooks\" is not an object");
    for (const auto& [event, groups] : events.items()) {
      if (!groups.is_array() && &events == &value) continue;  // "description" and the like
      if (!groups.is_array())
        return refuse_bundle(path, "hooks." + escape(event) + " is not a list");
      json& all = hooks_.emplace(event, json::array()).first.value();
      for (const json& group : groups) {
        json copy = group;
        RETURN_IF_ERROR(resolve(copy));
        all.push_back(std::move(copy));
      }
    }
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion): the parser bounds the depth
  Status resolve(json& value) {
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      RETURN_IF_ERROR(note_files_in(text));
      value = resolved(text);
    } else if (value.is_structured()) {
      for (json& inner : value) RETURN_IF_ERROR(resolve(inner));
    }
    return {};
  }

  std::string resolved(std::string_view text) const {
    std::string out;
    size_t from = 0;
    for (Found found = find_variable(text, 0); found.at != std::string_view::npos;
         found = find_variable(text, from)) {
      out += text.substr(from, found.at - from);
      out += root_in_commands_;
      from = found.at + found.size;
    }
    return out += text.substr(from);
  }

  // Remembers the paths that follow the variable.
  Status note_files_in(std::string_view text) {
    size_t from = 0;
    for (Found found = find_variable(text, 0); found.at != std::string_view::npos;
         found = find_variable(text, from)) {
      from = found.at + found.size;
      std::string_view rest = text.substr(from);
      if (rest.starts_with('"')) rest.remove_prefix(1);  // "${CLAUDE_PLUGIN_ROOT}"/x
      if (!rest.starts_with('/')) continue;
      rest = rest.substr(1, rest.find_first_of(" \t\r\n\"'`$;|&<>()\\", 1) - 1);
      if (fs::RelPath::parse(rest)) named_.emplace(rest);
    }
    return {};
  }

  // Scripts often lie in folders of their own, which only these names lead to, and need what
  // lies beside them.
  Status collect_referenced() {
    std::set<std::string> directories;
    for (const std::string& name : named_) {
      const std::string top = name.substr(0, name.find('/'));
      if (top == name || is_tree_top(top) || !brings_what_lies_beside(top)) continue;
      ASSIGN_OR_RETURN(const auto file, source_.read(join_path(root_, name)));
      if (file && !hooks_files_.contains(name)) directories.insert(top);
    }
    for (const std::string& directory : directories) RETURN_IF_ERROR(collect_helpers(directory));
    for (const std::string& name : named_) {
      if (taken_.contains(name) || hooks_files_.contains(name) || name == kPluginFile) continue;
      ASSIGN_OR_RETURN(auto file, source_.read(join_path(root_, name)));
      if (!file) continue;
      const RelPath path = RelPath::of(name);
      if (model::is_excluded(path) || is_tree_top(name)) {
        tree_.warnings.push_back(escape(name) + " is never managed and was passed over");
        continue;
      }
      tree_.sources.push_back(*file);
      RETURN_IF_ERROR(take(*file));
    }
    return {};
  }

  Status collect_helpers(const std::string& directory) {
    std::vector<RawFile> files;
    RETURN_IF_ERROR(source_.collect(join_path(root_, directory), root_, files));
    for (RawFile& file : files) {
      RETURN_IF_ERROR(take(file));
      // A file of hooks may have been read there.
      if (std::ranges::find(tree_.sources, file.path, &RawFile::path) == tree_.sources.end())
        tree_.sources.push_back(std::move(file));
    }
    return {};
  }

  // A script at the top brings only itself, and a program may need any of the rest.
  Status name_what_is_passed_over() {
    constexpr size_t kShownMax = 10;
    if (hooks_.empty()) return {};
    ASSIGN_OR_RETURN(const auto entries, source_.list(root_));
    std::vector<std::string> names;
    for (const fs::DirEntry& entry : entries) {
      const bool is_directory = entry.type == fs::NodeType::kDirectory;
      const auto is_in_it = [&](const std::string& path) {
        return path == entry.name || path.starts_with(entry.name + "/");
      };
      if (is_about_the_package(entry.name) || is_tree_top(entry.name) ||
          std::ranges::any_of(taken_, is_in_it) || std::ranges::any_of(hooks_files_, is_in_it))
        continue;
      names.push_back(escape(entry.name) + (is_directory ? "/" : ""));
    }
    if (names.empty()) return {};
    const size_t more = names.size() - std::min(names.size(), kShownMax);
    names.resize(names.size() - more);
    tree_.warnings.push_back(
        fmt::format("passed over, since no hook names them: {}{}", fmt::join(names, ", "),
                    more > 0 ? fmt::format(" and {} more", more) : std::string()));
    return {};
  }

  // A path that ends the quotes around it would be another command.
  Status check_root() const {
    if (root_in_commands_.find_first_of("\"'`\\\n;|&<>()") == std::string::npos &&
        is_valid_utf8(root_in_commands_))
      return {};
    return make_error(ErrorCode::kUsage,
                      "a plugin's hooks cannot name this tree: its path has characters that mean "
                      "something to a shell",
                      escape(root_in_commands_))
        .with_untouched("Nothing was changed.")
        .with_remedy("Install the plugin in Claude Code, or move the tree.");
  }

  static constexpr const char* kPluginFile = ".claude-plugin/plugin.json";

  BundleSource& source_;
  const std::string& root_;
  const std::string& root_in_commands_;
  PluginTree tree_;
  json hooks_ = json::object();
  std::set<std::string> hooks_files_;
  std::set<std::string> named_;
  std::set<std::string> taken_;
};

}  // namespace

Result<PluginTree> read_plugin(BundleSource& source, const std::string& root,
                               const std::string& root_in_commands) {
  return PluginReader(source, root, root_in_commands).run();
}

}  // namespace stravinsky::store
