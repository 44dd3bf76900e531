#include "cli/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <functional>
#include <span>

#include "cli/commands.h"
#include "cli/real_environment.h"
#include "cli/usage_error.h"
#include "fs/read_only_fs.h"

namespace stravinsky::cli {
namespace {

constexpr const char* kFirstWords =
    "Updates of a Claude Code configuration that take themselves back.\n\n"
    "  stravinsky status                       where things stand\n"
    "  stravinsky update --from DIR|TGZ        install, with a way back\n"
    "  stravinsky rollback undo                take the last change back\n"
    "  stravinsky rollback to VERSION          a whole earlier version\n"
    "  stravinsky recovery file PATH           one file back\n"
    "  stravinsky backup create --label NAME   before trying something\n\n"
    "All commands and options: stravinsky --help";

constexpr const char* kEveryCommand =
    "Options for every command: --json, --dry-run, --yes, --quiet, --root, --project, --color;\n"
    "see stravinsky --help";

struct Flags {
  bool json = false;
  bool quiet = false;
  std::string color = "auto";
  GlobalOptions global;
  std::string root;
  std::string project;
};

// What the chosen subcommand runs.
using Run = std::function<ExitCode(const Invocation&)>;

class CommandLine {
 public:
  CommandLine()
      : app_("Updates of a Claude Code configuration that take themselves back.", "stravinsky") {
    app_.fallthrough();
    app_.set_version_flag("--version", std::string("stravinsky ") + STRAVINSKY_VERSION);
    app_.footer(std::string(exit_code_help()));
    app_.add_flag("--json", flags_.json, "Print one JSON object instead of text");
    app_.add_flag("--quiet,-q", flags_.quiet, "Print errors only");
    app_.add_flag("--yes,-y", flags_.global.yes, "Answer every question with yes");
    app_.add_flag("--dry-run,-n", flags_.global.dry_run, "Show what would be done, change nothing");
    app_.add_option("--root", flags_.root, "The store (default ~/.stravinsky/rollback)");
    app_.add_option("--project", flags_.project,
                    "The project's directory (default: found upwards)");
    app_.add_option("--color", flags_.color, "auto, always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    app_.add_flag("--follow-outside-links", flags_.global.follow_outside_links,
                  "Write through links that lead out of the home and the project");
    app_.add_flag("--foreign-owner", flags_.global.foreign_owner,
                  "Work on a tree that belongs to another user");
    add_update();
    add_check();
    add_adopt();
    add_bundle();
    add_rollback();
    add_backup();
    add_recovery();
    add_audit();
    add(app_, "status", "Where things stand", "status",
        "stravinsky status\nstravinsky status --json", run_status);
    CLI::App* config = group("config", "The configuration");
    add(*config, "list", "Every key, its value and where that comes from", "config list",
        "stravinsky config list\nSTRAVINSKY_AUTO_ROLLBACK=false stravinsky config list",
        run_config_list);
    add(app_, "version", "The version of this program", "version",
        "stravinsky version\nstravinsky version --json", run_version);
  }

  CLI::App& app() { return app_; }
  const CLI::App& app() const { return app_; }
  Flags& flags() { return flags_; }
  const Run& run() const { return run_; }
  const std::string& command() const { return command_; }

 private:
  model::Scope scope() const {
    return scope_ == "project" ? model::Scope::kProject : model::Scope::kUser;
  }

  CLI::App* group(const char* name, const char* about) {
    CLI::App* added = app_.add_subcommand(name, about);
    added->require_subcommand(1);
    added->fallthrough();
    return added;
  }

  CLI::App* add(CLI::App& parent, const char* name, const char* about, const char* command,
                const std::string& examples, Run run) {
    CLI::App* added = parent.add_subcommand(name, about);
    added->fallthrough();
    added->footer("Examples:\n" + examples + "\n\n" + kEveryCommand + "\n\n" +
                  std::string(exit_code_help()));
    added->callback([this, added, command, run = std::move(run)] {
      if (!added->get_subcommands().empty()) return;  // the command is further down
      command_ = command;
      run_ = run;
    });
    return added;
  }

  void add_no_backup(CLI::App& group) {
    group.add_flag("--no-backup", flags_.global.no_backup,
                   "Do not save the present state first (for a full disk)");
  }

