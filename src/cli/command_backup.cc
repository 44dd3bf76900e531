#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "engine/backups.h"
#include "engine/take_backup.h"
#include "engine/unreadable.h"

namespace stravinsky::cli {
namespace {

using nlohmann::json;

json info_object(const store::BackupInfo& info) {
  return {{"id", info.id},
          {"version", info.version.str()},
          {"sequence", info.sequence},
          {"timestamp", utc_seconds(info.time_ns)},
          {"kind", backup_kind_name(info.kind)},
          {"pinned", info.pinned},
          {"size_bytes", info.size_bytes},
          {"files_count", info.files_count}};
}

json omissions_array(const store::Snapshot& snapshot) {
  json omissions = json::array();
  for (const store::Omission& omission : snapshot.omissions)
    omissions.push_back({{"path", omission.path.display()},
                         {"reason", store::omission_reason_name(omission.reason)},
                         {"leads_to", escape(omission.leads_to)}});
  return omissions;
}

Error no_store(const std::string& id) {
  return make_error(ErrorCode::kNotFound, "there is no such backup: there are none yet", escape(id))
      .with_remedy("Make one with: stravinsky backup create");
}

// Files and links that a manifest stores; directories are no files.
size_t file_count(const model::Manifest& manifest) {
  return static_cast<size_t>(std::ranges::count_if(manifest.entries, [](const auto& entry) {
    return entry.is_stored() && entry.type != fs::NodeType::kDirectory;
  }));
}

// The same of what a backup would store.
size_t file_count(const store::Snapshot& snapshot) {
  return static_cast<size_t>(std::ranges::count_if(snapshot.entries, [](const auto& entry) {
    return entry.state == model::EntryState::kStored && entry.stat.type != fs::NodeType::kDirectory;
  }));
}

// An absent tree is backed up as such, which is seldom what was meant.
json warn_of_no_tree(const Output& out, const engine::Session& session) {
  json warnings = json::array();
  const store::Root& root = session.roots().user;
  if (root.exists) return warnings;
  const std::string text =
      "there is no tree at " + escape(root.path) + "; that it is absent is what the backup records";
  out.warning(text);
  warnings.push_back(text);
  return warnings;
}

}  // namespace

json tell_damaged(const Output& out, const store::BackupList& list) {
  json damaged = json::array();
  for (const store::BackupList::Broken& one : list.broken) {
    out.warning(fmt::format("{} is damaged: {}", escape(one.id), one.error.to_string()));
    damaged.push_back({{"id", escape(one.id)}, {"error", one.error.to_string()}});
  }
  return damaged;
}

ExitCode run_backup_create(const Invocation& invocation, const BackupCreateArguments& arguments) {
  const auto session = invocation.open_session(Use::kWrite);
  if (!session) return invocation.fail(session.error());
  engine::Session& s = **session;
  if (s.is_dry_run()) {
    const auto snapshot = s.list_tree();
    if (!snapshot) return invocation.fail(snapshot.error());
    json warnings = warn_of_no_tree(invocation.output, s);
    for (const std::string& warning : engine::omission_warnings(*snapshot)) {
      invocation.output.warning(warning);
      warnings.push_back(warning);
    }
    invocation.output.line(
        fmt::format("Dry run: a backup would hold {}, {} before they are compressed.",
                    counted(file_count(*snapshot), "file"), human_size(snapshot->content_bytes())));
    invocation.output.json(invocation.command,
                           {{"planned", true},
                            {"files_count", file_count(*snapshot)},
                            {"content_bytes", snapshot->content_bytes()},
                            {"not_in_backup", omissions_array(*snapshot)},
                            {"warnings", std::move(warnings)}},
                           ExitCode::kDone);
    return ExitCode::kDone;
  }
  const auto taken = engine::create_backup(
      s, {.label = arguments.label,
          .kind = model::BackupKind::kManual,
          .pinned = arguments.pin ? store::Pinned::kYes : store::Pinned::kNo});
  if (!taken) return invocation.fail(taken.error());
  const model::Manifest& manifest = taken->created.manifest;
  const Output& out = invocation.output;
  for (const std::string& damaged : taken->created.damaged)
    out.warning(damaged + " is damaged; nothing new relies on it");
  json warnings = warn_of_no_tree(out, s);
  std::vector<std::string> told = engine::omission_warnings(taken->snapshot);
  std::ranges::copy(taken->created.warnings, std::back_inserter(told));
  for (const std::string& warning : told) {
    out.warning(warning);
    warnings.push_back(warning);
  }
  const size_t files = file_count(manifest);
  uint64_t skipped = 0;
  for (const model::Entry& entry : manifest.entries) {
    if (entry.state == model::EntryState::kSkipped) ++skipped;
    if (entry.state == model::EntryState::kUnstable)
      out.warning(entry.path.display() + " kept changing while it was read");
  }
  out.line(
      fmt::format("{} {}", out.tick(), out.good("Backup created and verified: " + manifest.id)));
  if (!taken->snapshot.omissions.empty())
    out.line(fmt::format("   not complete: {} of the tree {} not in it; see the warnings",
                         counted(taken->snapshot.omissions.size(), "path"),
                         taken->snapshot.omissions.size() == 1 ? "is" : "are"));
  out.line(fmt::format("   {}, {}", counted(files, "file"), human_size(taken->created.size_bytes)));
  out.line("To go back to it: stravinsky rollback to " + manifest.id);
  out.json(invocation.command,
           {{"success", true},
            {"id", manifest.id},
            {"version", manifest.version.str()},
            {"timestamp", utc_seconds(manifest.time_ns)},
            {"files_count", files},
            {"skipped", skipped},
            {"complete", taken->snapshot.omissions.empty()},
            {"not_in_backup", omissions_array(taken->snapshot)},
            {"warnings", std::move(warnings)},
            {"size_bytes", taken->created.size_bytes}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_backup_list(const Invocation& invocation) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  store::BackupList list;
  if ((*session)->has_store()) {
    auto found = (*session)->backups().list();
    if (!found) return invocation.fail(found.error());
    list = std::move(*found);
  }
  const Output& out = invocation.output;
  json backups = json::array();
  if (!list.backups.empty())
    out.line(fmt::format("{:<32} {:<12} {:<20}  {:>9}  {:>7}  {}", "backup", "version", "taken",
                         "size", "files", "kind"));
  for (auto at = list.backups.rbegin(); at != list.backups.rend(); ++at) {
    out.line(fmt::format("{:<32} {:<12} {}  {:>9}  {:>7}  {}{}", at->id, at->version.display(),
                         utc_seconds(at->time_ns), human_size(at->size_bytes),
                         with_thousands(at->files_count), backup_kind_name(at->kind),
                         at->pinned ? ", pinned" : ""));
    backups.push_back(info_object(*at));
  }
  json broken = tell_damaged(out, list);
  if (list.backups.empty()) out.line("No backups yet. Make one with: stravinsky backup create");
  out.json(invocation.command, {{"backups", std::move(backups)}, {"damaged", std::move(broken)}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_backup_show(const Invocation& invocation, const std::string& version_or_id) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  engine::Session& s = **session;
  if (!s.has_store()) return invocation.fail(no_store(version_or_id));
  const auto id = s.backups().find(version_or_id);
  if (!id) return invocation.fail(id.error());
  const auto manifest = s.backups().load_manifest(*id);
  if (!manifest) return invocation.fail(manifest.error());
  const Output& out = invocation.output;
  out.line("backup:   " + manifest->id);
  out.line("version:  " + manifest->version.display());
  out.line("taken:    " + utc_seconds(manifest->time_ns));
  out.line(fmt::format("kind:     {}{}", backup_kind_name(manifest->kind),
                       manifest->pinned ? ", pinned" : ""));
  out.line("tree:     " + escape(manifest->user_root));
  if (!manifest->project_root.empty()) out.line("project:  " + escape(manifest->project_root));
  json files = json::object();
  for (const model::StoredFile& file : manifest->files) {
    const std::string name = stored_name(*file.component, file.scope);
    if (!file.is_written()) continue;
    out.line(fmt::format("  {:<28} {:>6} files  {:>9}  {}", name, with_thousands(file.files_count),
                         human_size(file.size_bytes), file.sha256.hex().substr(0, 16)));
    files[name] = {{"files_count", file.files_count},
                   {"size_bytes", file.size_bytes},
                   {"sha256", file.sha256.hex()}};
  }
  json modifications = json::array();
  for (const model::UserModification& change : manifest->user_modifications) {
    out.line(fmt::format("  {}: {}", change.status, change.path));
    modifications.push_back({{"path", change.path}, {"status", change.status}});
  }
  out.line("To go back to it: stravinsky rollback to " + manifest->id);
  out.json(invocation.command,
           {{"id", manifest->id},
            {"version", manifest->version.str()},
            {"timestamp", utc_seconds(manifest->time_ns)},
            {"kind", backup_kind_name(manifest->kind)},
            {"pinned", manifest->pinned},
            {"roots",
             {{"user_root", escape(manifest->user_root)},
              {"project_root", escape(manifest->project_root)}}},
            {"files_count", file_count(*manifest)},
            {"entries", manifest->entries.size()},
            {"user_modifications", std::move(modifications)},
            {"files", std::move(files)}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_backup_verify(const Invocation& invocation, const BackupVerifyArguments& arguments) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const auto verdicts = engine::verify_backups(
      **session,
      {.version_or_id = arguments.id,
       .depth = arguments.quick ? store::VerifyDepth::kQuick : store::VerifyDepth::kFull});
  if (!verdicts) return invocation.fail(verdicts.error());
  const Output& out = invocation.output;
  json checked = json::array();
  json problems = json::object();
  for (const engine::BackupVerdict& verdict : *verdicts) {
    checked.push_back(verdict.id);
    if (verdict.problems.empty()) {
      out.line(fmt::format("{:<32} {}", verdict.id, out.good("good")));
      continue;
    }
    out.failure(fmt::format("{:<32} {}", verdict.id, "DAMAGED"));
    for (const std::string& problem : verdict.problems) out.failure("  " + problem);
    problems[verdict.id] = verdict.problems;
  }
  const ExitCode code = problems.empty() ? ExitCode::kDone : ExitCode::kCorrupt;
  if (checked.empty()) out.line("No backups yet. Make one with: stravinsky backup create");
  if (code != ExitCode::kDone)
    out.failure("Nothing was changed. Those that are good can be used: stravinsky backup list");
  out.json(invocation.command, {{"checked", std::move(checked)}, {"problems", std::move(problems)}},
           code);
  return code;
}

}  // namespace stravinsky::cli
