#include "engine/status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"

namespace stravinsky::cli {

using nlohmann::json;

ExitCode run_status(const Invocation& invocation) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const auto status = engine::read_status(**session);
  if (!status) return invocation.fail(status.error());
  const Output& out = invocation.output;
  out.line("version:   " + status->current_version +
           (status->held_version.empty() ? "" : " (held: " + status->held_version + ")"));
  out.line("tree:      " + escape(status->user_root) +
           (status->user_root_exists ? "" : " (does not exist)"));
  if (!status->project_root.empty())
    out.line("project:   " + escape(status->project_root) + " (" + status->project_version + ")");
  out.line("store:     " + escape(status->store));
  out.line("backups:   " + (status->backups == 0
                                ? std::string("none yet")
                                : fmt::format("{}, newest {} ({})", status->backups,
                                              status->newest_backup, status->newest_backup_time)));
  out.line(fmt::format("history:   {} to undo, {} to redo", status->undo, status->redo));
  if (status->last_event)
    out.line(fmt::format("last:      {} {} {} ({})", status->last_event->type,
                         status->last_event->version, status->last_event->status,
                         status->last_event->timestamp));
  for (const engine::Drift& drift : status->drift)
    out.line("drift:     " + drift.path + ": " + drift.what);
  if (!status->audit_enabled) out.line("audit:     switched off; operations are not on record");
  if (status->unrecorded_events > 0)
    out.line(fmt::format(
        "audit:     {} not on record yet; see what is wrong: stravinsky audit verify",
        status->unrecorded_events == 1 ? std::string("1 event is")
                                       : fmt::format("{} events are", status->unrecorded_events)));
  if (!status->busy.empty()) out.line("at work:   " + escape(status->busy));
  for (const std::string& warning : status->warnings) out.warning(warning);
  const ExitCode code = status->is_inconsistent() ? ExitCode::kRecoveryRequired : ExitCode::kDone;
  if (status->busy.empty())
    for (const std::string& id : status->open_transactions)
      out.failure("INCONSISTENT: transaction " + id + " was interrupted and is not recovered.");
  for (const std::string& id : status->inconsistent_transactions)
    out.failure("INCONSISTENT: transaction " + id + " could not be taken back.");
  if (code != ExitCode::kDone) out.failure("  Run: stravinsky recovery resume");
  if (code == ExitCode::kDone)
    out.line(status->undo > 0 ? "To take the last change back: stravinsky rollback undo"
                              : "To try something safely: stravinsky backup create");
  json drifts = json::array();
  for (const engine::Drift& drift : status->drift)
    drifts.push_back({{"path", drift.path}, {"what", drift.what}});
  json last = nullptr;
  if (status->last_event)
    last = {{"event_type", status->last_event->type},
            {"version", status->last_event->version},
            {"status", status->last_event->status},
            {"timestamp", status->last_event->timestamp}};
  out.json(invocation.command,
           {{"current_version", status->current_version},
            {"last_event", std::move(last)},
            {"warnings", status->warnings},
            {"audit_enabled", status->audit_enabled},
            {"unrecorded_events", status->unrecorded_events},
            {"at_work", escape(status->busy)},
            {"held_version", status->held_version},
            {"begun_version", escape(status->begun_version)},
            {"user_root", escape(status->user_root)},
            {"user_root_exists", status->user_root_exists},
            {"project_root", escape(status->project_root)},
            {"project_version", status->project_version},
            {"store", escape(status->store)},
            {"backups", status->backups},
            {"newest_backup", status->newest_backup},
            {"newest_backup_time", status->newest_backup_time},
            {"undo", status->undo},
            {"redo", status->redo},
            {"drift", std::move(drifts)},
            {"open_transactions", status->open_transactions},
            {"inconsistent_transactions", status->inconsistent_transactions}},
           code);
  return code;
}

namespace {

json typed_value(const model::ConfigValue& value, const model::Config& config) {
  switch (value.key->type) {
    case model::ConfigType::kBoolean:
      return config.boolean(value.key->name);
    case model::ConfigType::kInteger:
      return config.integer(value.key->name);
    case model::ConfigType::kKeyList:
      return config.list(value.key->name);
    case model::ConfigType::kCommands:
      return json::parse(value.text);
    case model::ConfigType::kText:
    case model::ConfigType::kChoice:
      break;
  }
  return value.text;
}

}  // namespace

ExitCode run_config_list(const Invocation& invocation) {
  const auto session = invocation.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  json values = json::object();
  const model::Config& config = (*session)->config();
  for (const model::ConfigValue& value : config.values()) {
    invocation.output.line(
        fmt::format("{:<50} {:<8} {}", value.key->name, value.text, origin_name(value.origin)));
    values[std::string(value.key->name)] = {{"value", typed_value(value, config)},
                                            {"origin", origin_name(value.origin)},
                                            {"variable", variable_of(*value.key)}};
  }
  invocation.output.json(invocation.command, {{"values", std::move(values)}}, ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_version(const Invocation& invocation) {
  invocation.output.line(std::string("stravinsky ") + STRAVINSKY_VERSION);
  invocation.output.json(invocation.command, {{"version", STRAVINSKY_VERSION}}, ExitCode::kDone);
  return ExitCode::kDone;
}

}  // namespace stravinsky::cli