  void add_update() {
    CLI::App* update = add(
        app_, "update", "Install a bundle: all of it, or nothing", "update",
        "stravinsky update --from ./package --dry-run\nstravinsky update 0.3.9 --from package.tgz",
        [this](const Invocation& i) {
          if (source_.empty())
            return i.fail(make_error(ErrorCode::kUsage, "say what to install: --from SOURCE")
                              .with_untouched("Nothing was changed.")
                              .with_remedy("See: stravinsky update --help"));
          return run_update(
              i, {.version = version_.empty() ? std::nullopt : std::optional(version_),
                  .source = source_,
                  .scope = scope(),
                  .conflict = engine::parse_merge_policy(conflict_),
                  .unknown_base = engine::parse_merge_policy(unknown_base_),
                  .subdir = bundle_.subdir,
                  .sha256 = bundle_.sha256,
                  .downgrade =
                      allow_downgrade_ ? engine::Downgrade::kAllow : engine::Downgrade::kRefuse});
        });
    update->add_option("version", version_, "Its version (default: what the bundle says)");
    update->add_option("--from", source_,
                       "A directory, an archive (.tar.gz, .tar.zst, .zip, .whl), https://... or "
                       "npm:NAME[@VERSION]");
    update->add_option("--subdir", bundle_.subdir, "Where in the bundle its tree is");
    update->add_option("--sha256", bundle_.sha256, "What the archive must hash to");
    update->add_flag("--allow-downgrade", allow_downgrade_,
                     "Also an older version than the one installed");
    update->add_option("--scope", scope_, "user (~/.claude) or project")
        ->check(CLI::IsMember({"user", "project"}));
    const CLI::IsMember policies({"keep-mine", "take-theirs", "ask", "fail"});
    update
        ->add_option(
            "--conflict", conflict_,
            "What you and the new version both changed: keep-mine, take-theirs, ask or fail")
        ->check(policies);
    update
        ->add_option("--unknown-base", unknown_base_,
                     "Files of which nobody knows whether you changed them: the same choices")
        ->check(policies);
    add_installer(*update);
  }

  void add_adopt() {
    CLI::App* adopt = add(
        app_, "adopt", "Say which version is installed; changes no file", "adopt",
        "stravinsky adopt 0.3.8 --from ./package\n"
        "stravinsky adopt 0.3.8 --from package.tgz --dry-run",
        [this](const Invocation& i) {
          return run_adopt(i, {.version = version_.empty() ? std::nullopt : std::optional(version_),
                               .source = source_,
                               .scope = scope(),
                               .subdir = bundle_.subdir});
        });
    adopt->add_option("--subdir", bundle_.subdir, "Where in the bundle its tree is");
    adopt->add_option("version", version_, "The version (default: what the bundle says)");
    adopt->add_option("--from", source_, "Its pristine content, as for update")->required();
    adopt->add_option("--scope", scope_, "user (~/.claude) or project")
        ->check(CLI::IsMember({"user", "project"}));
  }

  void add_installer(CLI::App& update) {
    CLI::App* begin =
        add(update, "begin", "Guard the tree while a package installs by itself", "update begin",
            "stravinsky update begin 0.4.0\nstravinsky update begin 0.4.0 --json",
            [this](const Invocation& i) {
              return run_update_begin(i, {.version = begun_, .scope = scope()});
            });
    begin->add_option("version", begun_, "The version that it brings")->required();
    CLI::App* finish = add(update, "finish",
                           "Check what it installed; take it back if it is broken", "update finish",
                           "stravinsky update finish 0.4.0\n"
                           "stravinsky update finish 0.4.0 --failed --error \"copy failed\"",
                           [this](const Invocation& i) {
                             return run_update_finish(
                                 i, {.version = begun_,
                                     .installer = installer_failed_ ? engine::Installer::kFailed
                                                                    : engine::Installer::kSucceeded,
                                     .error = installer_error_,
                                     .removes = {removes_.begin(), removes_.end()}});
                           });
    finish->add_option("version", begun_, "The version that was begun")->required();
    finish->add_flag("--failed", installer_failed_, "The installer failed: go back");
    finish->add_option("--error", installer_error_, "What it said, for the record");
    finish->add_option("--removes", removes_,
                       "A component (such as agents) that the new version is meant to empty");
  }

