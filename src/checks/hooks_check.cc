#include "checks/hooks_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/strings.h"
#include "checks/self_call.h"
#include "checks/source_parser.h"
#include "checks/text_faults.h"
#include "model/hook_reference.h"

namespace stravinsky::checks {
namespace {

using model::HookReference;
using model::Interpreter;
using model::LogicalPath;
using model::ReferencedFile;
using model::Scope;

// One place in a settings file that runs a file.
struct Use {
  std::string settings_file;
  model::TextPosition position;
  std::string json_path;
  bool is_status_line = false;
  ReferencedFile file;

  // Absence denies tool calls: a hook, run without a look first.
  bool must_exist() const { return !is_status_line && file.guard == model::Guard::kNone; }
};
using Uses = std::map<LogicalPath, std::vector<Use>>;

// An entry of a settings file about which there is something to tell.
struct Entry {
  std::string settings_file;
  model::TextPosition position;
  std::string json_path;
  std::string event;  // empty for the status line
};
using Entries = std::map<std::string, Entry>;  // by file, event and command

struct References {
  Uses uses;                                        // of files in the roots
  std::map<std::string, std::vector<Use>> outside;  // of other files, by their path
  std::set<std::string> programs;  // what runs the files: bare names and absolute paths
  Entries self_calls;              // the command runs an update or takes one back
  Entries unexpanded;              // a path that no shell expands
  Entries undecided;
  Entries modules;
};

bool is_beneath(std::string_view path, const std::string& directory) {
  return !directory.empty() && path.starts_with(directory + "/");
}

constexpr std::array<std::string_view, 2> kEventsOfOurChanges = {"ConfigChange", "FileChanged"};

References references_of(const TreeView& tree) {
  References all;
  for (const Scope scope : {Scope::kUser, Scope::kProject}) {
    for (const SettingsKind kind : {SettingsKind::kShared, SettingsKind::kLocal}) {
      const auto text = tree.settings(scope, kind);
      if (!text || !text->has_value()) continue;
      const auto found = model::find_hook_references(**text, scope, tree.roots());
      if (!found) continue;
      const LogicalPath settings{scope, fs::RelPath::of(settings_file_name(kind))};
      for (const HookReference& hook : *found) {
        std::string command = hook.command;
        for (const std::string& arg : hook.args) command += " " + arg;
        const auto note = [&](Entries& entries) {
          entries.emplace(settings.display() + hook.event + command,
                          Entry{settings.display(), hook.position, hook.json_path, hook.event});
        };
        if (!hook.is_status_line() && runs_ourselves(command)) note(all.self_calls);
        if (hook.is_undecided) note(all.undecided);
        if (hook.runs_module) note(all.modules);
        all.programs.insert(hook.programs.begin(), hook.programs.end());
        for (const ReferencedFile& file : hook.files) {
          if (file.expansion == model::Expansion::kNever) note(all.unexpanded);
          const Use use{.settings_file = settings.display(),
                        .position = hook.position,
                        .json_path = hook.json_path,
                        .is_status_line = hook.is_status_line(),
                        .file = file};
          if (const std::optional<LogicalPath> path = file.logical()) {
            all.uses[*path].push_back(use);
          } else if (file.place == model::Place::kOutside &&
                     // In the user's settings a project is whichever one is open.
                     (scope == Scope::kProject ||
                      !is_beneath(file.path, tree.roots().project_root))) {
            all.outside[file.path].push_back(use);
          }
        }
      }
    }
  }
  return all;
}

bool is_script_name(std::string_view name) {
  if (name.contains(".template.")) return false;  // something is still to be put in
  constexpr std::array<std::string_view, 6> kEnds = {".py", ".sh", ".bash", ".js", ".mjs", ".cjs"};
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return name.ends_with(end); });
}

class HooksCheck {
 public:
  HooksCheck(const TreeView& next, const TreeView* present, SourceJudge& judge)
      : next_(next), present_(present), judge_(judge) {}

