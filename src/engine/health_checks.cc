#include "engine/health_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/strings.h"
#include "base/units.h"
#include "engine/scratch_home.h"

namespace stravinsky::engine {
namespace {

using checks::Finding;
using model::HealthCommand;
using model::HealthHome;

std::string why_it_failed(const Result<ProcessResult>& ended, const HealthCommand& command) {
  if (!ended) return "could not be started: " + ended.error().message;
  if (ended->timed_out)
    return fmt::format("did not end within {}",
                       counted(static_cast<uint64_t>(command.timeout_seconds), "second"));
  return ended->exit_code == 0 ? "" : fmt::format("ended with {}", ended->exit_code);
}

}  // namespace

Result<std::vector<Finding>> run_health_checks(Session& session) {
  std::vector<Finding> findings;
  const auto commands = session.config().commands("verify.commands");
  if (commands.empty()) return findings;
  const bool needs_scratch = std::ranges::any_of(
      commands, [](const HealthCommand& command) { return command.home == HealthHome::kScratch; });
  HomeVariables scratch;
  if (needs_scratch) {
    ASSIGN_OR_RETURN_WHILE(scratch, make_scratch_home(session), "while making a scratch home");
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    const HealthCommand& command = commands[i];
    const bool is_scratch = command.home == HealthHome::kScratch;
    const std::string& home = is_scratch ? scratch.home : session.environment().home;
    ProcessRequest request{.argv = command.argv,
                           .input = {},
                           .timeout_ms = command.timeout_seconds * kMillisPerSecond,
                           .environment = {{"HOME", home}}};
    for (std::string& word : request.argv)
      if (word.starts_with("~/")) word.replace(0, 1, home);
    if (is_scratch) request.environment = scratch.all();
    const auto ended = session.environment().processes.run(request);
    const std::string why = why_it_failed(ended, command);
    if (why.empty()) continue;
    findings.push_back({.severity = checks::Severity::kBlocking,
                        .check = "health",
                        .rule = "health.command",
                        .file = {},
                        .message = fmt::format("health check {} ({}) {}", i + 1,
                                               escape(command.argv.front()), why),
                        .remedy = "Run it by hand to see why; it is in verify.commands of "
                                  "config.json in the store."});
  }
  // What stays is swept by the next one.
  if (needs_scratch) (void)remove_scratch_home(session);
  return findings;
}

}  // namespace stravinsky::engine