  void add_check() {
    CLI::App* check =
        add(app_, "check", "Look at the tree, or at what a bundle would make of it", "check",
            "stravinsky check\nstravinsky check ./package --json", [this](const Invocation& i) {
              return run_check(i, {.version = std::nullopt,
                                   .source = source_,
                                   .scope = scope(),
                                   .subdir = bundle_.subdir});
            });
    check->add_option("--subdir", bundle_.subdir, "Where in the bundle its tree is");
    check->add_option("bundle", source_, "What `update --from` takes (default: the live tree)");
    check->add_option("--scope", scope_, "user (~/.claude) or project")
        ->check(CLI::IsMember({"user", "project"}));
  }

  void add_bundle() {
    CLI::App* bundle = group("bundle", "What updates are made of");
    CLI::App* inspect =
        add(*bundle, "inspect", "What is in a bundle, without installing it", "bundle inspect",
            "stravinsky bundle inspect package.tgz\n"
            "stravinsky bundle inspect npm:NAME --subdir templates/claude --json",
            [this](const Invocation& i) { return run_bundle_inspect(i, bundle_); });
    inspect->add_option("source", bundle_.source, "As update --from takes it")->required();
    inspect->add_option("--subdir", bundle_.subdir, "Where in the bundle its tree is");
    inspect->add_option("--sha256", bundle_.sha256, "What the archive must hash to");
    CLI::App* create =
        add(*bundle, "create", "Pack a directory, the same bytes each time", "bundle create",
            "stravinsky bundle create ./package -o package.tgz\n"
            "stravinsky bundle create . --subdir templates/claude -o claude.tgz",
            [this](const Invocation& i) { return run_bundle_create(i, bundle_); });
    create->add_option("directory", bundle_.source, "What to pack")->required();
    create->add_option("--output,-o", bundle_.output, "The file to write")->required();
    create->add_option("--subdir", bundle_.subdir, "Where in the directory the tree is");
    CLI::App* keygen = add(*bundle, "keygen", "Make a key to sign bundles with", "bundle keygen",
                           "stravinsky bundle keygen -o ~/keys/bundles.pem\n"
                           "stravinsky bundle keygen -o key.pem --json",
                           [this](const Invocation& i) { return run_bundle_keygen(i, bundle_); });
    keygen->add_option("--output,-o", bundle_.output, "The private key; the public one is .pub")
        ->required();
    CLI::App* sign = add(*bundle, "sign", "Vouch for a bundle: writes FILE.sig", "bundle sign",
                         "stravinsky bundle sign package.tgz --key key.pem\n"
                         "stravinsky bundle sign package.tgz --key key.pem --json",
                         [this](const Invocation& i) { return run_bundle_sign(i, bundle_); });
    sign->add_option("file", bundle_.source, "The archive")->required();
    sign->add_option("--key", bundle_.key, "The private key's file")->required();
    CLI::App* verify = add(*bundle, "verify", "Who vouches for a bundle?", "bundle verify",
                           "stravinsky bundle verify package.tgz\n"
                           "stravinsky bundle verify package.tgz --key key.pem.pub",
                           [this](const Invocation& i) { return run_bundle_verify(i, bundle_); });
    verify->add_option("file", bundle_.source, "The archive, with its .sig beside it")->required();
    verify->add_option("--key", bundle_.key,
                       "The public key or its file (default: update.trusted_keys)");
  }

