#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/history.h"

namespace stravinsky::cli {
namespace {

using engine::OperationResult;
using nlohmann::json;

enum class Answer { kYes, kNo };

// A declared policy decides, or the run is refused: no prompt without a terminal.
Result<Answer> confirm(const Invocation& invocation, const engine::Session& session) {
  if (!session.config().boolean("safety.require_manual_confirmation_for_rollback") ||
      invocation.options.yes || invocation.options.dry_run)
    return Answer::kYes;
  if (isatty(STDIN_FILENO) != 1)
    return make_error(ErrorCode::kUsage, "the configuration demands a confirmation")
        .with_untouched("Nothing was changed.")
        .with_remedy("Add --yes.");
  print_error(fmt::format("Go on with {}? [y/N] ", invocation.command));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes" ? Answer::kYes : Answer::kNo;
}

// No error of anything: the user has decided.
ExitCode tell_not_confirmed(const Invocation& invocation) {
  const Output& out = invocation.output;
  if (!out.is_json())
    out.failure("Not confirmed. Nothing was changed.\n  To go on, answer y, or add --yes.");
  out.json(invocation.command, {{"outcome", "not_confirmed"}}, ExitCode::kFailed);
  return ExitCode::kFailed;
}

// "12.3 seconds"; shorter ones with as many digits as they need to be more than 0.
std::string seconds(int64_t duration_ns) {
  const double number = static_cast<double>(duration_ns) / 1e9;
  const int digits = number >= 0.1 ? 1 : number >= 0.01 ? 2 : 3;
  return fmt::format("{:.{}f} seconds", number, digits);
}

void tell_success(const Invocation& invocation, const OperationResult& result) {
  if (result.outcome != engine::Outcome::kDone) return;
  const Output& out = invocation.output;
  out.line("");
  out.line(
      fmt::format("{} {}", out.tick(),
                  out.good(result.kind == model::TransactionKind::kRedo ? "Redo successful!"
                                                                        : "Rollback successful!")));
  out.line("   From: " + result.from_version);
  out.line("   To:   " + result.to_version);
  if (result.recovered_from)
    out.line(fmt::format("   Source: backup {} ({})", result.recovered_from->backup_id,
                         utc_seconds(result.recovered_from->time_ns)));
  out.line("   Created backup: " + result.backup_created);
  out.line("   Duration: " + seconds(result.duration_ns));
  out.line("");
}

template <typename Work>
ExitCode go_back(const Invocation& invocation, const Work& work) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const Result<Answer> answer = confirm(invocation, **session);
  if (!answer) return invocation.fail(answer.error());
  if (*answer == Answer::kNo) return tell_not_confirmed(invocation);
  const Result<OperationResult> result = work(**session);
  if (!result) return invocation.fail(result.error());
  tell_success(invocation, *result);
  return tell_operation(invocation, *result);
}

}  // namespace

ExitCode run_rollback_to(const Invocation& invocation, const engine::RollbackRequest& request) {
  return go_back(invocation, [&](engine::Session& s) { return engine::rollback_to(s, request); });
}

ExitCode run_undo(const Invocation& invocation) {
  return go_back(invocation, [](engine::Session& s) { return engine::undo(s); });
}

ExitCode run_redo(const Invocation& invocation) {
  return go_back(invocation, [](engine::Session& s) { return engine::redo(s); });
}

ExitCode run_rollback_list(const Invocation& invocation) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  engine::Session& s = **session;
  const auto latest = s.latest();
  if (!latest) return invocation.fail(latest.error());
  store::BackupList list;
  engine::StepsHere steps;
  if (s.has_store()) {
    auto found = s.backups().list();
    if (!found) return invocation.fail(found.error());
    list = std::move(*found);
    steps = engine::steps_here(s.fs(), s.store().fd(), s.roots(), *latest);
  }
  const Output& out = invocation.output;
  const std::string current = engine::version_at(*latest, s.roots().user);
  out.line(fmt::format("now at {}; {} to undo, {} to redo", current, steps.undo, steps.redo));
  for (const Error& error : steps.unreadable) out.warning(error.to_string());
  json versions = json::array();
  for (auto at = list.backups.rbegin(); at != list.backups.rend(); ++at) {
    out.line(fmt::format("{:<12} {:<32} {}  {:>9}  {}", at->version.display(), at->id,
                         utc_seconds(at->time_ns), human_size(at->size_bytes),
                         backup_kind_name(at->kind)));
    versions.push_back({{"version", at->version.str()},
                        {"backup", at->id},
                        {"timestamp", utc_seconds(at->time_ns)},
                        {"size_bytes", at->size_bytes},
                        {"kind", backup_kind_name(at->kind)}});
  }
  json damaged = tell_damaged(out, list);
  if (list.backups.empty())
    out.line("No backups yet. The first update or backup create makes one.");
  out.json(invocation.command,
           {{"current_version", current},
            {"undo", steps.undo},
            {"redo", steps.redo},
            {"versions", std::move(versions)},
            {"damaged", std::move(damaged)}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

}  // namespace stravinsky::cli
