#include "model/hook_reference.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <span>
#include <utility>

#include "model/interpreter.h"
#include "model/settings_merge.h"
#include "model/shell_words.h"

namespace stravinsky::model {
namespace {

constexpr std::string_view kPluginRoot = "${CLAUDE_PLUGIN_ROOT}";
constexpr int kNestingMax = 8;  // bash -c "bash -c ..."

using Words = std::span<const ShellWord>;

bool is_one_of(std::string_view text, Names names) {
  return std::ranges::find(names, text) != names.end();
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_assignment(std::string_view word) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return std::ranges::all_of(word.substr(0, equals), is_name) && (word[0] < '0' || word[0] > '9');
}

ReferencedFile run_by(Interpreter interpreter, std::string program) {
  ReferencedFile file;
  file.interpreter = interpreter;
  file.program = std::move(program);
  return file;
}

class Finder {
 public:
  Finder(Scope scope, const HookRoots& roots) : scope_(scope), roots_(roots) {
    variables_.emplace("CLAUDE_PLUGIN_ROOT", kPluginRoot);
    const auto know = [&](const char* name, const std::string& value) {
      if (!value.empty()) variables_.emplace(name, value);
    };
    know("HOME", roots.home);
    know("CLAUDE_CONFIG_DIR", roots.user_root);
    know("CLAUDE_PROJECT_DIR", roots.project_root);
  }

  void shell(std::string_view text) {
    if (++nesting_ <= kNestingMax)
      for (const ShellCommand& command : split_shell(text, variables_)) simple_command(command);
    --nesting_;
  }

  void exec(std::string_view program, const std::vector<std::string>& args) {
    is_exec_ = true;
    ShellCommand command = {placeholders(program)};
    for (const std::string& arg : args) command.push_back(placeholders(arg));
    program_and_arguments(command, std::nullopt);
  }

  std::vector<ReferencedFile> take() { return std::move(files_); }

 private:
  ShellWord placeholders(std::string_view text) const {
    ShellWord word;
    while (!text.empty()) {
      const size_t begin = text.find("${");
      const size_t end = text.find('}', begin == std::string_view::npos ? 0 : begin);
      if (begin == std::string_view::npos || end == std::string_view::npos) break;
      word.text += text.substr(0, begin);
      const std::string_view name = text.substr(begin + 2, end - begin - 2);
      const auto found = variables_.find(name);
      if (found != variables_.end() && name.starts_with("CLAUDE_")) {
        word.text += found->second;
      } else {
        word.text += text.substr(begin, end + 1 - begin);
        word.decided = false;
      }
      text.remove_prefix(end + 1);
    }
    if (text.contains('$') || (word.text.empty() && text.starts_with('~'))) word.decided = false;
    word.text += text;
    return word;
  }

  void simple_command(Words words) {
    while (!words.empty() && is_one_of(words[0].text, {"if", "then", "else", "elif", "do", "while",
                                                       "until", "!", "{", "time"}))
      words = words.subspan(1);
    if (words.empty() || is_one_of(words[0].text, {"for", "case", "select", "function", "fi",
                                                   "done", "esac", "}", "export"}))
      return;
    program_and_arguments(words, std::nullopt);
  }

  // through: the runner before it, such as "uv run".
  void program_and_arguments(Words words, const std::optional<ReferencedFile>& through) {
    while (!words.empty() && is_assignment(words[0].text)) words = words.subspan(1);
    if (words.empty()) return;
    const ShellWord& program = words[0];
    const Words rest = words.subspan(1);
    if (is_one_of(program.text, {"[", "[[", "test"})) return remember_tests(rest);
    if (!program.decided) return add({}, program);
    const std::string_view name = base_name(program.text);
    if (program.text == "cd" || program.text == "pushd") return change_directory(rest);
    if (program.text == "." || program.text == "source") {
      if (!rest.empty()) add(run_by(Interpreter::kBash, "bash"), rest[0]);
      return;
    }
    if (const Wrapper* found = find_wrapper(name)) return wrapper(*found, rest);
    if (name == "uv") return uv_run(program.text, rest);
    if (is_one_of(name, {"poetry", "pipenv", "pdm", "rye", "hatch"})) {
      if (!rest.empty() && rest[0].text == "run") program_and_arguments(rest.subspan(1), through);
      return;
    }
    if (const Grammar* grammar = find_grammar(name)) {
      ReferencedFile file = through.value_or(run_by(grammar->interpreter, program.text));
      return script(*grammar, std::move(file), rest);
    }
    // A name without a slash is a program of the system, not a file of ours.
    if (program.text.contains('/')) add(through.value_or(ReferencedFile{}), program);
  }

