#include "engine/guarded_install.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "engine/guarded_finish.h"
#include "engine/resume.h"
#include "engine/retention.h"
#include "engine/room_and_rights.h"
#include "engine/surroundings.h"
#include "engine/take_backup.h"
#include "engine/unreadable.h"

namespace stravinsky::engine {
namespace {

using model::AuditEvent;
using model::AuditEventType;
using model::AuditStatus;
using model::LogicalPath;
using store::BegunUpdate;

std::vector<std::string> with(std::vector<std::string> some, std::vector<std::string> more) {
  std::ranges::move(more, std::back_inserter(some));
  return some;
}

std::string ways_on(const std::string& version) {
  const std::string finish = "stravinsky update finish " + shell_quote(version);
  return "If the installer is done: " + finish + "; to go back: " + finish + " --failed";
}

Status refuse_unknown_component(const std::string& name) {
  if (model::find_component(name) != nullptr) return {};
  std::string names;
  for (const model::Component& component : model::components())
    names += (names.empty() ? "" : ", ") + std::string(component.name);
  return make_error(ErrorCode::kUsage, "no component is called so", escape(name))
      .with_untouched("Nothing was changed.")
      .with_remedy("Components are: " + names + ".");
}

}  // namespace

Status refuse_while_begun(const Session& session) {
  ASSIGN_OR_RETURN(const auto begun, session.begun_update());
  if (!begun) return {};
  return make_error(ErrorCode::kConflict,
                    fmt::format("an update to {} was begun at {} and is not finished",
                                escape(begun->version), utc_seconds(begun->started_ns)))
      .with_untouched("Nothing was changed.")
      .with_remedy(ways_on(begun->version));
}

Result<Begun> begin_update(Session& session, const BeginRequest& request) {
  ASSIGN_OR_RETURN(const model::Version version, model::Version::parse(request.version));
  RETURN_IF_ERROR(session.begin_writing());
  if (session.config_fault()) return *session.config_fault();
  RETURN_IF_ERROR(refuse_while_begun(session));
  RETURN_IF_ERROR(refuse_while_inconsistent(session));
  const store::Root* root = session.roots().of(request.scope);
  if (root == nullptr)
    return make_error(ErrorCode::kNotFound, "there is no project here")
        .with_untouched("Nothing was changed.")
        .with_remedy("Name it with --project DIR.");
  ASSIGN_OR_RETURN(store::Latest latest, session.latest());
  const store::TreeState state = latest.at(root->path);
  AuditEvent event;
  event.version = version.str();
  event.previous_version = state.version;
  const auto blocked = [&](Error error) {
    event.type = AuditEventType::kUpdateBlocked;
    event.status = AuditStatus::kFailed;
    event.error = error.to_string();
    if (!session.is_dry_run()) (void)session.record(event);
    return Error(std::move(error).with_untouched("Nothing was changed."));
  };
  auto snapshot = session.list_tree();
  if (!snapshot) return blocked(std::move(snapshot).error());
  std::vector<LogicalPath> touches;
  for (const store::TreeEntry& entry : snapshot->entries)
    if (entry.path.scope == request.scope) touches.push_back(entry.path);
  if (Status able = check_room_and_rights(session, *snapshot, touches, Room::kUpdate); !able)
    return blocked(std::move(able).error());
  std::vector<std::string> warnings;
  if (session.config().boolean("update.pre_update_checks_enabled"))
    for (const checks::Finding& finding :
         look_around(session, *snapshot, Surroundings::kRoundAnUpdate))
      if (is_told(finding)) warnings.push_back(finding.to_string());
  BegunUpdate begun{.token = session.environment().random.hex(8),
                    .version = version.str(),
                    .tree = root->path,
                    .backup = {},
                    .from_version = state.version,
                    .from_bundle = state.bundle,
                    .started_ns = session.environment().clock.now_ns(),
                    .after_sequence = latest.transaction_sequence};
  if (session.is_dry_run())
    return Begun{.update = std::move(begun),
                 .warnings = with(std::move(warnings), omission_warnings(*snapshot))};
  auto taken = take_backup(session, latest, std::move(*snapshot),
                           {.kind = model::BackupKind::kPreUpdate, .tree = root->path});
  if (!taken) return blocked(std::move(taken).error());
  if (const auto kept = keep_within_limits(session, latest); !kept) return blocked(kept.error());
  begun.backup = taken->created.manifest.id;
  latest.newest_backup = begun.backup;
  RETURN_IF_ERROR(store::write_latest(session.fs(), session.store().fd(), latest));
  RETURN_IF_ERROR(store::write_begun(session.fs(), session.store().fd(), begun));
  event.type = AuditEventType::kUpdateStart;
  event.tx = begun.token;
  event.backup_created = begun.backup;
  event.notes = "the package's own installer is at work";
  RETURN_IF_ERROR(session.record(event));
  if (session.config().boolean("update.pre_update_checks_enabled"))
    for (const checks::Finding& finding : live_sessions(session))
      warnings.push_back(finding.to_string());
  warnings = with(std::move(warnings), omission_warnings(taken->snapshot));
  return Begun{.update = std::move(begun),
               .warnings = with(std::move(warnings), taken->created.warnings)};
}

Result<OperationResult> finish_update(Session& session, const FinishRequest& request) {
  ASSIGN_OR_RETURN(const model::Version version, model::Version::parse(request.version));
  for (const std::string& name : request.removes) RETURN_IF_ERROR(refuse_unknown_component(name));
  RETURN_IF_ERROR(session.begin_writing());
  ASSIGN_OR_RETURN(auto begun, session.begun_update());
  if (!begun)
    return make_error(ErrorCode::kNotFound, "no update was begun")
        .with_untouched("Nothing was changed.")
        .with_remedy("Begin one before the installer runs: stravinsky update begin VERSION");
  if (begun->version != version.str())
    return make_error(ErrorCode::kUsage,
                      fmt::format("the update that was begun is to {}, not to {}",
                                  escape(begun->version), version.str()))
        .with_untouched("Nothing was changed.")
        .with_remedy(ways_on(begun->version));
  if (session.is_dry_run())
    return make_error(ErrorCode::kUsage, "finishing an update has no dry run")
        .with_untouched("Nothing was changed.")
        .with_remedy("See what the installer did with: stravinsky rollback to " + begun->backup +
                     " --dry-run");
  return finish_begun(session, request, std::move(*begun));
}

}  // namespace stravinsky::engine
