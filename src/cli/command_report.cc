#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>
#include <string>

#include "base/strings.h"
#include "cli/commands.h"
#include "engine/doctor.h"
#include "engine/present_tree.h"
#include "engine/status.h"
#include "fs/new_file.h"

namespace stravinsky::cli {
namespace {

using nlohmann::json;

constexpr uint64_t kEventsReported = 50;
constexpr uint32_t kReportMode = 0600;

// The home says who the user is; everything beneath it is told with "~".
std::string without_home(std::string text, const std::string& home) {
  for (size_t at = text.find(home); !home.empty() && at != std::string::npos;
       at = text.find(home, at + 1))
    text.replace(at, home.size(), "~");
  return text;
}

// Texts that people typed (--error, --reason) may hold what looks like a token: a long run
// of letters and digits mixed that is no hash and no id of ours.
std::string without_tokens(const std::string& text) {
  constexpr size_t kTokenMin = 16;
  constexpr size_t kDateLength = 10;  // of "2026-01-08T15"
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '+' ||
           c == '=';
  };
  const auto has = [](const std::string& run, int (*is_kind)(int)) {
    return std::ranges::any_of(run,
                               [&](char c) { return is_kind(static_cast<unsigned char>(c)) != 0; });
  };
  std::string result;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_part(text[end])) ++end;
    const std::string run = text.substr(at, end - at);
    const bool is_hex = run.find_first_not_of("0123456789abcdef") == std::string::npos;
    const bool is_mixed = has(run, std::isdigit) && has(run, std::isalpha);
    const bool is_time = run.find('T') == kDateLength;
    result += run.size() >= kTokenMin && is_mixed && !is_hex && !is_time ? "(redacted)" : run;
    if (end < text.size()) result += text[end++];
    at = end;
  }
  return result;
}

void take_home_out(json& value, const std::string& home) {
  if (value.is_string()) {
    value = without_home(value.get<std::string>(), home);
  } else if (value.is_structured()) {
    for (json& one : value) take_home_out(one, home);
  }
}

// Numbers, switches and choices of ours. Texts may be anybody's.
json configuration(const engine::Session& session) {
  json values = json::object();
  for (const model::ConfigValue& value : session.config().values()) {
    const bool is_plain = value.key->type == model::ConfigType::kBoolean ||
                          value.key->type == model::ConfigType::kInteger ||
                          value.key->type == model::ConfigType::kChoice;
    values[std::string(value.key->name)] = {{"value", is_plain             ? value.text
                                                      : value.text.empty() ? ""
                                                                           : "(redacted)"},
                                            {"origin", origin_name(value.origin)}};
  }
  return values;
}

json backups(engine::Session& session) {
  json all = json::array();
  if (!session.has_store()) return all;
  const auto list = session.backups().list();
  if (!list) return {{"error", list.error().to_string()}};
  for (const store::BackupInfo& info : list->backups)
    all.push_back({{"id", info.id},
                   {"version", info.version.display()},
                   {"timestamp", utc_seconds(info.time_ns)},
                   {"kind", backup_kind_name(info.kind)},
                   {"pinned", info.pinned},
                   {"size_bytes", info.size_bytes},
                   {"files_count", info.files_count}});
  for (const auto& broken : list->broken)
    all.push_back({{"id", escape(broken.id)}, {"error", broken.error.to_string()}});
  return all;
}

json events(engine::Session& session) {
  json all = json::array();
  if (!session.has_store()) return all;
  store::AuditFilter newest;
  newest.limit = kEventsReported;
  const auto page = session.audit().query(newest);
  if (!page) return {{"error", page.error().to_string()}};
  for (const model::AuditRecord& record : page->events)
    all.push_back({{"seq", record.link.seq},
                   {"timestamp", record.timestamp},
                   {"event_type", audit_event_type_name(record.event.type)},
                   {"version", record.event.version},
                   {"previous_version", record.event.previous_version},
                   {"status", record.event.status ? audit_status_name(*record.event.status) : ""},
                   {"error", without_tokens(record.event.error)},
                   {"error_class", record.event.error_class},
                   {"recovery_action", record.event.recovery_action},
                   {"backup_created", record.event.backup_created},
                   {"tx", record.event.tx},
                   {"notes", record.event.notes}});
  return all;
}

