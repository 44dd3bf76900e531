#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"

namespace stravinsky::cli {

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
  if (result->outcome == engine::Outcome::kDone)
    invocation.output.line(invocation.output.good("Update successful: " + result->from_version +
                                                  " -> " + result->to_version));
  return tell_operation(invocation, *result);
}

}  // namespace stravinsky::cli
