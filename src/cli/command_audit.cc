#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "engine/trail.h"

namespace stravinsky::cli {
namespace {

using nlohmann::json;

std::string event_types() {
  std::string text;
  for (const model::AuditEventTypeInfo& info : model::audit_event_types())
    text += (text.empty() ? "" : ", ") + std::string(info.name);
  return text;
}

Result<store::AuditFilter> filter_of(const AuditLogArguments& arguments) {
  store::AuditFilter filter;
  filter.version = arguments.version;
  if (filter.version.starts_with('v')) filter.version.erase(0, 1);
  filter.from = arguments.from;
  filter.to = arguments.to;
  filter.limit = arguments.limit;
  if (!arguments.type.empty()) {
    filter.type = model::parse_audit_event_type(arguments.type);
    if (!filter.type)
      return make_error(ErrorCode::kUsage, "there is no event type " + escape(arguments.type))
          .with_untouched("Nothing was changed.")
          .with_remedy("There are: " + event_types() + ".");
  }
  if (!arguments.status.empty()) {
    filter.status = model::parse_audit_status(arguments.status);
    if (!filter.status)
      return make_error(ErrorCode::kUsage, "there is no status " + escape(arguments.status))
          .with_untouched("Nothing was changed.")
          .with_remedy("There are: success, failed, rolled_back, recovered.");
  }
  return filter;
}

std::string line_of(const model::AuditRecord& record) {
  const model::AuditEvent& event = record.event;
  std::string text = fmt::format("{}  {:>5}  {:<22} {:<11}", record.timestamp, record.link.seq,
                                 audit_event_type_name(event.type),
                                 event.status ? audit_status_name(*event.status) : "");
  if (!event.previous_version.empty() && event.previous_version != event.version) {
    text += " " + escape(event.previous_version) + " -> " + escape(event.version);
  } else {
    text += " " + escape(event.version);
  }
  if (!event.backup_created.empty()) text += "  backup " + escape(event.backup_created);
  if (!event.error.empty()) text += "  " + escape(event.error);
  return text;
}

json object_of(const model::AuditRecord& record) {
  const model::AuditEvent& event = record.event;
  json operations = json::array();
  for (const model::AuditOperation& one : event.operations)
    operations.push_back(
        {{"type", one.type}, {"status", one.status}, {"duration_ms", one.duration_ms}});
  json object = {{"event_id", record.event_id},
                 {"timestamp", record.timestamp},
                 {"event_type", audit_event_type_name(event.type)},
                 {"version", event.version},
                 {"previous_version", event.previous_version},
                 {"user", record.user},
                 {"hostname", record.hostname},
                 {"status", event.status ? json(audit_status_name(*event.status)) : json(nullptr)},
                 {"tx", event.tx},
                 {"error", event.error},
                 {"error_class", event.error_class},
                 {"severity", event.severity},
                 {"recovery_action", event.recovery_action},
                 {"backup_created", event.backup_created},
                 {"notes", event.notes},
                 {"seq", record.link.seq},
                 {"hash", record.link.hash.hex()},
                 {"details",
                  {{"operations", std::move(operations)},
                   {"failed_verifications", event.failed_verifications}}}};
  if (event.duration_ns)
    object["operation_duration_seconds"] = static_cast<double>(*event.duration_ns) / 1e9;
  return object;
}

}  // namespace

ExitCode run_audit_log(const Invocation& invocation, const AuditLogArguments& arguments) {
  const auto filter = filter_of(arguments);
  if (!filter) return invocation.fail(filter.error());
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  store::AuditPage page;
  if ((*session)->has_store()) {
    auto found = (*session)->audit().query(*filter);
    if (!found) return invocation.fail(found.error());
    page = std::move(*found);
  }
  const Output& out = invocation.output;
  json events = json::array();
  for (const model::AuditRecord& record : page.events) {
    out.line(line_of(record));
    events.push_back(object_of(record));
  }
  if (page.events.empty()) out.line("No events.");
  if (page.unreadable_lines > 0)
    out.warning(fmt::format("{} lines could not be read; look with: stravinsky audit verify",
                            page.unreadable_lines));
  out.json(invocation.command,
           {{"events", std::move(events)}, {"unreadable_lines", page.unreadable_lines}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_audit_verify(const Invocation& invocation) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const auto found = engine::verify_trail(**session);
  if (!found) return invocation.fail(found.error());
  const store::AuditVerdict& verdict = *found;
  const Output& out = invocation.output;
  const ExitCode code = verdict.ok() ? ExitCode::kDone : ExitCode::kCorrupt;
  if (verdict.ok()) {
    out.line(fmt::format("{} {}", out.tick(),
                         out.good(fmt::format("The audit trail is whole: {} events.",
                                              with_thousands(verdict.events)))));
  }
  json object = {{"events", verdict.events},
                 {"damage", audit_damage_name(verdict.damage)},
                 {"first_bad_seq", verdict.first_bad_seq},
                 {"first_bad_line", verdict.first_bad_line},
                 {"message", verdict.message}};
  if (!verdict.ok()) {
    const Error error =
        make_error(
            ErrorCode::kCorrupt,
            fmt::format("the audit trail was damaged ({}): {} (first bad event: {}, line {})",
                        audit_damage_name(verdict.damage), verdict.message, verdict.first_bad_seq,
                        verdict.first_bad_line))
            .with_untouched("Nothing was changed.")
            .with_remedy("Keep " + escape((*session)->store_path()) +
                         "/audit as it is and compare it with a copy; backups and the way back "
                         "do not depend on it.");
    if (!out.is_json()) out.failure(error_text(error));
    object["error"] = error_object(error);
  }
  out.json(invocation.command, std::move(object), code);
  return code;
}

}  // namespace stravinsky::cli
