#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/resume.h"

namespace stravinsky::cli {

ExitCode run_recover_file(const Invocation& invocation, const engine::RecoverFileRequest& request) {
  const auto session = invocation.open_session(Use::kWrite);
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
  const auto session = invocation.open_session(Use::kWrite);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::resume(
      **session, {.replaced_root = arguments.accept_root ? txn::ReplacedRoot::kAccept
                                                         : txn::ReplacedRoot::kRefuse,
                  .set_aside = arguments.set_aside});
  if (!result) return invocation.fail(result.error());
  nlohmann::json transactions = nlohmann::json::array();
  for (const txn::Recovered& one : result->recovered) {
    transactions.push_back({{"transaction", one.facts.id},
                            {"action", recovery_action_name(one.action)},
                            {"changes", one.changed.size()},
                            {"error", one.error ? one.error->to_string() : ""}});
  }
  const ExitCode code = result->all_done() ? ExitCode::kDone : ExitCode::kRecoveryRequired;
  const Output& out = invocation.output;
  if (result->recovered.empty()) out.line("Nothing to recover.");
  if (!result->all_done()) out.note("Some of it could not be finished; see above.");
  out.json(invocation.command, {{"transactions", std::move(transactions)}}, code);
  return code;
}

}  // namespace stravinsky::cli
