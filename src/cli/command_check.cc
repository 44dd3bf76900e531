#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/finding_output.h"
#include "engine/check.h"
#include "engine/open_source.h"

namespace stravinsky::cli {
namespace {

using checks::Finding;
using checks::Severity;
using nlohmann::json;

size_t count(const engine::CheckReport& report, Severity severity) {
  return static_cast<size_t>(std::ranges::count(report.findings, severity, &Finding::severity));
}

std::string number_of(size_t number, const char* one, const char* more) {
  return with_thousands(number) + " " + (number == 1 ? one : more);
}

void tell_finding(const Output& out, const Finding& finding) {
  const std::string name(severity_name(finding.severity));
  const std::string head = finding.severity == Severity::kBlocking      ? out.bad(name)
                           : finding.severity == Severity::kInformation ? out.dim(name)
                                                                        : name;
  out.line(fmt::format("{}: {} [{}]", head, finding.to_string(), finding.rule));
  if (!finding.remedy.empty()) out.line("  " + finding.remedy);
}

void tell(const Output& out, const engine::CheckReport& report) {
  // What blocks comes first, and otherwise the order of the checks stays.
  for (const Severity severity : {Severity::kBlocking, Severity::kWarning, Severity::kInformation})
    for (const Finding& finding : report.findings)
      if (finding.severity == severity) tell_finding(out, finding);
  const std::string what = report.to_version.empty()
                               ? number_of(report.file_count, "file", "files")
                               : fmt::format("the update to {}: {}", report.to_version,
                                             number_of(report.files.size(), "file", "files"));
  out.line(fmt::format("Checked {}, {} blocking, {}. Nothing was changed.", what,
                       count(report, Severity::kBlocking),
                       number_of(count(report, Severity::kWarning), "warning", "warnings")));
  if (report.is_refused())
    out.line(report.to_version.empty() ? out.bad("An update that brought this would be refused.")
                                       : out.bad("The update would be refused."));
  else
    out.line(out.good(report.to_version.empty() ? "Nothing here would stop an update."
                                                : "Nothing stands in the way of the update."));
}

json object_of(const engine::CheckReport& report) {
  json warnings = json::array();
  for (const Finding& finding : report.findings)
    if (finding.severity == Severity::kWarning) warnings.push_back(finding.to_string());
  json files = json::array();
  for (const engine::FileReport& file : report.files)
    files.push_back({{"action", file_action_name(file.action)}, {"path", file.path}});
  return {
      {"success", !report.is_refused()},
      {"failed_checks", report.failed_checks()},
      {"warnings", std::move(warnings)},
      {"disk_space_mb", report.disk_space_bytes ? json(*report.disk_space_bytes / kBytesPerMegabyte)
                                                : json(nullptr)},
      {"file_count", report.file_count},
      {"from_version", report.from_version},
      {"to_version", report.to_version},
      {"files", std::move(files)},
      {"findings", findings_array(report.findings)}};
}

}  // namespace

ExitCode run_check(const Invocation& invocation, engine::UpdateRequest update) {
  // Whatever was interrupted is recovered first, or what is looked at is half of it.
  if (const auto recovered = invocation.open_session(Use::kRead); !recovered)
    return invocation.fail(recovered.error());
  Invocation looking = invocation;
  looking.options.dry_run = true;
  looking.is_silent = true;
  const auto session = looking.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  engine::CheckRequest request;
  if (!update.source.empty()) {
    if (!engine::is_remote(update.source)) update.source = invocation.absolute(update.source);
    request.update = std::move(update);
  }
  const auto report = engine::check(**session, request);
  if (!report) return invocation.fail(report.error());
  const ExitCode code = report->is_refused() ? ExitCode::kChecksRefused : ExitCode::kDone;
  if (invocation.output.is_json())
    invocation.output.json(invocation.command, object_of(*report), code);
  else
    tell(invocation.output, *report);
  return code;
}

}  // namespace stravinsky::cli
