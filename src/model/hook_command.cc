#include "model/hook_command.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "model/interpreter.h"
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

bool sets_module_path(std::string_view word) {
  return word.starts_with("PYTHONPATH=");
}

// What a shell would have put something else for, had it been asked to.
bool is_unexpanded(std::string_view text) {
  if (text == "~" || text.starts_with("~/")) return true;
  return std::ranges::any_of(
      Names{"$HOME/", "${HOME}/", "$CLAUDE_PROJECT_DIR/", "$CLAUDE_CONFIG_DIR/"},
      [&](std::string_view start) { return text.starts_with(start); });
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

  CommandReading take() {
    const bool is_any_unknown = std::ranges::any_of(files_, [](const ReferencedFile& file) {
      return file.place == Place::kUnknown && file.expansion == Expansion::kDone;
    });
    std::erase_if(programs_, [&](const std::string& name) { return looked_for_.contains(name); });
    return {.files = std::move(files_),
            .programs = std::move(programs_),
            .is_undecided = has_substitution_ && is_any_unknown,
            .runs_module = runs_module_};
  }

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

  // What stands in $(...) runs in a shell of its own.
  void substitutions(Words words) {
    for (const ShellWord& word : words) {
      for (const std::string& inner : word.substitutions) {
        has_substitution_ = true;
        const auto before = std::tuple(directory_, directory_is_known_, left_start_);
        shell(inner);
        std::tie(directory_, directory_is_known_, left_start_) = before;
      }
    }
  }

  void simple_command(Words words) {
    substitutions(words);
    while (!words.empty() && is_one_of(words[0].text, {"if", "then", "else", "elif", "do", "while",
                                                       "until", "!", "{", "time"}))
      words = words.subspan(1);
    if (!words.empty() && words[0].text == "export" &&
        std::ranges::any_of(words, [](const auto& word) { return sets_module_path(word.text); }))
      has_module_path_ = true;
    if (words.empty() || is_one_of(words[0].text, {"for", "case", "select", "function", "fi",
                                                   "done", "esac", "}", "export"}))
      return;
    program_and_arguments(words, std::nullopt);
  }

  // through: the runner before it, such as "uv run".
  void program_and_arguments(Words words, const std::optional<ReferencedFile>& through) {
    while (!words.empty() && is_assignment(words[0].text)) {
      has_module_path_ = has_module_path_ || sets_module_path(words[0].text);
      words = words.subspan(1);
    }
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
    if (is_one_of(name, {"which", "type", "hash"})) return look_for(rest);
    if (name == "eval") return evaluate(rest);
    if (const Wrapper* found = find_wrapper(name)) {
      if (!found->is_builtin() && name != "env" && name != "time") needs(program);
      return wrapper(*found, rest);
    }
    if (is_one_of(name, {"pnpm", "yarn", "npm"})) {
      needs(program);
      if (rest.size() > 1 && is_one_of(rest[0].text, {"exec", "dlx", "x"}))
        wrapper({.name = "npx", .argument_options = {"-p", "--package"}}, rest.subspan(1));
      return;
    }
    if (name == "uv") {
      needs(program);
      return uv_run(program.text, rest);
    }
    if (is_one_of(name, {"poetry", "pipenv", "pdm", "rye", "hatch"})) {
      needs(program);
      if (!rest.empty() && rest[0].text == "run") program_and_arguments(rest.subspan(1), through);
      return;
    }
    if (const Grammar* grammar = find_grammar(name)) {
      if (!through) needs(program);
      ReferencedFile file = through.value_or(run_by(grammar->interpreter, program.text));
      return script(*grammar, std::move(file), rest);
    }
    // A name without a slash is a program of the system, not a file of ours.
    if (program.text.contains('/')) return add(through.value_or(ReferencedFile{}), program);
    const bool works_on_ours = std::ranges::any_of(rest, [&](const ShellWord& word) {
      const auto path = word.decided ? absolute(word.text) : std::nullopt;
      ReferencedFile file;
      if (path) place_of(*path, file);
      return file.logical().has_value();
    });
    if (works_on_ours && !through) needs(program);
  }

  // A program in a root is a file of the tree; one in a project is of that project alone.
  void needs(const ShellWord& program) {
    if (program.text.contains('/')) {
      if (!program.text.starts_with('/')) return;
      ReferencedFile file;
      place_of(program.text, file);
      if (file.place != Place::kOutside || is_of_the_project(program.text)) return;
    }
    programs_.push_back(program.text);
  }

  bool is_of_the_project(const std::string& path) const {
    return !roots_.project_root.empty() && path.starts_with(roots_.project_root + "/");
  }

  void look_for(Words words) {
    for (const ShellWord& word : words)
      if (word.decided) looked_for_.insert(word.text);
  }

  void evaluate(Words words) {
    std::string text;
    for (const ShellWord& word : words) {
      if (!word.decided) return add({}, word);
      text += word.text + " ";
    }
    shell(text);
  }

  void wrapper(const Wrapper& wrapper, Words words) {
    if (wrapper.name == "command" && !words.empty() &&
        is_one_of(words[0].text, {"-v", "-V", "-pv"}))
      return look_for(words.subspan(1));
    const bool is_npx = wrapper.name == "npx" || wrapper.name == "bunx";
    while (!words.empty() && (words[0].text.starts_with('-') || is_assignment(words[0].text))) {
      has_module_path_ = has_module_path_ || sets_module_path(words[0].text);
      if (is_npx && is_one_of(words[0].text, {"-c", "--call"}) && words.size() > 1)
        return shell(words[1].text);
      const bool takes_argument = is_one_of(words[0].text, wrapper.argument_options);
      words = words.subspan(takes_argument && words.size() > 1 ? 2 : 1);
    }
    if (wrapper.name == "timeout" && !words.empty()) words = words.subspan(1);  // the duration
    if (!is_npx) return program_and_arguments(words, std::nullopt);
    // "tsx@4 x.ts": npm brings the program itself.
    if (words.empty()) return;
    std::vector<ShellWord> named(words.begin(), words.end());
    named[0].text.resize(std::min(named[0].text.find('@', 1), named[0].text.size()));
    if (const Grammar* grammar = find_grammar(named[0].text))
      program_and_arguments(named, run_by(grammar->interpreter, named[0].text));
  }

  void uv_run(const std::string& program, Words words) {
    while (!words.empty() && words[0].text.starts_with('-')) words = words.subspan(1);
    if (words.empty() || words[0].text != "run") return;
    words = words.subspan(1);
    const ReferencedFile file = run_by(Interpreter::kUv, program);
    while (!words.empty() && words[0].text.starts_with('-')) {
      const std::string_view option = words[0].text;
      if (is_one_of(option, {"-m", "--module"})) return module();
      if (option == "-") return;
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

  // A module of the working directory or of PYTHONPATH; else it is of the system.
  void module() {
    ReferencedFile file;
    if (directory_is_known_) place_of(directory_ + "/x", file);
    runs_module_ = runs_module_ || has_module_path_ || file.logical().has_value();
  }

  // "jq -f x.jq": the file is an argument like any other.
  void script_in_option(const Grammar& grammar, const ReferencedFile& file, Words words) {
    for (; words.size() > 1; words = words.subspan(1)) {
      const std::string_view option = words[0].text;
      const bool ends_letters = grammar.name == "jq" && option.size() > 2 && option[0] == '-' &&
                                option[1] != '-' && option.ends_with('f');
      if (is_one_of(option, grammar.script_options) || ends_letters) return add(file, words[1]);
    }
  }

  void script(const Grammar& grammar, ReferencedFile file, Words words) {
    if (grammar.script_options.size() > 0) return script_in_option(grammar, file, words);
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
        const bool is_python = grammar.code_letters == "cm";
        if (is_python && option.contains('m') && !option.contains('c')) module();
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

  // The path with ".", ".." and doubled slashes taken out; nullopt when the working
  // directory would be needed, or the plugin's root would be left.
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
      if (part == "..") {
        const size_t slash = clean.rfind('/');
        if (slash == std::string::npos && !path.starts_with('/')) return std::nullopt;
        clean.resize(slash == std::string::npos ? 0 : slash);
      } else if (!part.empty() && part != ".") {
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
    if ((word.decided || is_exec_) && is_unexpanded(word.text)) {
      file.expansion = Expansion::kNever;
      files_.push_back(std::move(file));
      return;
    }
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
  std::set<std::string> looked_for_;  // programs
  bool has_substitution_ = false;
  bool has_module_path_ = false;
  bool runs_module_ = false;
  std::vector<std::string> programs_;
  std::vector<ReferencedFile> files_;
};

}  // namespace

std::optional<LogicalPath> ReferencedFile::logical() const {
  if (place != Place::kUser && place != Place::kProject) return std::nullopt;
  auto rel = fs::RelPath::parse(path);
  if (!rel) return std::nullopt;
  return LogicalPath{place == Place::kUser ? Scope::kUser : Scope::kProject, std::move(*rel)};
}

CommandReading read_command(std::string_view command, Scope scope, const HookRoots& roots) {
  Finder finder(scope, roots);
  finder.shell(command);
  return finder.take();
}

CommandReading read_exec(std::string_view program, const std::vector<std::string>& args,
                         Scope scope, const HookRoots& roots) {
  Finder finder(scope, roots);
  finder.exec(program, args);
  return finder.take();
}

}  // namespace stravinsky::model
