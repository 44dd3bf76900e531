#include "checks/imports_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/strings.h"
#include "model/hook_reference.h"

namespace stravinsky::checks {
namespace {

using model::LogicalPath;
using model::Scope;

constexpr std::string_view kHooks = "hooks";

struct Import {
  std::string name;   // as it is written
  std::string place;  // in the root, without an ending: "hooks/lib/x"
  int line = 0;
  bool may_be_guarded = false;  // or never be reached
  bool may_be_elsewhere = false;
};
using Endings = std::span<const std::string_view>;

constexpr std::array<std::string_view, 3> kPythonEndings = {".py", "/__init__.py", ""};
constexpr std::array<std::string_view, 8> kNodeEndings = {"",      ".js",   ".mjs",      ".cjs",
                                                          ".json", ".node", "/index.js", ".ts"};
constexpr std::array<std::string_view, 1> kShellEndings = {""};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// "a/b" + "../c" = "a/c"; nullopt when it leads out of the root.
std::optional<std::string> joined(std::string_view directory, std::string_view relative) {
  std::vector<std::string_view> parts = split(directory, '/');
  for (const std::string_view part : split(relative, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  std::string path;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path.empty() ? std::nullopt : std::optional(path);
}

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// --- Python

// The imports of one line, which is no part of a text in three quotes.
void read_python_line(std::string_view raw, int line, const std::string& directory,
                      std::vector<Import>& imports) {
  const bool is_indented = raw.starts_with(' ') || raw.starts_with('\t');
  std::string_view text = trimmed(raw);
  const auto add = [&](std::string_view module, std::string_view from, bool elsewhere) {
    std::string relative(module);
    std::ranges::replace(relative, '.', '/');
    if (const auto place = joined(from, relative))
      imports.push_back({.name = std::string(module),
                         .place = *place,
                         .line = line,
                         .may_be_guarded = is_indented,
                         .may_be_elsewhere = elsewhere});
  };
  const auto module_at = [](std::string_view from) {
    size_t end = 0;
    while (end < from.size() && (is_word(from[end]) || from[end] == '.')) ++end;
    return from.substr(0, end);
  };
  if (text.starts_with("from ")) {
    text = trimmed(text.substr(5));
    std::string from = directory;
    size_t dots = 0;
    while (dots < text.size() && text[dots] == '.') ++dots;
    for (size_t i = 1; i < dots; ++i) from = directory_of(from);
    const std::string_view module = module_at(text.substr(dots));
    if (!module.empty() && trimmed(text.substr(dots + module.size())).starts_with("import"))
      add(dots > 0 ? module : module.substr(0, module.find('.')), from, dots == 0);
  } else if (text.starts_with("import ")) {
    for (const std::string_view one : split(text.substr(7), ',')) {
      const std::string_view module = module_at(trimmed(one));
      if (!module.empty() && module.front() != '.')
        add(module.substr(0, module.find('.')), directory, true);
    }
  }
}

std::vector<Import> python_imports(std::string_view text, const std::string& directory) {
  std::vector<Import> imports;
  int line = 0;
  std::string_view quotes;  // that a text began with and still needs
  for (const std::string_view raw : split(text, '\n')) {
    ++line;
    const bool was_inside = !quotes.empty();
    for (size_t i = 0; i + 2 < raw.size(); ++i) {
      const std::string_view three = raw.substr(i, 3);
      if (quotes.empty() && (three == R"(""")" || three == "'''")) {
        quotes = three == "'''" ? "'''" : R"(""")";
        i += 2;
      } else if (!quotes.empty() && three == quotes) {
        quotes = {};
        i += 2;
      }
    }
    if (!was_inside) read_python_line(raw, line, directory, imports);
  }
  return imports;
}

// --- JavaScript

// Whether what stands in front of an import on its line may keep it from being reached,
// or catch it: "try { x = require(...", "ok ? require(...".
bool is_node_guard(std::string_view before) {
  constexpr std::array<std::string_view, 4> kSigns = {"?", "&&", "||", "=>"};
  constexpr std::array<std::string_view, 3> kWords = {"try", "if", "function"};
  const auto has_word = [&](std::string_view word) {
    for (size_t at = before.find(word); at != std::string_view::npos;
         at = before.find(word, at + 1)) {
      const size_t end = at + word.size();
      if ((at == 0 || !is_word(before[at - 1])) && (end == before.size() || !is_word(before[end])))
        return true;
    }
    return false;
  };
  return std::ranges::any_of(kWords, has_word) ||
         std::ranges::any_of(kSigns, [&](std::string_view sign) { return before.contains(sign); });
}

std::vector<Import> node_imports(std::string_view text, const std::string& directory) {
  constexpr std::array<std::string_view, 3> kBefore = {"require(", "from ", "import "};
  std::vector<Import> imports;
  int line = 0;
  bool is_comment = false;
  for (const std::string_view raw : split(text, '\n')) {
    ++line;
    const std::string_view here = trimmed(raw);
    if (here.starts_with("/*")) is_comment = true;
    const bool skip = is_comment || here.starts_with("//");
    if (here.contains("*/")) is_comment = false;
    if (skip) continue;
    for (const std::string_view before : kBefore) {
      const size_t at = here.find(before);
      if (at == std::string_view::npos || (at > 0 && is_word(here[at - 1]))) continue;
      const std::string_view rest = trimmed(here.substr(at + before.size()));
      if (rest.empty() || (rest.front() != '"' && rest.front() != '\'')) continue;
      const size_t end = rest.find(rest.front(), 1);
      if (end == std::string_view::npos) continue;
      const std::string_view name = rest.substr(1, end - 1);
      if (!name.starts_with("./") && !name.starts_with("../")) continue;
      if (const auto place = joined(directory, name))
        imports.push_back({.name = std::string(name),
                           .place = *place,
                           .line = line,
                           .may_be_guarded = raw.starts_with(' ') || raw.starts_with('\t') ||
                                             is_node_guard(here.substr(0, at))});
    }
  }
  return imports;
}

// --- shell

std::vector<Import> shell_imports(std::string_view text, const std::string& directory) {
  constexpr std::array<std::string_view, 5> kHere = {R"("$(dirname "$0")/)", R"($(dirname "$0")/)",
                                                     R"("$(dirname "${BASH_SOURCE[0]}")/)",
                                                     R"("${BASH_SOURCE%/*}/)", R"("${0%/*}/)"};
  constexpr std::array<std::string_view, 3> kUserHooks = {"~/.claude/", R"("$HOME/.claude/)",
                                                          "$HOME/.claude/"};
  std::vector<Import> imports;
  int line = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++line;
    std::string_view rest = trimmed(raw);
    if (rest.starts_with(". ")) {
      rest = trimmed(rest.substr(2));
    } else if (rest.starts_with("source ")) {
      rest = trimmed(rest.substr(7));
    } else {
      continue;
    }
    // What is tried and may fail is guarded.
    if (rest.contains("||") || rest.contains("2>")) continue;
    const auto read = [&](Endings places, std::string_view from) {
      for (const std::string_view place : places) {
        if (!rest.starts_with(place)) continue;
        std::string_view name = rest.substr(place.size());
        size_t end = 0;
        while (end < name.size() &&
               (is_word(name[end]) || name[end] == '.' || name[end] == '-' || name[end] == '/'))
          ++end;
        // Anything after the name but a quote or a blank is a name that is not known yet.
        if (end < name.size() && name[end] != '"' && name[end] != ' ' && name[end] != ';') return;
        name = name.substr(0, end);
        if (const auto joint = joined(from, name); joint && !name.empty())
          imports.push_back({.name = std::string(name),
                             .place = *joint,
                             .line = line,
                             .may_be_guarded = raw.starts_with(' ') || raw.starts_with('\t')});
        return;
      }
    };
    read(kHere, directory);
    read(kUserHooks, "");
  }
  return imports;
}

class ImportsCheck {
 public:
  ImportsCheck(const TreeView& next, const TreeView* present) : next_(next), present_(present) {}

  Result<std::vector<Finding>> run() {
    for (const Scope scope : {Scope::kUser, Scope::kProject}) {
      const std::string hooks(kHooks);
      if (is_untouched_beneath(scope, hooks, next_, present_)) continue;
      const auto files = next_.files_beneath(scope, hooks);
      if (!files) continue;  // check_hooks says so
      for (const LogicalPath& path : *files) RETURN_IF_ERROR(look_at(path));
    }
    for (const LogicalPath& path : registered_elsewhere())
      if (!is_untouched(path, next_, present_)) RETURN_IF_ERROR(look_at(path));
    return std::move(findings_);
  }

 private:
  // Scripts that settings run outside hooks/.
  std::set<LogicalPath> registered_elsewhere() const {
    std::set<LogicalPath> paths;
    const fs::RelPath hooks = fs::RelPath::of(kHooks);
    for (const Scope scope : {Scope::kUser, Scope::kProject}) {
      for (const SettingsKind kind : {SettingsKind::kShared, SettingsKind::kLocal}) {
        const auto text = next_.settings(scope, kind);
        if (!text || !text->has_value()) continue;
        const auto found = model::find_hook_references(**text, scope, next_.roots());
        if (!found) continue;
        for (const model::HookReference& hook : *found)
          for (const model::ReferencedFile& file : hook.files)
            if (auto path = file.logical(); path && !path->path.starts_with(hooks))
              paths.insert(std::move(*path));
      }
    }
    return paths;
  }

  Status look_at(const LogicalPath& path) {
    const std::string name(path.path.name());
    const auto ends = [&](std::string_view end) { return name.ends_with(end); };
    const bool is_python = ends(".py");
    const bool is_node = ends(".js") || ends(".mjs") || ends(".cjs");
    if (!is_python && !is_node && !ends(".sh") && !ends(".bash")) return {};
    const auto file = next_.find(path);
    if (!file || !file->has_value() || (*file)->type != fs::NodeType::kFile ||
        (*file)->size_bytes > kScriptMaxBytes)
      return {};
    const auto text = (*file)->read();
    if (!text) return {};  // check_hooks says so
    const std::string directory = directory_of(path.path.str());
    const auto imports = is_python ? python_imports(*text, directory)
                         : is_node ? node_imports(*text, directory)
                                   : shell_imports(*text, directory);
    const Endings endings = is_python ? Endings(kPythonEndings)
                            : is_node ? Endings(kNodeEndings)
                                      : Endings(kShellEndings);
    for (const Import& one : imports) RETURN_IF_ERROR(judge(path, **file, one, endings));
    return {};
  }

  // Every hook imports the same few modules: each place is asked for once.
  Result<bool> is_there(const TreeView& tree, Scope scope, const Import& one, Endings endings) {
    const auto [known, is_new] = known_.try_emplace({&tree, scope, one.place, endings.data()});
    if (!is_new) return known->second;
    for (const std::string_view ending : endings) {
      const auto path = fs::RelPath::parse(one.place + std::string(ending));
      if (!path) continue;
      ASSIGN_OR_RETURN(const auto found, tree.find({scope, *path}));
      if (found) return known->second = true;
    }
    return false;
  }

  Status judge(const LogicalPath& path, const FileView& file, const Import& one, Endings endings) {
    ASSIGN_OR_RETURN(const bool is_there_next, is_there(next_, path.scope, one, endings));
    if (is_there_next) return {};
    bool was_there = false;
    if (present_ != nullptr) {
      ASSIGN_OR_RETURN(was_there, is_there(*present_, path.scope, one, endings));
    }
    if (one.may_be_elsewhere && !was_there) return {};
    const Origin origin = was_there ? Origin::kUpdate : origin_of(path, file, next_, present_);
    const bool is_updates = present_ != nullptr && origin == Origin::kUpdate;
    findings_.push_back({.severity = one.may_be_guarded ? Severity::kWarning : severity_by(origin),
                         .check = "imports",
                         .rule = "hook.import_missing",
                         .file = path.display(),
                         .line = one.line,
                         .column = 0,
                         .message = "it imports " + escape(one.name) + ", which is not beside it" +
                                    (was_there ? " any more" : "") +
                                    (is_updates ? " (in the new version)" : ""),
                         .remedy = is_updates ? "The bundle's own files are wrong; ask its author."
                                              : "Put the file there, or take the import out."});
    return {};
  }

  const TreeView& next_;
  const TreeView* present_;
  std::map<std::tuple<const TreeView*, Scope, std::string, const void*>, bool> known_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<Finding>> check_imports(const TreeView& next, const TreeView* present) {
  return ImportsCheck(next, present).run();
}

}  // namespace stravinsky::checks