  void add_rollback() {
    CLI::App* rollback = group("rollback", "Go back and forth");
    add_no_backup(*rollback);
    add(*rollback, "list", "The versions there are", "rollback list",
        "stravinsky rollback list\nstravinsky rollback list --json", run_rollback_list);
    CLI::App* show = add(*rollback, "show", "One version", "rollback show",
                         "stravinsky rollback show v0.3.8\nstravinsky rollback show unknown",
                         [this](const Invocation& i) { return run_backup_show(i, version_); });
    show->add_option("version", version_, "A version or a backup's id")->required();
    const auto to = [this](const Invocation& i) {
      return run_rollback_to(i, {.version_or_id = version_, .extra_files = extra_files()});
    };
    CLI::App* rollback_to =
        add(*rollback, "to", "Bring a whole version back", "rollback to",
            "stravinsky rollback to v0.3.8\nstravinsky rollback to v0.3.8 --exact --dry-run", to);
    rollback_to->add_option("version", version_, "A version or a backup's id")->required();
    rollback_to->add_flag("--exact", exact_, "Also remove your own files that it lacks");
    add(*rollback, "undo", "Take the last change back", "rollback undo",
        "stravinsky rollback undo\nstravinsky rollback undo --dry-run", run_undo);
    add(*rollback, "redo", "Take the last undo back", "rollback redo",
        "stravinsky rollback redo\nstravinsky rollback redo --dry-run", run_redo);
    CLI::App* automatic =
        add(*rollback, "auto", "As `to`, for programs: never asks", "rollback auto",
            "stravinsky rollback auto v0.3.8\nstravinsky rollback auto v0.3.8 --json",
            [to](const Invocation& i) {
              Invocation unattended = i;
              unattended.options.yes = true;
              return to(unattended);
            });
    automatic->add_option("version", version_, "A version or a backup's id")->required();
  }

  void add_backup() {
    CLI::App* backup = group("backup", "The backups");
    CLI::App* create =
        add(*backup, "create", "Take a backup now", "backup create",
            "stravinsky backup create\nstravinsky backup create --label before-x --pin",
            [this](const Invocation& i) { return run_backup_create(i, create_); });
    create->add_option("--label", create_.label, "Its name");
    create->add_flag("--pin", create_.pin, "Never delete it automatically");
    add(*backup, "list", "The backups there are", "backup list",
        "stravinsky backup list\nstravinsky backup list --json", run_backup_list);
    CLI::App* show = add(*backup, "show", "One backup", "backup show",
                         "stravinsky backup show v0.3.8\nstravinsky backup show unknown.pre_update",
                         [this](const Invocation& i) { return run_backup_show(i, version_); });
    show->add_option("backup", version_, "A backup's id or a version")->required();
    CLI::App* verify =
        add(*backup, "verify", "Read backups back and compare", "backup verify",
            "stravinsky backup verify v0.3.8\nstravinsky backup verify --all",
            [this](const Invocation& i) {
              if (!verify_.id.empty() || all_) return run_backup_verify(i, verify_);
              return i.fail(make_error(ErrorCode::kUsage, "name a backup, or give --all"));
            });
    verify->add_option("backup", verify_.id, "A backup's id or a version");
    verify->add_flag("--all", all_, "All of them");
    verify->add_flag("--quick", verify_.quick, "Whole archives only, not each file in them");
  }

  engine::ExtraFiles extra_files() const {
    return exact_ ? engine::ExtraFiles::kRemove : engine::ExtraFiles::kKeep;
  }

  ExitCode recover_file(const Invocation& i) const {
    if (list_) return run_file_history(i, source_);
    if (!copy_to_.empty())
      return run_copy_out(i, {.path = source_, .version_or_id = version_, .to = copy_to_});
    return run_recover_file(i,
                            {.path = source_, .version_or_id = version_, .json_path = json_path_});
  }