  void wrapper(const Wrapper& wrapper, Words words) {
    while (!words.empty() && (words[0].text.starts_with('-') || is_assignment(words[0].text))) {
      const bool takes_argument = is_one_of(words[0].text, wrapper.argument_options);
      words = words.subspan(takes_argument && words.size() > 1 ? 2 : 1);
    }
    if (wrapper.name == "timeout" && !words.empty()) words = words.subspan(1);  // the duration
    program_and_arguments(words, std::nullopt);
  }

  void uv_run(const std::string& program, Words words) {
    while (!words.empty() && words[0].text.starts_with('-')) words = words.subspan(1);
    if (words.empty() || words[0].text != "run") return;
    words = words.subspan(1);
    const ReferencedFile file = run_by(Interpreter::kUv, program);
    while (!words.empty() && words[0].text.starts_with('-')) {
      const std::string_view option = words[0].text;
      if (is_one_of(option, {"-m", "--module", "-"})) return;
      const bool has_argument = is_one_of(option, {"--with",
                                                   "-w",
                                                   "--with-editable",
                                                   "--with-requirements",
                                                   "--python",
                                                   "-p",
                                                   "--project",
                                                   "--directory",
                                                   "--extra",
                                                   "--group",
                                                   "--only-group",
                                                   "--no-group",
                                                   "--env-file",
                                                   "--index",
                                                   "--index-url",
                                                   "-i",
                                                   "--extra-index-url",
                                                   "--default-index",
                                                   "--package",
                                                   "--config-file",
                                                   "--cache-dir",
                                                   "--color",
                                                   "--refresh-package",
                                                   "--reinstall-package",
                                                   "-P",
                                                   "--upgrade-package",
                                                   "--link-mode",
                                                   "--resolution",
                                                   "--prerelease",
                                                   "--exclude-newer"});
      if (option == "--directory" && words.size() > 1) change_directory(words.subspan(1, 1));
      words = words.subspan(has_argument && words.size() > 1 ? 2 : 1);
      if (option == "--") break;
    }
    if (words.empty()) return;
    const std::string& target = words[0].text;
    if (find_grammar(base_name(target)) != nullptr) return program_and_arguments(words, file);
    if (!words[0].decided || target.ends_with(".py") || target.contains('/')) add(file, words[0]);
  }

  void script(const Grammar& grammar, ReferencedFile file, Words words) {
    const bool is_shell = grammar.code_letters == "cs";
    while (!words.empty() && words[0].text.size() > 1 &&
           (words[0].text[0] == '-' || (is_shell && words[0].text[0] == '+'))) {
      const std::string_view option = words[0].text;
      if (option == "--") {
        words = words.subspan(1);
        break;
      }
      const bool takes_argument = is_one_of(option, grammar.argument_options) ||
                                  (is_shell && option[1] != '-' && option.ends_with('o'));
      const bool is_attached =
          std::ranges::any_of(grammar.argument_options,
                              [&](std::string_view name) { return option.starts_with(name); });
      const bool is_letters = option[1] != '-' && !takes_argument && !is_attached;
      if (is_one_of(option, grammar.code_options) ||
          (is_letters && option.find_first_of(grammar.code_letters) != std::string_view::npos)) {
        if (is_shell && option.contains('c') && words.size() > 1) {
          // Without a shell around it, what is undecided is still there to be read.
          if (words[1].decided || is_exec_)
            shell(words[1].text);
          else
            add(std::move(file), words[1]);
        }
        return;
      }
      words = words.subspan(takes_argument && words.size() > 1 ? 2 : 1);
    }
    if (words.empty() || words[0].text == "-") return;
    if (is_one_of(grammar.name, {"bun", "deno"})) {
      if (words[0].text != "run" && !words[0].text.contains('.')) return;
      if (words[0].text == "run") return script(grammar, std::move(file), words.subspan(1));
    }
    add(std::move(file), words[0]);
  }