// Names and sizes, never a byte of content; nor the hash of settings, from which a short
// secret could be guessed.
json tree(const engine::Session& session) {
  const auto snapshot = session.list_tree();
  if (!snapshot) return {{"error", snapshot.error().to_string()}};
  json all = json::array();
  for (const store::TreeEntry& entry : snapshot->entries) {
    if (entry.state == model::EntryState::kAbsent) continue;
    json one = {{"path", entry.path.display()},
                {"type", entry.stat.type == fs::NodeType::kFile        ? "file"
                         : entry.stat.type == fs::NodeType::kDirectory ? "directory"
                         : entry.stat.type == fs::NodeType::kSymlink   ? "link"
                                                                       : "other"},
                {"mode", fmt::format("{:04o}", entry.stat.mode)},
                {"size_bytes", entry.stat.size_bytes},
                {"is_yours", entry.stat.uid == session.environment().user_id}};
    if (!entry.via_link.empty()) one["by_a_link"] = true;
    all.push_back(std::move(one));
  }
  for (const store::Omission& omission : snapshot->omissions)
    all.push_back(
        {{"path", omission.path.display()}, {"left_out", omission_reason_name(omission.reason)}});
  return all;
}

json findings(engine::Session& session) {
  const auto diagnosis = engine::examine(session);
  if (!diagnosis) return {{"error", diagnosis.error().to_string()}};
  json all = json::array();
  for (const engine::Ailment& one : diagnosis->ailments)
    all.push_back({{"area", one.area},
                   {"severity", severity_name(one.severity)},
                   {"message", one.message},
                   {"remedy", one.remedy}});
  return {{"findings", std::move(all)},
          {"level", recovery_level_name(diagnosis->level)},
          {"commands", diagnosis->commands}};
}

json report_on(engine::Session& session) {
  const engine::Environment& environment = session.environment();
  json object = {
      {"report_version", 1},          {"program", STRAVINSKY_VERSION},
      {"system", environment.system}, {"timestamp", utc_seconds(environment.clock.now_ns())},
      {"doctor", findings(session)},  {"configuration", configuration(session)},
      {"backups", backups(session)},  {"audit", events(session)},
      {"tree", tree(session)}};
  if (const auto status = engine::read_status(session)) {
    object["status"] = {{"version", status->current_version},
                        {"undo", status->undo},
                        {"redo", status->redo},
                        {"open_transactions", status->open_transactions},
                        {"inconsistent_transactions", status->inconsistent_transactions},
                        {"begun_version", status->begun_version},
                        {"held_version", status->held_version},
                        {"project", !status->project_root.empty()}};
  }
  take_home_out(object, environment.home);
  return object;
}

}  // namespace

ExitCode run_report(const Invocation& invocation, const ReportArguments& arguments) {
  Invocation looking = invocation;
  looking.options.dry_run = true;
  looking.is_silent = true;
  const auto session = looking.open_session(Use::kRead);
  if (!session) return invocation.fail(session.error());
  const json report = report_on(**session);
  const Output& out = invocation.output;
  constexpr int kIndent = 2;
  // Names that are not UTF-8 are escaped before they come here; replacing is for the rest.
  const std::string text = report.dump(kIndent, ' ', false, json::error_handler_t::replace) + "\n";
  if (arguments.output.empty()) {
    if (out.is_json())
      out.json(invocation.command, {{"report", report}}, ExitCode::kDone);
    else
      print_out(text);
    return ExitCode::kDone;
  }
  const std::string file = invocation.absolute(arguments.output);
  if (!invocation.options.dry_run)
    if (Status written = fs::write_new_file(invocation.environment.fs, file, text, kReportMode);
        !written)
      return invocation.fail(written.error());
  out.line((invocation.options.dry_run ? "Would write " : "Written: ") + escape(file));
  out.line(
      "It holds names, sizes and events, and no content of any file. Read it before you "
      "send it.");
  out.json(invocation.command, {{"file", invocation.options.dry_run ? "" : file}}, ExitCode::kDone);
  return ExitCode::kDone;
}

}  // namespace stravinsky::cli