  void add_recovery() {
    CLI::App* recovery = group("recovery", "When something is broken");
    add_no_backup(*recovery);
    CLI::App* file =
        add(*recovery, "file", "Bring one file back, or one value of the settings", "recovery file",
            "stravinsky recovery file ~/.claude/hooks/x.py\n"
            "stravinsky recovery file ~/.claude/hooks/x.py --list\n"
            "stravinsky recovery file ~/.claude/settings.json v0.3.8 --path hooks.Stop",
            [this](const Invocation& i) { return recover_file(i); });
    file->add_option("path", source_, "The file")->required();
    file->add_option("backup", version_,
                     "Out of which backup or version (default: the newest that differs)");
    CLI::Option* list = file->add_flag("--list", list_, "Every state of it that is kept");
    CLI::Option* to =
        file->add_option("--to", copy_to_, "Write it to this new file; the tree stays as it is");
    CLI::Option* path = file->add_option("--path", json_path_,
                                         "One value of a settings file, as in hooks.PreToolUse");
    list->excludes(to)->excludes(path);
    to->excludes(path);
    CLI::App* directory =
        add(*recovery, "directory", "Bring a directory back, or the settings", "recovery directory",
            "stravinsky recovery directory ~/.claude/hooks\n"
            "stravinsky recovery directory ~/.claude/commands v0.3.8 --exact\n"
            "stravinsky recovery directory settings",
            [this](const Invocation& i) {
              return run_recover_directory(
                  i, {.path = source_, .version_or_id = version_, .extra_files = extra_files()});
            });
    directory->add_option("path", source_, "The directory, or the name of a component")->required();
    directory->add_option("backup", version_,
                          "Out of which backup or version (default: the newest that differs)");
    directory->add_flag("--exact", exact_, "Also remove your own files that it lacks");
    CLI::App* version =
        add(*recovery, "version", "Bring a whole version back: the same as rollback to",
            "recovery version",
            "stravinsky recovery version v0.3.8\nstravinsky recovery version v0.3.8 --dry-run",
            [this](const Invocation& i) {
              return run_rollback_to(i, {.version_or_id = version_, .extra_files = extra_files()});
            });
    version->add_option("version", version_, "A version or a backup's id")->required();
    version->add_flag("--exact", exact_, "Also remove your own files that it lacks");
    CLI::App* emergency =
        add(*recovery, "emergency", "Back to the newest intact backup, whatever else is broken",
            "recovery emergency",
            "stravinsky recovery emergency --dry-run\nstravinsky recovery emergency\n"
            "stravinsky recovery emergency --pick v0.3.8",
            [this](const Invocation& i) { return run_emergency(i, emergency_); });
    emergency->add_option("--pick", emergency_.pick,
                          "This backup instead of the newest intact one");
    emergency->add_option("--reason", emergency_.reason, "What happened, for the record");
    add(*recovery, "disarm", "Switch all hooks off: one of them blocks everything",
        "recovery disarm", "stravinsky recovery disarm\nstravinsky recovery disarm --dry-run",
        run_disarm);
    add(*recovery, "arm", "Put back what disarm took out", "recovery arm",
        "stravinsky recovery arm\nstravinsky recovery arm --dry-run", run_arm);
    CLI::App* doctor =
        add(*recovery, "doctor", "What is broken, and the command that mends it", "recovery doctor",
            "stravinsky recovery doctor\nstravinsky recovery doctor --fix",
            [this](const Invocation& i) { return run_doctor(i, doctor_); });
    doctor->add_flag("--fix", doctor_.fix, "Mend what needs no decision of yours");
    CLI::App* report = add(
        *recovery, "report", "All facts for who helps you, without any secret", "recovery report",
        "stravinsky recovery report -o ~/report.json\nstravinsky recovery report",
        [this](const Invocation& i) { return run_report(i, report_); });
    report->add_option("--output,-o", report_.output, "Write it to this new file");
    CLI::App* resume = add(*recovery, "resume", "Finish what was interrupted", "recovery resume",
                           "stravinsky recovery resume\nstravinsky recovery resume --accept-root",
                           [this](const Invocation& i) { return run_resume(i, resume_); });
    resume->add_flag("--accept-root", resume_.accept_root,
                     "The tree's directory was replaced on purpose");
    resume->add_option("--set-aside", resume_.set_aside,
                       "Move this transaction's damaged journal out of the way");
  }

  void add_audit() {
    CLI::App* audit = group("audit", "The record of every operation");
    CLI::App* log = add(*audit, "log", "What happened, newest first", "audit log",
                        "stravinsky audit log --limit 20\n"
                        "stravinsky audit log --type UPDATE_FAILED --from 2026-01-01",
                        [this](const Invocation& i) { return run_audit_log(i, log_); });
    log->add_option("--type", log_.type, "Only this event type");
    log->add_option("--version", log_.version, "Only this version");
    log->add_option("--status", log_.status, "success, failed, rolled_back or recovered");
    log->add_option("--from", log_.from, "From this day or time (UTC)");
    log->add_option("--to", log_.to, "Up to this day or time (UTC), included");
    // Where a conversion to an unsigned number would wrap round.
    const CLI::Validator not_negative(
        [](const std::string& text) -> std::string {
          return text.starts_with('-') ? "must not be negative" : "";
        },
        "");
    log->add_option("--limit", log_.limit, "At most so many (default 1000)")->check(not_negative);
    add(*audit, "verify", "Was the record changed?", "audit verify",
        "stravinsky audit verify\nstravinsky audit verify --json", run_audit_verify);
  }