  void remember_tests(Words words) {
    for (const ShellWord& word : words)
      if (word.decided)
        if (const std::optional<std::string> path = absolute(word.text)) tested_.insert(*path);
  }

  void change_directory(Words words) {
    while (!words.empty() && is_one_of(words[0].text, {"-P", "-L", "--"})) words = words.subspan(1);
    if (words.empty())
      directory_ = roots_.home;
    else
      directory_ = words[0].decided ? absolute(words[0].text).value_or("") : "";
    directory_is_known_ = !directory_.empty();
    left_start_ = true;
  }

  // The path with "." and doubled slashes taken out; nullopt when the working
  // directory would be needed, or for "..", which depends on links.
  std::optional<std::string> absolute(std::string_view text) const {
    std::string path;
    if (text.starts_with('/') || text.starts_with(kPluginRoot)) {
      path = text;
    } else if (directory_is_known_) {
      path = directory_ + "/" + std::string(text);
    } else {
      while (text.starts_with("./")) text.remove_prefix(2);
      const bool is_project = scope_ == Scope::kProject && !left_start_ &&
                              !roots_.project_root.empty() &&
                              (text == ".claude" || text.starts_with(".claude/"));
      if (!is_project) return std::nullopt;
      path = roots_.project_root + "/" + std::string(text);
    }
    std::string clean;
    for (size_t begin = 0; begin <= path.size();) {
      const size_t end = std::min(path.find('/', begin), path.size());
      const std::string_view part = std::string_view(path).substr(begin, end - begin);
      if (part == "..") return std::nullopt;
      if (!part.empty() && part != ".") {
        if (!clean.empty() || path.starts_with('/')) clean += '/';
        clean += part;
      }
      begin = end + 1;
    }
    return clean.empty() ? "/" : clean;
  }

  void place_of(const std::string& path, ReferencedFile& file) const {
    const auto is_beneath = [&](const std::string& root, Place place) {
      if (!path.starts_with(root + "/")) return false;
      file.place = place;
      file.path = path.substr(root.size() + 1);
      return true;
    };
    const auto is_beneath_any = [&](const std::string& root,
                                    const std::vector<std::string>& aliases, std::string_view tail,
                                    Place place) {
      if (!root.empty() && is_beneath(root + std::string(tail), place)) return true;
      return std::ranges::any_of(aliases, [&](const std::string& alias) {
        return is_beneath(alias + std::string(tail), place);
      });
    };
    if (is_beneath(std::string(kPluginRoot), Place::kPlugin) ||
        is_beneath_any(roots_.user_root, roots_.user_root_aliases, "", Place::kUser) ||
        is_beneath_any(roots_.project_root, roots_.project_root_aliases, "/.claude",
                       Place::kProject))
      return;
    // The plugin's root itself, or what only begins as its name does, is somewhere.
    if (!path.starts_with('/')) return;
    file.place = Place::kOutside;
    file.path = path;
  }

  void add(ReferencedFile file, const ShellWord& word) {
    const std::optional<std::string> path = word.decided ? absolute(word.text) : std::nullopt;
    if (path.has_value()) {
      place_of(*path, file);
      if (tested_.contains(*path)) file.guard = Guard::kTested;
    }
    files_.push_back(std::move(file));
  }