  std::vector<Finding> run() {
    const References references = references_of(next_);
    if (present_ != nullptr) before_ = references_of(*present_);
    programs_ = references.programs;
    for (const auto& [path, uses] : references.uses) check_registered(path, uses);
    for (const auto& [path, uses] : references.outside) check_outside(path, uses);
    for (const Scope scope : {Scope::kUser, Scope::kProject}) check_unregistered(scope, references);
    check_self_calls(references);
    check_entries(references);
    const std::set<std::string> unproved = programs_without_parser();
    judge_.expect_programs(unproved);
    parse();
    check_programs(unproved);
    std::ranges::sort(findings_, {}, [](const Finding& finding) {
      return std::tie(finding.severity, finding.file, finding.line, finding.column, finding.rule,
                      finding.message);
    });
    return std::move(findings_);
  }

 private:
  struct Job {
    LogicalPath path;
    Severity severity;
    bool may_be_newer = false;  // uv chooses a python that may know more than ours
  };
  struct Batch {
    std::vector<Source> sources;
    std::vector<Job> jobs;
  };

  void say(Severity severity, std::string_view rule, const LogicalPath& path, int line,
           std::string message, std::string remedy = {}) {
    if (brought_.contains(path)) {
      message += " (in the new version)";
      remedy = "The bundle's own file is wrong; ask its author.";
    }
    findings_.push_back({.severity = severity,
                         .check = "hooks",
                         .rule = std::string(rule),
                         .file = path.display(),
                         .line = line,
                         .column = 0,
                         .message = std::move(message),
                         .remedy = std::move(remedy)});
  }

  bool was_registered(const LogicalPath& path) const { return before_.uses.contains(path); }

  bool dangled_before(const LogicalPath& path) const {
    if (present_ == nullptr || !was_registered(path)) return false;
    const auto found = present_->find(path);
    return found && !found->has_value();
  }

  void missing(const LogicalPath& path, const std::vector<Use>& uses) {
    const auto strict = std::ranges::find_if(uses, &Use::must_exist);
    const Use& use = strict == uses.end() ? uses.front() : *strict;
    const bool is_old = dangled_before(path);
    const bool blocks = strict != uses.end() && !is_old;
    const auto before = present_ == nullptr ? std::nullopt : std::optional(present_->find(path));
    const bool was_there = before && *before && (*before)->has_value();
    const bool is_updates = present_ != nullptr && !is_old;
    std::string message = use.json_path + " runs " + path.display() + ", which is not there";
    if (is_updates) message += was_there ? " any more in the new version" : " in the new version";
    if (uses.size() > 1) message += " (named in " + with_thousands(uses.size()) + " places)";
    findings_.push_back(
        {.severity = blocks ? Severity::kBlocking : Severity::kWarning,
         .check = "hooks",
         .rule = "hook.missing",
         .file = use.settings_file,
         .line = use.position.line,
         .column = use.position.column,
         .message = std::move(message),
         .remedy = is_updates ? was_there ? "Take the entry out before you update, or ask the "
                                            "bundle's author: Claude Code denies every matching "
                                            "tool call while a registered hook is absent."
                                          : "The bundle registers a file that it does not bring; "
                                            "ask its author."
                   : use.must_exist()
                       ? "Put the file back or take the entry out: Claude Code denies every "
                         "matching tool call while a registered hook is absent."
                       : "Put the file back or take the entry out.",
         .about = path.display()});
  }