  CLI::App app_;
  Flags flags_;
  Run run_;
  std::string command_;
  std::string version_;
  std::string source_;
  std::string scope_ = "user";
  std::string begun_;
  bool installer_failed_ = false;
  std::string installer_error_;
  std::vector<std::string> removes_;
  std::string conflict_;
  std::string unknown_base_;
  bool allow_downgrade_ = false;
  BundleArguments bundle_;
  bool exact_ = false;
  bool list_ = false;
  std::string copy_to_;
  std::string json_path_;
  bool all_ = false;
  BackupCreateArguments create_;
  BackupVerifyArguments verify_;
  ResumeArguments resume_;
  engine::EmergencyRequest emergency_;
  DoctorArguments doctor_;
  ReportArguments report_;
  AuditLogArguments log_;
};

bool locale_is_utf8(const engine::Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment.variable(name);
    if (!value || value->empty()) continue;
    return value->find("UTF-8") != std::string::npos || value->find("utf8") != std::string::npos;
  }
  return false;
}

ExitCode run(int argc, char** argv, fs::FileSystem& disk, bool& may_have_changed) {
  if (argc <= 1) {
    print_out(std::string(kFirstWords) + "\n");
    return ExitCode::kDone;
  }
  CommandLine line;
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0)
      return usage_error(line.app(), error, std::span(argv + 1, argv + argc));
    line.app().exit(error);  // prints the help, or the version
    return ExitCode::kDone;
  }
  if (const CLI::Option* empty = find_empty(line.app()); empty != nullptr)
    return usage_error(line.app(), CLI::ValidationError(empty->get_name(), "must not be empty"),
                       std::span(argv + 1, argv + argc));
  Flags& flags = line.flags();
  OutputOptions options;
  options.format = flags.json ? Format::kJson : Format::kText;
  options.quiet = flags.quiet;
  options.color = flags.color == "always"  ? Color::kAlways
                  : flags.color == "never" ? Color::kNever
                                           : Color::kAuto;
  if (!line.run())  // options alone
    return Output(options).error("", make_error(ErrorCode::kUsage, "there is no command")
                                         .with_untouched("Nothing was changed.")
                                         .with_remedy("See: stravinsky --help"));
  if (!flags.root.empty()) flags.global.root = flags.root;
  if (!flags.project.empty()) flags.global.project = flags.project;
  // Whatever an operation forgets to ask: a dry run cannot write.
  fs::ReadOnlyFs read_only(disk);
  fs::FileSystem& fs = flags.global.dry_run ? static_cast<fs::FileSystem&>(read_only) : disk;
  const auto environment = real_environment(fs);
  if (!environment) return Output(options).error(line.command(), environment.error());
  const auto no_color = environment->variable("NO_COLOR");
  options.no_color_variable = no_color && !no_color->empty();
  options.utf8 = locale_is_utf8(*environment);
  const Output output(options);
  const Invocation invocation{.environment = *environment,
                              .output = output,
                              .options = flags.global,
                              .command = line.command(),
                              .may_have_changed = &may_have_changed};
  return line.run()(invocation);
}

}  // namespace

ExitCode run_program(int argc, char** argv, fs::FileSystem& fs) {
  open_standard_files();
  bool may_have_changed = false;
  const ExitCode code = run(argc, argv, fs, may_have_changed);
  const int sys_errno = finish_output();
  // A reader that left is its own affair.
  if (sys_errno == 0 || sys_errno == EPIPE) return code;
  // What was done is done, whoever could not be told; who only asked was not answered.
  const bool has_failed = code == ExitCode::kDone && !may_have_changed;
  print_error(fmt::format("{}: the output could not be written completely: {}\n",
                          has_failed ? "error" : "warning", std::strerror(sys_errno)));
  return has_failed ? ExitCode::kFailed : code;
}

}  // namespace stravinsky::cli
