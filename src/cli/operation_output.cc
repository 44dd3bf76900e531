#include "cli/operation_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/finding_output.h"
#include "engine/error_matrix.h"
#include "engine/surroundings.h"

namespace stravinsky::cli {
namespace {

using engine::FileAction;
using engine::FileReport;
using engine::OperationResult;
using engine::Outcome;
using nlohmann::json;

constexpr size_t kNamesShown = 12;

// The documented transaction record's type; empty when nothing changes.
std::string_view record_type(const FileReport& file) {
  if (file.old_hash == file.new_hash) return "";
  if (file.old_hash.empty()) return "create";
  return file.new_hash.empty() ? "delete" : "modify";
}

std::string_view heading(FileAction action) {
  switch (action) {
    case FileAction::kAdd:
      return "added";
    case FileAction::kChange:
      return "changed";
    case FileAction::kMerge:
      return "merged";
    case FileAction::kDelete:
      return "deleted";
    case FileAction::kReplaceTheirs:
      return "replaced";
    case FileAction::kKeepMine:
      return "kept";
    case FileAction::kConflict:
      return "in conflict";
    case FileAction::kSetAside:
      return "set aside";
  }
  return "changed";
}

// What a dry run says instead.
std::string_view planned_heading(FileAction action) {
  switch (action) {
    case FileAction::kAdd:
      return "to add";
    case FileAction::kChange:
      return "to change";
    case FileAction::kMerge:
      return "to merge";
    case FileAction::kDelete:
      return "to delete";
    case FileAction::kReplaceTheirs:
      return "to replace";
    case FileAction::kKeepMine:
      return "to keep";
    case FileAction::kConflict:
      return "in conflict";
    case FileAction::kSetAside:
      return "to set aside";
  }
  return "to change";
}

// Plain additions, changes and deletions need no word of their own.
bool needs_a_line(const FileReport& file) {
  return !file.note.empty() || !file.command.empty();
}

void tell_files(const Output& out, const OperationResult& result) {
  for (const FileAction action :
       {FileAction::kAdd, FileAction::kChange, FileAction::kMerge, FileAction::kReplaceTheirs,
        FileAction::kDelete, FileAction::kKeepMine, FileAction::kConflict, FileAction::kSetAside}) {
    size_t count = 0;
    for (const FileReport& file : result.files) count += file.action == action ? 1U : 0U;
    if (count == 0) continue;
    const bool is_plan = result.outcome == Outcome::kPlanned;
    out.line(fmt::format("{} {}", count, is_plan ? planned_heading(action) : heading(action)));
    size_t plain = 0;
    for (const FileReport& file : result.files) {
      if (file.action != action) continue;
      // A plan is read to be checked: it hides nothing.
      if (!needs_a_line(file) && !is_plan && ++plain > kNamesShown) continue;
      out.line(file.note.empty() ? "  " + file.path
                                 : fmt::format("  {}  {}", file.path, out.dim(file.note)));
      if (!file.command.empty()) out.line("    old one back: " + file.command);
    }
    if (plain > kNamesShown) out.line(fmt::format("  and {} more", plain - kNamesShown));
  }
}

void tell_findings(const Output& out, const OperationResult& result) {
  for (const checks::Finding& finding : result.findings) {
    if (!engine::is_told(finding)) continue;
    out.note(fmt::format("{}: {}", severity_name(finding.severity), finding.to_string()));
    if (!finding.remedy.empty()) out.note("  " + finding.remedy);
  }
  for (const std::string& warning : result.warnings) out.warning(warning);
  for (const txn::Kept& kept : result.kept)
    out.note(fmt::format("kept: {}: {}{}", kept.display, kept.why,
                         kept.kept_at.empty()
                             ? ""
                             : "; a copy is " + shell_quote(result.store + "/" + kept.kept_at)));
}

std::string way_back(const OperationResult& result) {
  return result.kind == model::TransactionKind::kUndo ? "stravinsky rollback redo"
                                                      : "stravinsky rollback undo";
}

// The next step after a failure that has no remedy of its own.
std::string look_at_the_trail(const OperationResult& result) {
  const bool is_update = result.kind == model::TransactionKind::kUpdate;
  return std::string(is_update ? "Nothing is installed; see" : "See") +
         " what happened with: stravinsky audit log --limit 5";
}

// Without a change there is no step that undo could take back, whatever is noted.
void tell_nothing_changed(const Output& out, const OperationResult& result, bool is_dry_run) {
  const bool differs = std::ranges::any_of(result.files, [](const FileReport& file) {
    return file.action == FileAction::kConflict || file.action == FileAction::kKeepMine;
  });
  if (!differs && result.from_version == result.to_version) {
    out.line(fmt::format("Nothing to do: the tree is as asked for ({}).", result.to_version));
    return;
  }
  out.line(differs ? "No file was changed: what differs is yours and stays."
                   : "No file was changed: the tree held these files already.");
  if (result.from_version != result.to_version)
    out.line(fmt::format("{} {} noted as installed now ({} before); there is nothing to take back.",
                         result.to_version, is_dry_run ? "would be" : "is", result.from_version));
}

void tell_end(const Output& out, const OperationResult& result, bool is_dry_run) {
  switch (result.outcome) {
    case Outcome::kDone:
      if (!result.deleted_backups.empty())
        out.line(fmt::format("Deleted to keep within the limits: backup {}",
                             fmt::join(result.deleted_backups, ", ")));
      if (result.transaction_id.empty()) {
        out.line(
            fmt::format("No file changed; {} is noted as installed. There is nothing to take back.",
                        result.to_version));
        break;
      }
      out.line("Restart Claude Code so that running sessions see the change.");
      out.line(fmt::format("Now at {}. To take it back: {}", result.to_version, way_back(result)));
      break;
    case Outcome::kNothingToDo:
      tell_nothing_changed(out, result, is_dry_run);
      break;
    case Outcome::kPlanned:
      out.line("Dry run: nothing was changed.");
      break;
    case Outcome::kRolledBack:
      if (result.kind == model::TransactionKind::kUpdate)
        out.failure("Update Failed - Automatic Rollback Completed");
      out.failure(fmt::format(
          "error: Rolled back to {} due to: {}\n  The tree is the old one again ({}).\n  {}",
          result.from_version, result.failure->to_string(), result.from_version,
          result.failure->remedy.empty() ? look_at_the_trail(result) : result.failure->remedy));
      break;
    case Outcome::kVerifyFailed:
      out.failure("error: " + result.failure->to_string() +
                  (result.transaction_id.empty()
                       ? "\n  No file was changed, so there is nothing to take back."
                         "\n  The fault was there before; see: stravinsky check"
                       : "\n  The new tree is in force, since automatic rollback is switched off."
                         "\n  To take it back: stravinsky rollback undo"));
      break;
    case Outcome::kRollbackFailed:
      out.failure("CRITICAL: Rollback Failed");
      out.failure(fmt::format(
          "error: Automatic rollback failed: {}\n  It had to be taken back because of: {}\n"
          "  Manual recovery required. {}\n  {}{}",
          result.rollback_error->to_string(), result.failure->to_string(),
          result.rollback_error->untouched, result.rollback_error->remedy,
          result.recovery_instructions.empty()
              ? ""
              : "\n  Every step, by hand too, is in " + escape(result.recovery_instructions)));
      break;
  }
}

// Every one that verification found, or what failed instead.
json failures(const OperationResult& result) {
  json all = json::array();
  for (const engine::Verified& one : result.verified)
    for (const std::string& failure : one.failures) all.push_back(one.name + ": " + failure);
  if (all.empty()) all.push_back(result.failure->to_string());
  return all;
}

json verifications(const OperationResult& result) {
  json all = json::array();
  for (const engine::Verified& one : result.verified)
    all.push_back(
        {{"name", one.name}, {"success", one.failures.empty()}, {"failures", one.failures}});
  return all;
}

std::string_view response(const OperationResult& result) {
  switch (result.outcome) {
    case Outcome::kRollbackFailed:
      return "emergency_recovery";
    case Outcome::kVerifyFailed:
      return response_name(engine::Response::kStay);
    default:
      return response_name(engine::Response::kTakeBack);
  }
}

}  // namespace

json operation_object(const OperationResult& result) {
  json files = json::array();
  for (const FileReport& file : result.files) {
    files.push_back({{"action", file_action_name(file.action)},
                     {"path", file.path},
                     {"note", file.note},
                     {"command", file.command},
                     {"type", record_type(file)},
                     {"old_hash", file.old_hash},
                     {"new_hash", file.new_hash},
                     {"status", result.outcome == Outcome::kDone ? "complete" : "pending"}});
  }
  json steps = json::array();
  for (const engine::Step& step : result.steps)
    steps.push_back({{"name", step.name},
                     {"status", step.status},
                     {"duration_ms", step.duration_ns / 1'000'000},
                     {"detail", step.detail}});
  json kept = json::array();
  for (const txn::Kept& one : result.kept)
    kept.push_back({{"path", one.display}, {"kept_at", one.kept_at}, {"why", one.why}});
  const bool rolled_back = result.outcome == Outcome::kRolledBack;
  json object = {{"success", !result.failure.has_value()},
                 {"outcome", outcome_name(result.outcome)},
                 {"from_version", result.from_version},
                 {"to_version", result.to_version},
                 {"backup_created", result.backup_created},
                 {"backups_deleted", result.deleted_backups},
                 {"source_backup", result.recovered_from ? result.recovered_from->backup_id : ""},
                 {"transaction", result.transaction_id},
                 {"duration_seconds", static_cast<double>(result.duration_ns) / 1e9},
                 {"swap_milliseconds", static_cast<double>(result.swap_ns) / 1e6},
                 {"auto_rolled_back", rolled_back},
                 {"rolled_back_to", rolled_back ? json(result.from_version) : json(nullptr)},
                 {"rollback_error", nullptr},
                 {"recovery_required", false},
                 {"failures", json::array()},
                 {"verifications", verifications(result)},
                 {"steps", std::move(steps)},
                 {"files", std::move(files)},
                 {"findings", findings_array(result.findings)},
                 {"warnings", result.warnings},
                 {"kept", std::move(kept)}};
  if (result.failure) {
    object["failures"] = failures(result);
    object["error"] = error_object(*result.failure);
    object["error"]["class"] = result.error_class;
    object["error"]["response"] = response(result);
  }
  if (result.rollback_error) {
    object["rollback_error"] = result.rollback_error->to_string();
    object["recovery_required"] = true;
    object["recovery_instructions"] = result.recovery_instructions;
  }
  return object;
}

ExitCode tell_operation(const Invocation& invocation, const OperationResult& result) {
  const ExitCode code = exit_code_of(result);
  const Output& out = invocation.output;
  if (out.is_json()) {
    out.json(invocation.command, operation_object(result), code);
    return code;
  }
  if (result.outcome != Outcome::kRolledBack) tell_files(out, result);
  tell_findings(out, result);
  tell_end(out, result, invocation.options.dry_run);
  return code;
}

}  // namespace stravinsky::cli