  // Of what lies in no root only this is looked at: that it is there. A program that is run
  // directly and does not exist outside the home may be of another kind of machine.
  void check_outside(const std::string& path, const std::vector<Use>& uses) {
    if (next_.exists_outside(path)) return;
    const model::HookRoots roots = next_.roots();
    const bool is_at_home = is_beneath(path, roots.home);
    const auto strict = std::ranges::find_if(uses, [&](const Use& use) {
      return use.must_exist() && (is_at_home || use.file.interpreter != Interpreter::kDirect);
    });
    const Use& use = strict == uses.end() ? uses.front() : *strict;
    const bool is_old = present_ != nullptr && before_.outside.contains(path);
    const std::string usual = roots.home + "/.claude";
    const bool is_usual_root = is_beneath(path, usual) && roots.user_root != usual;
    const std::string shown = is_at_home ? "~" + path.substr(roots.home.size()) : path;
    findings_.push_back(
        {.severity = strict != uses.end() && !is_old ? Severity::kBlocking : Severity::kWarning,
         .check = "hooks",
         .rule = "hook.missing",
         .file = use.settings_file,
         .line = use.position.line,
         .column = use.position.column,
         .message = use.json_path + " runs " + escape(shown) + ", which is not there",
         .remedy = is_usual_root
                       ? "CLAUDE_CONFIG_DIR puts the tree elsewhere, and ~ stays the home: name "
                         "that directory in the command, or make ~/.claude a link to it."
                       : "Put the file there or take the entry out."});
  }

  void check_registered(const LogicalPath& path, const std::vector<Use>& uses) {
    const auto found = next_.find(path);
    if (!found)
      return say(severity_by(was_registered(path) ? Origin::kPresent : Origin::kUpdate),
                 "hook.unreadable", path, 0, found.error().message);
    if (!found->has_value()) return missing(path, uses);
    const FileView& file = **found;
    note_origin(path, file);
    const Origin origin = was_registered(path) && present_ != nullptr
                              ? origin_of(path, file, next_, present_)
                              : Origin::kUpdate;
    const std::optional<std::string> text = read(path, file, severity_by(origin));
    if (!text) return;
    const bool is_direct = std::ranges::any_of(
        uses, [](const Use& use) { return use.file.interpreter == Interpreter::kDirect; });
    check_first_line(path, file, *text, is_direct,
                     parser_of(uses.front().file, path.path.str(), *text));
    check_direct(path, file, *text, uses, origin);
    for (const Use& use : uses) {
      const auto parser = parser_of(use.file, path.path.str(), *text);
      if (parser)
        enqueue(*parser, path, *text, origin,
                use.file.interpreter == Interpreter::kUv && text->contains("# /// script"));
      else if (is_text(*text) && told_unparsed_.insert(path).second)
        say(Severity::kInformation, "hook.not_parsed", path, 0,
            "no parser is known for its language, so its syntax was not checked");
    }
  }

  void note_origin(const LogicalPath& path, const FileView& file) {
    if (present_ != nullptr && origin_of(path, file, next_, present_) == Origin::kUpdate)
      brought_.insert(path);
  }

  static bool is_text(std::string_view text) { return !text.contains('\0'); }

  // nullopt when there is nothing more to look at; says why.
  std::optional<std::string> read(const LogicalPath& path, const FileView& file,
                                  Severity severity) {
    if (file.type != fs::NodeType::kFile) {
      say(severity, "hook.not_a_file", path, 0, "it is registered as a hook, but no regular file");
      return std::nullopt;
    }
    if ((file.mode & 0444U) == 0) {
      say(severity, "hook.unreadable", path, 0, "nobody may read it: its mode has no read bit",
          "Run chmod u+r on it.");
      return std::nullopt;
    }
    if (file.size_bytes == 0) {
      say(severity, "hook.empty", path, 0, "it is empty");
      return std::nullopt;
    }
    if (file.size_bytes > kScriptMaxBytes) {
      say(Severity::kWarning, "hook.too_large", path, 0,
          "it is larger than " + human_size(kScriptMaxBytes) + ", so it was not checked");
      return std::nullopt;
    }
    auto text = file.read();
    if (!text) {
      say(severity, "hook.unreadable", path, 0, text.error().message);
      return std::nullopt;
    }
    check_text(path, *text);
    return std::move(*text);
  }

