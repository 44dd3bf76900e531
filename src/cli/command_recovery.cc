#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/file_history.h"
#include "engine/recovery.h"
#include "engine/resume.h"

namespace stravinsky::cli {

using nlohmann::json;

namespace {

// What every level says first: what is back, and where it came from.
void tell_recovered(const Output& out, const engine::OperationResult& result, std::string_view what,
                    const std::string& restored) {
  if (result.outcome != engine::Outcome::kDone || !result.recovered_from) return;
  const engine::RecoveredFrom& from = *result.recovered_from;
  out.line(fmt::format("{} {}", out.tick(), out.good(fmt::format("{}: {}", what, from.what))));
  out.line(fmt::format("   Source: backup {} ({})", from.backup_id, utc_seconds(from.time_ns)));
  out.line("   " + restored);
}

// A state in one line: which backup, when, how large, which bytes, what changed.
std::string state_line(const engine::FileState& state, size_t id_width) {
  constexpr size_t kHashShown = 10;
  std::string content = "not there";
  if (state.image.kind == model::ImageKind::kFile)
    content = fmt::format("{:>11}  {}", with_thousands(state.image.size_bytes) + " B",
                          state.image.sha256.hex().substr(0, kHashShown));
  if (state.image.kind == model::ImageKind::kSymlink)
    content = "link to " + escape(state.image.link_text);
  std::string line = fmt::format("  {:<{}}  {}  {:<23}  {}", state.backup_id, id_width,
                                 utc_seconds(state.time_ns), content, state.difference);
  while (line.ends_with(' ')) line.pop_back();
  if (state.is_now) line += "  (as it is now)";
  if (!state.is_sound) line += "  (DAMAGED)";
  return line;
}

}  // namespace

ExitCode run_recover_file(const Invocation& invocation, const engine::RecoverFileRequest& request) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::recover_file(**session, request);
  if (!result) return invocation.fail(result.error());
  if (result->recovered_from)
    tell_recovered(
        invocation.output, *result, "File recovered",
        fmt::format("Restored {} bytes", with_thousands(result->recovered_from->size_bytes)));
  return tell_operation(invocation, *result);
}

ExitCode run_recover_directory(const Invocation& invocation,
                               const engine::RecoverDirectoryRequest& request) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::recover_directory(**session, request);
  if (!result) return invocation.fail(result.error());
  if (result->recovered_from)
    tell_recovered(
        invocation.output, *result, "Directory recovered",
        fmt::format("Restored {}, {}", counted(result->recovered_from->files_count, "file"),
                    human_size(result->recovered_from->size_bytes)));
  return tell_operation(invocation, *result);
}

ExitCode run_file_history(const Invocation& invocation, const std::string& path) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const auto history = engine::file_history(**session, path);
  if (!history) return invocation.fail(history.error());
  const Output& out = invocation.output;
  json states = json::array();
  size_t id_width = 0;
  for (const engine::FileState& state : history->states)
    id_width = std::max(id_width, state.backup_id.size());
  out.line(fmt::format("{}: {}, the newest first", history->path.display(),
                       counted(history->states.size(), "state")));
  for (const engine::FileState& state : history->states) {
    out.line(state_line(state, id_width));
    states.push_back(
        {{"backup", state.backup_id},
         {"timestamp", utc_seconds(state.time_ns)},
         {"backups", state.backups},
         {"kind", image_kind_name(state.image.kind)},
         {"size_bytes", state.image.size_bytes},
         {"sha256",
          state.image.kind == model::ImageKind::kFile ? state.image.sha256.hex() : std::string()},
         {"mode", state.image.mode},
         {"is_now", state.is_now},
         {"is_sound", state.is_sound},
         {"difference", state.difference}});
  }
  for (const std::string& id : history->unreadable)
    out.warning("backup " + escape(id) + " cannot be read: stravinsky backup verify " +
                shell_quote(id));
  out.line("One of them back: stravinsky recovery file " + shell_quote(history->path.display()) +
           " BACKUP");
  out.json(invocation.command,
           {{"path", history->path.display()},
            {"states", std::move(states)},
            {"unreadable", history->unreadable}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_copy_out(const Invocation& invocation, const CopyOutArguments& arguments) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const auto copied = engine::copy_out(**session, arguments.path, arguments.version_or_id,
                                       invocation.absolute(arguments.to));
  if (!copied) return invocation.fail(copied.error());
  const Output& out = invocation.output;
  out.line(fmt::format(
      "{} {}", out.tick(),
      out.good((invocation.options.dry_run ? "Would write: " : "Written: ") + escape(copied->to))));
  out.line(fmt::format("   {} as backup {} ({}) has it", copied->path.display(), copied->backup_id,
                       utc_seconds(copied->time_ns)));
  out.line(fmt::format("   {} bytes; the tree is as it was", with_thousands(copied->size_bytes)));
  out.json(invocation.command,
           {{"path", copied->path.display()},
            {"written", invocation.options.dry_run ? "" : copied->to},
            {"source_backup", copied->backup_id},
            {"size_bytes", copied->size_bytes}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_resume(const Invocation& invocation, const ResumeArguments& arguments) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::resume(
      **session, {.replaced_root = arguments.accept_root ? txn::ReplacedRoot::kAccept
                                                         : txn::ReplacedRoot::kRefuse,
                  .set_aside = arguments.set_aside});
  if (!result) return invocation.fail(result.error());
  const Output& out = invocation.output;
  json transactions = json::array();
  for (const txn::Recovered& one : result->recovered) {
    transactions.push_back({{"transaction", one.facts.id},
                            {"action", recovery_action_name(one.action)},
                            {"changes", one.changed.size()},
                            {"error", one.error ? one.error->to_string() : ""}});
  }
  for (const engine::StillAside& one : result->still_aside) {
    out.failure("INCONSISTENT: transaction " + one.id +
                " stays set aside: " + one.error.to_string() + "\n  Read " + escape(one.directory) +
                ", put right what it names, then delete that directory.");
    transactions.push_back({{"transaction", one.id},
                            {"action", "set_aside"},
                            {"changes", 0},
                            {"error", one.error.to_string()}});
  }
  for (const std::string& id : result->planned)
    out.line("Dry run: transaction " + id + " would be finished or taken back.");
  if (!result->set_aside.empty())
    out.line("Transaction " + result->set_aside +
             " is set aside; nothing in the tree was changed. Commands go on without it; updates "
             "do once the tree is whole (stravinsky rollback to VERSION).");
  const ExitCode code = result->all_done() ? ExitCode::kDone : ExitCode::kRecoveryRequired;
  if (transactions.empty() && result->planned.empty() && result->set_aside.empty())
    out.line("Nothing to recover.");
  if (code != ExitCode::kDone) out.failure("Some of it could not be finished; see above.");
  out.json(invocation.command,
           {{"transactions", std::move(transactions)},
            {"planned", result->planned},
            {"set_aside", result->set_aside}},
           code);
  return code;
}

}  // namespace stravinsky::cli
