#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/resume.h"

namespace stravinsky::cli {

using nlohmann::json;

ExitCode run_recover_file(const Invocation& invocation, const engine::RecoverFileRequest& request) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::recover_file(**session, request);
  if (!result) return invocation.fail(result.error());
  const Output& out = invocation.output;
  if (result->outcome == engine::Outcome::kDone && result->recovered_from) {
    const engine::RecoveredFrom& from = *result->recovered_from;
    out.line(
        fmt::format("{} {}", out.tick(), out.good("File recovered: " + result->files[0].path)));
    out.line(fmt::format("   Source: backup {} ({})", from.backup_id, utc_seconds(from.time_ns)));
    out.line(fmt::format("   Restored {} bytes", with_thousands(from.size_bytes)));
  }
  return tell_operation(invocation, *result);
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