  // An update changes settings and hooks, so that a hook of such changes which starts
  // one is called again by what it did. Elsewhere it only runs more often than meant.
  void check_self_calls(const References& references) {
    for (const auto& [key, call] : references.self_calls) {
      const bool loops =
          std::ranges::find(kEventsOfOurChanges, call.event) != kEventsOfOurChanges.end();
      const bool is_new = present_ == nullptr || !before_.self_calls.contains(key);
      findings_.push_back(
          {.severity = loops && is_new ? Severity::kBlocking : Severity::kWarning,
           .check = "hooks",
           .rule = "hook.recursion",
           .file = call.settings_file,
           .line = call.position.line,
           .column = call.position.column,
           .message = call.json_path + " runs stravinsky itself" +
                      (loops ? ", whose changes call this hook again, without end"
                             : " with every such event"),
           .remedy = "Take the entry out, and run stravinsky by hand or by a timer."});
    }
  }

  bool is_new(const Entries& before, const std::string& key) const {
    return present_ == nullptr || !before.contains(key);
  }

  void say_of(const Entry& entry, Severity severity, std::string_view rule, std::string_view what,
              std::string remedy = {}) {
    findings_.push_back({.severity = severity,
                         .check = "hooks",
                         .rule = std::string(rule),
                         .file = entry.settings_file,
                         .line = entry.position.line,
                         .column = entry.position.column,
                         .message = entry.json_path + std::string(what),
                         .remedy = std::move(remedy)});
  }

  void check_entries(const References& references) {
    for (const auto& [key, entry] : references.unexpanded) {
      const bool is_updates = is_new(before_.unexpanded, key);
      const bool blocks = is_updates && !entry.event.empty();
      say_of(entry, blocks ? Severity::kBlocking : Severity::kWarning, "hook.unexpanded",
             " runs a path whose \"~\" or variable no shell expands, so there is no such file",
             std::string("Take the quotes off (~/...), or write \"$HOME/...\" in double ones; "
                         "in args only a whole path will do.") +
                 (is_updates && present_ != nullptr ? " The bundle's author should." : ""));
    }
    for (const auto& [key, entry] : references.undecided)
      if (is_new(before_.undecided, key))
        say_of(entry, Severity::kInformation, "hook.undecided",
               " lets the output of a command decide what it runs, so that was not checked");
    for (const auto& [key, entry] : references.modules)
      if (is_new(before_.modules, key))
        say_of(entry, Severity::kInformation, "hook.undecided",
               " runs a module that may be a file of the tree, and that was not checked");
  }

  void check_text(const LogicalPath& path, std::string_view text) {
    if (const int line = own_call_line(text); line != 0)
      say(Severity::kWarning, "hook.recursion", path, line,
          "it runs stravinsky itself, whose changes may call hooks again",
          "Run stravinsky by hand or by a timer.");
    if (const int line = conflict_line(text); line != 0)
      say(Severity::kWarning, "hook.conflict_marker", path, line,
          "there is an unresolved merge conflict marker");
  }

  // The first line counts where the system reads it. An interpreter that is named in
  // the command takes a mark and a CR, but for a shell, which reads each CR as a word.
  void check_first_line(const LogicalPath& path, const FileView& file, std::string_view text,
                        bool is_direct, const std::optional<SourceParser>& parser) {
    const bool has_mark = text.starts_with(kByteOrderMark);
    const bool is_shell = parser && parser->language == Language::kShell;
    const bool may_be_direct = is_direct || (file.mode & 0111U) != 0;
    if (has_mark && text.substr(kByteOrderMark.size()).starts_with("#!") &&
        (may_be_direct || is_shell))
      say(Severity::kWarning, "hook.bom", path, 1,
          "a byte order mark before \"#!\" hides the interpreter from the system");
    const std::string_view first = text.substr(0, text.find('\n'));
    if (!first.starts_with("#!") || !first.ends_with('\r')) return;
    if (may_be_direct)
      say(Severity::kWarning, "hook.crlf", path, 1,
          "its first line ends with CR LF, so the system looks for an interpreter whose name ends "
          "with a CR");
    else if (is_shell)
      say(Severity::kWarning, "hook.crlf", path, 1,
          "its lines end with CR LF, and a shell takes the CR for a part of each command");
  }

