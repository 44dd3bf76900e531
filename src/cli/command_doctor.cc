#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/strings.h"
#include "cli/commands.h"
#include "engine/doctor.h"

namespace stravinsky::cli {
namespace {

using checks::Severity;
using engine::Ailment;
using engine::Diagnosis;
using nlohmann::json;

void tell_ailment(const Output& out, const Ailment& one) {
  const std::string mark = one.severity == Severity::kBlocking      ? out.bad("broken  ")
                           : one.severity == Severity::kInformation ? out.dim("note    ")
                                                                    : "warning ";
  out.line(fmt::format("{}{}: {}", mark, one.area, one.message));
  if (!one.remedy.empty()) out.line("          " + one.remedy);
}

void tell(const Output& out, const Diagnosis& diagnosis) {
  for (const Severity severity : {Severity::kBlocking, Severity::kWarning, Severity::kInformation})
    for (const Ailment& one : diagnosis.ailments)
      if (one.severity == severity) tell_ailment(out, one);
  out.line("");
  if (diagnosis.level != engine::RecoveryLevel::kNone) {
    out.line(out.bad("To mend the tree:"));
    for (const std::string& command : diagnosis.commands) out.line("  " + command);
    out.line("If a hook keeps Claude Code from working meanwhile: stravinsky recovery disarm");
  } else if (diagnosis.is_well()) {
    out.line(out.good("All is well."));
  } else {
    out.line("The tree itself needs no recovery; mend the rest from the top.");
  }
}

json object_of(const Diagnosis& diagnosis, const std::vector<std::string>& mended) {
  json ailments = json::array();
  for (const Ailment& one : diagnosis.ailments)
    ailments.push_back({{"area", one.area},
                        {"severity", severity_name(one.severity)},
                        {"message", one.message},
                        {"remedy", one.remedy}});
  return {{"well", diagnosis.is_well()},
          {"findings", std::move(ailments)},
          {"level", recovery_level_name(diagnosis.level)},
          {"commands", diagnosis.commands},
          {"mended", mended}};
}

// The tree is whole: what else is amiss does not make it unsafe to work.
ExitCode code_of(const Diagnosis& diagnosis) {
  if (diagnosis.level != engine::RecoveryLevel::kNone) return ExitCode::kRecoveryRequired;
  for (const Ailment& one : diagnosis.ailments)
    if (one.severity == Severity::kBlocking) return ExitCode::kCorrupt;
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_doctor(const Invocation& invocation, const DoctorArguments& arguments) {
  std::vector<std::string> mended;
  if (arguments.fix && !invocation.options.dry_run) {
    const auto session = invocation.open_session(Use::kChange);
    if (!session) return invocation.fail(session.error());
    if ((*session)->has_store()) {
      auto done = engine::mend(**session);
      // What it could not mend is found again below.
      if (done) {
        mended = std::move(*done);
      } else {
        invocation.output.note(error_text(done.error()));
      }
    }
  }
  // What was interrupted is recovered by every command, by this one too; what cannot be is
  // found below.
  if (!invocation.options.dry_run) (void)invocation.open_session(Use::kRead);
  Invocation looking = invocation;
  looking.options.dry_run = true;
  looking.is_silent = true;
  const auto session = looking.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const auto diagnosis = engine::examine(**session);
  if (!diagnosis) return invocation.fail(diagnosis.error());
  const Output& out = invocation.output;
  for (const std::string& one : mended) out.line("mended  " + one);
  if (!out.is_json()) tell(out, *diagnosis);
  const ExitCode code = code_of(*diagnosis);
  out.json(invocation.command, object_of(*diagnosis, mended), code);
  return code;
}

}  // namespace stravinsky::cli
