#include "engine/check.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "checks/run_checks.h"
#include "engine/surroundings.h"
#include "engine/tree_views.h"

namespace stravinsky::engine {
namespace {

using checks::Finding;
using checks::Severity;

class Checker {
 public:
  explicit Checker(Session& session) : session_(session) {}

  Result<CheckReport> run(const CheckRequest& request) {
    ASSIGN_OR_RETURN(const store::Latest latest, session_.latest());
    const model::Scope scope = request.update ? request.update->scope : model::Scope::kUser;
    const store::Root* root = session_.roots().of(scope);
    if (root != nullptr) {
      const auto version = model::Version::parse(latest.at(root->path).version);
      report_.from_version = version ? version->display() : "unknown";
    }
    if (request.update) {
      RETURN_IF_ERROR(try_update(*request.update));
    } else {
      check_live();
    }
    check_surroundings();
    return std::move(report_);
  }

 private:
  void add(std::vector<Finding> findings) {
    for (Finding& finding : findings) report_.findings.push_back(std::move(finding));
  }

  void check_live() {
    const LiveView live(session_.fs(), session_.roots(), session_.hook_roots(), nullptr);
    add(checks::run_checks({.next = live, .judge = session_.judge()}));
  }

  Status try_update(UpdateRequest request) {
    request.on_blocking = OnBlocking::kReport;
    auto planned = update(session_, request);
    if (planned) {
      report_.to_version = planned->to_version;
      report_.files = std::move(planned->files);
      add(std::move(planned->findings));
      for (const std::string& warning : planned->warnings)
        add({{.severity = Severity::kInformation,
              .check = "update",
              .rule = "update.note",
              .file = {},
              .message = warning,
              .remedy = {}}});
      return {};
    }
    const Error& error = planned.error();
    switch (error.code) {
      case ErrorCode::kChecksRefused:
      case ErrorCode::kConflict:
      case ErrorCode::kPermission:
      case ErrorCode::kNoSpace:
        add({{.severity = Severity::kBlocking,
              .check = "update",
              .rule = "update.refused",
              .file = error.path,
              .message = error.message,
              .remedy = error.remedy}});
        return {};
      default:
        return std::move(planned).error();
    }
  }

  void check_surroundings() {
    const auto snapshot = session_.list_tree();
    if (!snapshot) {
      // Without a list there is nothing to back up from, and no update could begin.
      add({{.severity = Severity::kBlocking,
            .check = "permissions",
            .rule = "permissions.failed",
            .file = {},
            .message = "the tree could not be listed: " + snapshot.error().to_string(),
            .remedy = snapshot.error().remedy}});
      return;
    }
    count(*snapshot);
    add(look_around(session_, *snapshot, Surroundings::kAll));
    add(live_sessions(session_));
  }

  void count(const store::Snapshot& snapshot) {
    for (const store::TreeEntry& entry : snapshot.entries)
      if (entry.state == model::EntryState::kStored && entry.stat.type != fs::NodeType::kDirectory)
        ++report_.file_count;
    fs::Fd place = session_.has_store() ? session_.store().fd() : fs::Fd::kNone;
    if (place == fs::Fd::kNone && !snapshot.directories.empty())
      place = snapshot.directories.front().file.fd();
    if (place == fs::Fd::kNone) return;
    if (const auto space = session_.fs().space(place))
      report_.disk_space_bytes = space->available_bytes;
  }

  Session& session_;
  CheckReport report_;
};

}  // namespace

std::vector<std::string> CheckReport::failed_checks() const {
  std::set<std::string> names;
  for (const Finding& finding : findings)
    if (finding.severity == Severity::kBlocking || finding.rule.ends_with(".failed"))
      names.insert(finding.check);
  return {names.begin(), names.end()};
}

Result<CheckReport> check(Session& session, const CheckRequest& request) {
  CHECK(session.is_dry_run());
  return Checker(session).run(request);
}

}  // namespace stravinsky::engine