  void check_direct(const LogicalPath& path, const FileView& file, std::string_view text,
                    const std::vector<Use>& uses, Origin origin) {
    bool is_direct = false;
    bool is_hook = false;
    for (const Use& use : uses) {
      if (use.file.interpreter != Interpreter::kDirect) continue;
      is_direct = true;
      is_hook = is_hook || !use.is_status_line;
    }
    if (!is_direct) return;
    check_interpreter(path, text);
    if ((file.mode & 0111U) == 0) {
      bool was_executable = false;
      if (present_ != nullptr)
        if (const auto before = present_->find(path); before && before->has_value())
          was_executable = ((*before)->mode & 0111U) != 0;
      const bool blocks = is_hook && (origin == Origin::kUpdate || was_executable);
      say(blocks ? Severity::kBlocking : Severity::kWarning, "hook.not_executable", path, 0,
          "it is run directly, but its mode has no execute bit, so it never starts (exit code 126)",
          "Run chmod +x on it, or name its interpreter in the settings.");
    }
    if (is_text(text) && !text.starts_with("#!") && !text.starts_with(kByteOrderMark))
      say(Severity::kWarning, "hook.no_first_line", path, 1,
          "it is run directly, but does not begin with \"#!\", so sh reads it");
  }

  // "#!/usr/bin/env X" and "#!/path".
  void check_interpreter(const LogicalPath& path, std::string_view text) {
    const std::vector<std::string> words = words_of_first_line(text);
    if (words.empty()) return;
    const bool is_env = words[0] == "/usr/bin/env" || words[0] == "/bin/env";
    if (is_env && words.size() > 1 && !words[1].contains('/')) programs_.insert(words[1]);
    const std::string& program = is_env && words.size() > 1 ? words[1] : words[0];
    const model::HookRoots roots = next_.roots();
    if (!program.starts_with('/') || is_beneath(program, roots.user_root) ||
        is_beneath(program, roots.project_root) || next_.exists_outside(program))
      return;
    say(Severity::kWarning, "hook.interpreter_missing", path, 1,
        "its first line names " + escape(program) + ", which is not there, so it never starts",
        "Install it, or name another interpreter.");
  }

  void check_unregistered(Scope scope, const References& references) {
    const auto files = next_.files_beneath(scope, "hooks");
    if (!files) {
      findings_.push_back({.severity = Severity::kWarning,
                           .check = "hooks",
                           .rule = "hook.unlisted",
                           .file = LogicalPath{scope, fs::RelPath::of("hooks")}.display(),
                           .message = "its files could not be listed: " + files.error().message,
                           .remedy = {}});
      return;
    }
    for (const LogicalPath& path : *files) {
      if (references.uses.contains(path) || !is_script_name(path.path.name())) continue;
      const auto found = next_.find(path);
      if (!found || !found->has_value() || (*found)->type != fs::NodeType::kFile) continue;
      const FileView& file = **found;
      // An empty __init__.py is no mistake.
      if (file.size_bytes == 0 || origin_of(path, file, next_, present_) == Origin::kPresent)
        continue;
      note_origin(path, file);
      const std::optional<std::string> text = read(path, file, Severity::kBlocking);
      if (!text) continue;
      const auto parser = parser_of(path.path.str(), *text);
      check_first_line(path, file, *text, /*is_direct=*/false, parser);
      if (parser) enqueue(*parser, path, *text, Origin::kUpdate, false);
    }
  }

