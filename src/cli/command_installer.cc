#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"

namespace stravinsky::cli {
namespace {

std::string_view taken_back_word(engine::FileAction action) {
  switch (action) {
    case engine::FileAction::kAdd:
      return "brought back";
    case engine::FileAction::kDelete:
      return "deleted";
    default:
      return "changed";
  }
}

// Every one of them: what the user did meanwhile is among it, and nobody can tell which.
void tell_taken_back(const Output& out, const engine::OperationResult& result) {
  if (result.files.empty()) return;
  out.line("Taken back: " + counted(result.files.size(), "file") +
           ", with what you changed yourself meanwhile.");
  const engine::FileReport* displaced = nullptr;
  for (const engine::FileReport& file : result.files) {
    out.line(fmt::format("  {:<12}  {}", taken_back_word(file.action), file.path));
    if (displaced == nullptr && !file.command.empty()) displaced = &file;
  }
  if (displaced == nullptr) return;
  out.line("What stood there is in the backup " + result.backup_created +
           ". To bring one file back, for example: " + displaced->command);
}

}  // namespace

ExitCode run_update_begin(const Invocation& invocation, const engine::BeginRequest& request) {
  const auto session = invocation.open_session(Use::kWrite);
  if (!session) return invocation.fail(session.error());
  const auto answer = engine::begin_update(**session, request);
  if (!answer) return invocation.fail(answer.error());
  const store::BegunUpdate* begun = &answer->update;
  const Output& out = invocation.output;
  for (const std::string& warning : answer->warnings) out.warning(warning);
  if (invocation.options.dry_run) {
    out.line("Dry run: nothing was changed; the update could begin.");
  } else {
    out.line(fmt::format("{} {}", out.tick(),
                         out.good("The tree is guarded: backup " + begun->backup + ".")));
    out.line("Run the installer now, then: stravinsky update finish " +
             shell_quote(begun->version));
    out.line("If it fails, to go back: stravinsky update finish " + shell_quote(begun->version) +
             " --failed");
  }
  out.json(invocation.command,
           {{"token", begun->token},
            {"version", begun->version},
            {"from_version", begun->from_version},
            {"backup_created", begun->backup},
            {"started", utc_seconds(begun->started_ns)},
            {"warnings", answer->warnings}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_update_finish(const Invocation& invocation, const engine::FinishRequest& request) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::finish_update(**session, request);
  if (!result) return invocation.fail(result.error());
  const Output& out = invocation.output;
  if (result->outcome == engine::Outcome::kDone && !result->transaction_id.empty())
    out.line(out.good("Update successful: " + result->from_version + " -> " + result->to_version));
  if (result->outcome == engine::Outcome::kRolledBack) tell_taken_back(out, *result);
  return tell_operation(invocation, *result);
}

}  // namespace stravinsky::cli
