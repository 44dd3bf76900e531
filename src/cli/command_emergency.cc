#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/disarm.h"

namespace stravinsky::cli {
namespace {

using engine::Candidate;
using engine::CandidateState;
using engine::EmergencyResult;
using engine::OperationResult;
using nlohmann::json;

std::string_view state_shown(CandidateState state) {
  switch (state) {
    case CandidateState::kIntact:
      return "intact";
    case CandidateState::kAsNow:
      return "intact, as the tree is now";
    case CandidateState::kDamaged:
      return "DAMAGED";
    case CandidateState::kUnreadable:
      return "UNREADABLE";
  }
  return "";
}

void tell_candidates(const Output& out, const EmergencyResult& result) {
  constexpr size_t kProblemsShown = 3;
  out.line("Backups of this tree, the newest first:");
  if (result.candidates.empty()) out.line("  none");
  for (const Candidate& candidate : result.candidates) {
    const std::string when =
        candidate.time_ns == 0 ? std::string() : utc_seconds(candidate.time_ns);
    out.line(fmt::format("  {:<32} {:<20}  {}{}", escape(candidate.id), when,
                         state_shown(candidate.state),
                         candidate.id == result.chosen ? "  <- this one" : ""));
    for (size_t i = 0; i < candidate.problems.size() && i < kProblemsShown; ++i)
      out.line("      " + candidate.problems[i]);
    if (candidate.problems.size() > kProblemsShown)
      out.line(fmt::format("      and {} more", candidate.problems.size() - kProblemsShown));
  }
  out.line("");
}

json candidates_array(const EmergencyResult& result) {
  json all = json::array();
  for (const Candidate& candidate : result.candidates)
    all.push_back({{"backup", escape(candidate.id)},
                   {"version", candidate.version},
                   {"timestamp", candidate.time_ns == 0 ? "" : utc_seconds(candidate.time_ns)},
                   {"state", candidate_state_name(candidate.state)},
                   {"problems", candidate.problems}});
  return all;
}

// Nothing, or not all of it, is as a backup recorded it.
ExitCode emergency_exit_code(const EmergencyResult& result) {
  if (!result.restored || !result.missing.empty()) return ExitCode::kRecoveryRequired;
  return exit_code_of(*result.restored);
}

void tell_partial(const Output& out, const EmergencyResult& result) {
  constexpr size_t kMissingShown = 20;
  if (!result.missing.empty()) {
    out.failure(fmt::format("PARTIAL: {} could not be brought back as the newest backup had it:",
                            counted(result.missing.size(), "file")));
    for (size_t i = 0; i < result.missing.size() && i < kMissingShown; ++i)
      out.failure("  " + result.missing[i]);
    if (result.missing.size() > kMissingShown)
      out.failure(fmt::format("  and {} more", result.missing.size() - kMissingShown));
  }
  if (!result.restored)
    out.failure(
        "error: RecoveryImpossible: no backup is intact, and nothing in them can be had\n"
        "  Nothing was changed.");
  if (!result.guide.empty())
    out.failure("\n" + result.guide_text + "\nThe same is in " + escape(result.guide));
}

ExitCode change_hooks(const Invocation& invocation, Use use,
                      Result<OperationResult> (*work)(engine::Session&), std::string_view done,
                      std::string_view next) {
  const auto session = invocation.open_session(use);
  if (!session) return invocation.fail(session.error());
  const auto result = work(**session);
  if (!result) return invocation.fail(result.error());
  const Output& out = invocation.output;
  if (result->outcome == engine::Outcome::kDone) {
    out.line(fmt::format("{} {}", out.tick(), out.good(done)));
    out.line(fmt::format("   {}", next));
  }
  return tell_operation(invocation, *result);
}

}  // namespace

ExitCode run_emergency(const Invocation& invocation, const engine::EmergencyRequest& request) {
  const auto session = invocation.open_session(Use::kChange);
  if (!session) return invocation.fail(session.error());
  const auto result = engine::emergency(**session, request);
  if (!result) return invocation.fail(result.error());
  const Output& out = invocation.output;
  const ExitCode code = emergency_exit_code(*result);
  if (out.is_json()) {
    json object = result->restored ? operation_object(*result->restored) : json::object();
    object["success"] = code == ExitCode::kDone;
    object["candidates"] = candidates_array(*result);
    object["chosen"] = result->chosen;
    object["salvaged"] = result->is_salvage;
    object["missing"] = result->missing;
    object["quarantined"] = result->quarantined;
    object["guide"] = result->guide;
    object["recovery_required"] = code == ExitCode::kRecoveryRequired;
    for (const std::string& warning : result->warnings) object["warnings"].push_back(warning);
    out.json(invocation.command, std::move(object), code);
    return code;
  }
  tell_candidates(out, *result);
  for (const std::string& warning : result->warnings) out.warning(warning);
  if (result->restored) {
    const OperationResult& restored = *result->restored;
    if (restored.outcome == engine::Outcome::kDone) {
      out.line(fmt::format(
          "{} {}", out.tick(),
          out.good(result->is_salvage ? "Brought back what the damaged backups still hold"
                                      : "Emergency recovery successful!")));
      if (restored.recovered_from)
        out.line(fmt::format("   Source: backup {} ({})", restored.recovered_from->backup_id,
                             utc_seconds(restored.recovered_from->time_ns)));
      out.line("   The tree as it was: " + (restored.backup_created.empty()
                                                ? "in the journal alone (rollback undo)"
                                                : "backup " + restored.backup_created));
    }
    tell_operation(invocation, restored);
  }
  for (const std::string& name : result->quarantined)
    out.line("Damaged, moved to quarantine/" + escape(name) + " with the reason beside it");
  tell_partial(out, *result);
  return code;
}

ExitCode run_disarm(const Invocation& invocation) {
  return change_hooks(invocation, Use::kWrite, engine::disarm, "All hooks are off",
                      "Restart Claude Code. Hooks of plugins are not in these files: /plugin "
                      "switches them off.\n   On again: stravinsky recovery arm");
}

ExitCode run_arm(const Invocation& invocation) {
  return change_hooks(invocation, Use::kChange, engine::arm, "The hooks are on again",
                      "Off again: stravinsky recovery disarm");
}

}  // namespace stravinsky::cli