  void enqueue(const SourceParser& parser, const LogicalPath& path, const std::string& text,
               Origin origin, bool may_be_newer) {
    if (origin == Origin::kPresent && judge_.was_accepted(parser, {path.path.str(), text})) return;
    Batch& batch = batches_[parser];
    const auto same = std::ranges::find(batch.jobs, path, &Job::path);
    if (same != batch.jobs.end()) {
      same->may_be_newer = same->may_be_newer && may_be_newer;
      return;
    }
    batch.jobs.push_back({path, severity_by(origin), may_be_newer});
    batch.sources.push_back({path.path.str(), text});
  }

  void parse() {
    for (const auto& [parser, batch] : batches_) judge_.expect(parser, batch.sources);
    for (const auto& [parser, batch] : batches_) {
      const auto verdicts = judge_.verdicts(parser, batch.sources);
      bool is_there = true;
      for (size_t i = 0; i < verdicts.size(); ++i) {
        const SyntaxVerdict& verdict = verdicts[i];
        const Job& job = batch.jobs[i];
        const std::string message = escape(verdict.message);
        switch (verdict.outcome) {
          case SyntaxVerdict::Outcome::kAccepted:
            break;
          case SyntaxVerdict::Outcome::kRefused:
            say(job.may_be_newer ? Severity::kWarning : job.severity, "hook.syntax", job.path,
                verdict.line,
                parser.program + " does not accept it: " + message +
                    (job.may_be_newer ? " (uv may run it with a newer python)" : ""));
            break;
          case SyntaxVerdict::Outcome::kNotRead:
            say(job.severity, "hook.not_read", job.path, 0,
                "its syntax could not be checked: " + message);
            break;
          case SyntaxVerdict::Outcome::kNoProgram:
            is_there = false;
            break;
        }
      }
      if (is_there) continue;
      const Job& first = batch.jobs.front();
      std::string which = "it was not parsed";
      if (batch.jobs.size() > 1)
        which = "it and " + with_thousands(batch.jobs.size() - 1) + " more were not parsed";
      say(Severity::kWarning, "hook.interpreter_missing", first.path, 0,
          parser.program + " is not in the search path or does not start, so " + which,
          "Install " + parser.program + ", or hooks that need it will not run.");
    }
  }

  // Interpreters that no parser shows to be there.
  std::set<std::string> programs_without_parser() const {
    std::set<std::string> unproved;
    for (const std::string& program : programs_) {
      if (program.contains('/')) continue;
      const bool is_parser = std::ranges::any_of(
          batches_, [&](const auto& entry) { return entry.first.program == program; });
      if (!is_parser && !program.starts_with('-')) unproved.insert(program);
    }
    return unproved;
  }

  void check_programs(const std::set<std::string>& programs) {
    for (const std::string& program : programs_) {
      if (!program.starts_with('/') || next_.exists_outside(program)) continue;
      findings_.push_back(
          {.severity = Severity::kWarning,
           .check = "hooks",
           .rule = "hook.interpreter_missing",
           .file = {},
           .message = escape(program) + " is not there, but hooks are run by it",
           .remedy = "Install " + escape(program) + ", or hooks that need it will not run."});
    }
    for (const std::string& program : judge_.missing_programs(programs)) {
      findings_.push_back(
          {.severity = Severity::kWarning,
           .check = "hooks",
           .rule = "hook.interpreter_missing",
           .file = {},
           .message = escape(program) + " is not in the search path, but hooks are run by it",
           .remedy = "Install " + escape(program) + ", or hooks that need it will not run."});
    }
  }

  const TreeView& next_;
  const TreeView* present_;
  SourceJudge& judge_;
  References before_;
  std::set<std::string> programs_;  // of the settings, and of first lines
  std::set<LogicalPath> brought_;   // what the update brings or changes
  std::map<SourceParser, Batch> batches_;
  std::set<LogicalPath> told_unparsed_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_hooks(const TreeView& next, const TreeView* present,
                                 SourceJudge& judge) {
  return HooksCheck(next, present, judge).run();
}

}  // namespace stravinsky::checks