  Scope scope_;
  const HookRoots& roots_;
  ShellVariables variables_;
  int nesting_ = 0;
  bool is_exec_ = false;   // the form with args
  std::string directory_;  // after a "cd"
  bool directory_is_known_ = false;
  bool left_start_ = false;  // there was a "cd"
  std::set<std::string> tested_;
  std::vector<ReferencedFile> files_;
};

std::string text_member(const JsonText& document, JsonIndex object, std::string_view key) {
  const JsonIndex member = document.find(object, key);
  return member == JsonIndex::kNone ? std::string() : document.string_value(member);
}

HookReference read_entry(const JsonText& document, JsonIndex entry, std::string json_path,
                         Scope scope, const HookRoots& roots) {
  HookReference reference;
  reference.json_path = std::move(json_path);
  reference.offset = document[entry].begin();
  reference.type = text_member(document, entry, "type");
  reference.command = text_member(document, entry, "command");
  const JsonIndex args = document.find(entry, "args");
  const bool has_args = args != JsonIndex::kNone && document.kind(args) == JsonKind::kArray;
  if (has_args)
    for (const JsonIndex arg : document.children(args))
      reference.args.push_back(document.string_value(arg));
  if (!reference.command.empty() && (reference.type.empty() || reference.type == "command"))
    reference.files = has_args ? files_of_exec(reference.command, reference.args, scope, roots)
                               : files_of_command(reference.command, scope, roots);
  return reference;
}

}  // namespace

std::optional<LogicalPath> ReferencedFile::logical() const {
  if (place != Place::kUser && place != Place::kProject) return std::nullopt;
  auto rel = fs::RelPath::parse(path);
  if (!rel) return std::nullopt;
  return LogicalPath{place == Place::kUser ? Scope::kUser : Scope::kProject, std::move(*rel)};
}

std::vector<ReferencedFile> files_of_command(std::string_view command, Scope scope,
                                             const HookRoots& roots) {
  Finder finder(scope, roots);
  finder.shell(command);
  return finder.take();
}

std::vector<ReferencedFile> files_of_exec(std::string_view program,
                                          const std::vector<std::string>& args, Scope scope,
                                          const HookRoots& roots) {
  Finder finder(scope, roots);
  finder.exec(program, args);
  return finder.take();
}

std::expected<std::vector<HookReference>, JsonFault> find_hook_references(std::string_view settings,
                                                                          Scope scope,
                                                                          const HookRoots& roots) {
  const auto document = JsonText::parse(settings);
  if (!document) return std::unexpected(document.error());
  std::vector<HookReference> all;
  const JsonIndex hooks = document->find(JsonIndex::kRoot, "hooks");
  if (hooks != JsonIndex::kNone) {
    for (const auto& [event, groups] : document->members(hooks)) {
      if (document->kind(groups) != JsonKind::kArray) continue;
      const std::string event_path = json_path("hooks", event);
      size_t group_number = 0;
      for (const JsonIndex group : document->children(groups)) {
        const std::string group_path = event_path + "[" + std::to_string(group_number++) + "]";
        const JsonIndex handlers = document->find(group, "hooks");
        if (handlers == JsonIndex::kNone) continue;
        size_t number = 0;
        for (const JsonIndex handler : document->children(handlers)) {
          HookReference reference =
              read_entry(*document, handler,
                         group_path + ".hooks[" + std::to_string(number++) + "]", scope, roots);
          reference.event = event;
          reference.matcher = text_member(*document, group, "matcher");
          all.push_back(std::move(reference));
        }
      }
    }
  }
  const JsonIndex status_line = document->find(JsonIndex::kRoot, "statusLine");
  if (status_line != JsonIndex::kNone)
    all.push_back(read_entry(*document, status_line, "statusLine", scope, roots));
  std::ranges::sort(all, {}, &HookReference::offset);
  size_t offset = 0;
  TextPosition position;
  for (HookReference& reference : all) {
    position = advance_position(settings, offset, position, reference.offset);
    offset = reference.offset;
    reference.position = position;
  }
  return all;
}

}  // namespace stravinsky::model
