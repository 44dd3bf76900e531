#include "engine/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "engine/backups.h"
#include "engine/check.h"
#include "engine/disarm.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "engine/status.h"
#include "engine/trail.h"
#include "fs/tree_walk.h"
#include "model/store_layout.h"
#include "txn/recovery.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;
using checks::Severity;

constexpr int64_t kClockToleranceNs = 300'000'000'000;  // clocks of two machines

// "~/.claude/hooks/sub/x.py" -> "~/.claude/hooks"; settings are a component each.
std::string component_top(const std::string& display) {
  const std::string_view root = ".claude/";
  const size_t at = display.find(root);
  if (at == std::string::npos) return display;
  const size_t slash = display.find('/', at + root.size());
  return slash == std::string::npos ? display : display.substr(0, slash);
}

std::string_view parent_directory(std::string_view display) {
  const size_t slash = display.rfind('/');
  return slash == std::string_view::npos ? display : display.substr(0, slash);
}

class Examination {
 public:
  explicit Examination(Session& session) : session_(session) {}

  Diagnosis run() {
    look_at_store();
    look_at_configuration();
    look_at_backups();
    look_at_trail();
    look_at_tree();
    look_at_clock();
    decide(damage_, diagnosis_);
    return std::move(diagnosis_);
  }

 private:
  void add(const char* area, Severity severity, std::string message, std::string remedy = {}) {
    diagnosis_.ailments.push_back({.area = area,
                                   .severity = severity,
                                   .message = std::move(message),
                                   .remedy = std::move(remedy)});
  }

  // What was interrupted comes first: it may be all that is wrong.
  void look_at_store() {
    const auto status = read_status(session_);
    if (!status) {
      add("store", Severity::kBlocking, status.error().to_string(), status.error().remedy);
      return;
    }
    if (!session_.has_store()) {
      add("store", Severity::kWarning, "there is no store yet, so there is no way back",
          "stravinsky backup create");
      return;
    }
    if (!status->busy.empty())
      add("store", Severity::kInformation, "at work right now: " + status->busy);
    if (status->busy.empty())
      for (const std::string& id : status->open_transactions)
        add("transactions", Severity::kBlocking, "transaction " + id + " was interrupted",
            "stravinsky recovery resume; if that cannot: stravinsky recovery resume --set-aside " +
                id);
    if (is_disarmed(session_))
      add("hooks", Severity::kWarning, "all hooks are switched off", "stravinsky recovery arm");
    for (const std::string& id : status->inconsistent_transactions)
      add("transactions", Severity::kBlocking,
          "transaction " + id + " could not be recovered and stands aside",
          "stravinsky recovery resume; what to do by hand is in " +
              shell_quote(session_.store_path() + "/" + layout::inconsistent_transaction(id).str() +
                          "/README.txt"));
    if (!status->begun_version.empty())
      add("transactions", Severity::kWarning,
          "the update to " + status->begun_version + " was begun and not finished",
          "stravinsky update finish " + shell_quote(status->begun_version) +
              "; or take it back: add --failed");
    for (const std::string& warning : status->warnings) add("store", Severity::kWarning, warning);
    if (status->unrecorded_events > 0)
      add("audit", Severity::kWarning,
          counted(status->unrecorded_events, "event") + " could not be put on record yet",
          "Any command that changes something tries again; stravinsky audit verify says why.");
    for (const Drift& drift : status->drift)
      add("tree", Severity::kInformation,
          drift.path + " " + drift.what + " since the last operation");
    if (!status->held_version.empty())
      add("hold", Severity::kInformation,
          "packages must not overwrite what was restored (version " + status->held_version +
              "); the next update ends that");
    look_at_owners();
  }

  // The store's root is private, or there were no session; what lies in it may not be ours.
  void look_at_owners() {
    constexpr size_t kTold = 5;
    const auto all = fs::walk_all(session_.fs(), session_.store().fd(), {}, fs::Unreadable::kMark);
    if (!all) {
      add("store", Severity::kBlocking, all.error().to_string(), all.error().remedy);
      return;
    }
    std::vector<std::string> foreign;
    constexpr uint32_t kOwnerReads = 0400;
    for (const fs::WalkEntry& entry : *all)
      if (entry.unlisted || entry.stat.uid != session_.environment().user_id ||
          (entry.stat.type != fs::NodeType::kSymlink && (entry.stat.mode & kOwnerReads) == 0))
        foreign.push_back(entry.path.str());
    for (size_t i = 0; i < foreign.size() && i < kTold; ++i) {
      const std::string path = shell_quote(session_.store_path() + "/" + foreign[i]);
      add("store", Severity::kBlocking,
          escape(foreign[i]) + " in the store is not yours, or you may not read it",
          "chown " + std::to_string(session_.environment().user_id) + " " + path +
              " && chmod u+rwX " + path);
    }
    if (foreign.size() > kTold)
      add("store", Severity::kBlocking,
          "and " + std::to_string(foreign.size() - kTold) + " more of the kind");
  }

  void look_at_configuration() {
    if (session_.config_fault())
      add("config", Severity::kWarning, session_.config_fault()->to_string(),
          session_.config_fault()->remedy);
  }

  void look_at_backups() {
    if (!session_.has_store()) return;
    const auto verdicts = verify_backups(session_, {.version_or_id = {}});
    if (!verdicts) {
      add("backups", Severity::kBlocking, verdicts.error().to_string(), verdicts.error().remedy);
      return;
    }
    std::set<std::string> damaged;
    for (const BackupVerdict& verdict : *verdicts) {
      if (verdict.problems.empty()) continue;
      damaged.insert(verdict.id);
      add("backups", Severity::kBlocking,
          "backup " + verdict.id + " is damaged: " + verdict.problems.front(),
          "stravinsky recovery doctor --fix");
    }
    find_way_back(damaged);
    if (!damage_.has_intact_backup)
      add("backups", damaged.empty() ? Severity::kWarning : Severity::kBlocking,
          damaged.empty() ? "there is no backup of this tree" : "no backup of this tree is intact",
          damaged.empty() ? "stravinsky backup create" : "stravinsky recovery emergency");
    const auto quarantined = fs::open_if_present(session_.fs(), session_.store().fd(),
                                                 layout::quarantine(), fs::OpenMode::kDirectory);
    if (!quarantined || !*quarantined) return;
    if (const auto names = session_.fs().list((*quarantined)->fd()); names && !names->empty())
      add("backups", Severity::kInformation,
          counted(names->size(), "damaged backup") +
              " in quarantine; delete what you do not need any more");
  }

  // The newest intact backup, and what `recovery version` would be given: the newest that
  // is not as the tree is now.
  void find_way_back(const std::set<std::string>& damaged) {
    const auto list = session_.backups().list();
    if (!list) return;
    const auto snapshot = session_.list_tree();
    KnownTree now;
    if (snapshot)
      if (auto tree = hash_tree(session_.fs(), *snapshot)) now = std::move(*tree);
    for (auto at = list->backups.rbegin(); at != list->backups.rend(); ++at) {
      if (damaged.contains(escape(at->id))) continue;
      const auto manifest = session_.backups().load_manifest(at->id);
      if (!manifest || !is_of_tree_here(session_, *manifest, model::Scope::kUser)) continue;
      damage_.has_intact_backup = true;
      newest_time_ns_ = std::max(newest_time_ns_, manifest->time_ns);
      const KnownTree then = known_tree(*manifest);
      if (!has_newest_) note_what_is_gone(then, now);
      has_newest_ = true;
      if (is_same_tree(then, now)) continue;
      damage_.version = at->id;
      return;
    }
  }

  void note_what_is_gone(const KnownTree& then, const KnownTree& now) {
    for (const auto& [path, image] : then) {
      const bool is_top = !path.path.has_parent() && image.kind == model::ImageKind::kDirectory;
      if (!is_top) continue;
      const auto found = now.find(path);
      if (found != now.end() && found->second.kind == model::ImageKind::kDirectory) continue;
      const std::string beneath = path.path.str() + "/";
      const bool had_files = std::ranges::any_of(then, [&](const auto& node) {
        return node.first.scope == path.scope && node.first.path.str().starts_with(beneath) &&
               node.second.kind != model::ImageKind::kDirectory;
      });
      if (!had_files) continue;
      damage_.gone.push_back(path.display());
      add("tree", Severity::kBlocking,
          path.display() + (found == now.end() ? " is gone" : " is no directory any more"),
          "stravinsky recovery directory " + shell_quote(path.display()));
    }
  }

  void look_at_trail() {
    if (!session_.has_store()) return;
    const auto verdict = verify_trail(session_);
    if (!verdict) {
      add("audit", Severity::kWarning, verdict.error().to_string(), verdict.error().remedy);
    } else if (!verdict->ok()) {
      add("audit", Severity::kWarning, "the audit trail was changed: " + verdict->message,
          "stravinsky audit verify; events are kept beside it until it is put right");
    }
  }

  void look_at_tree() {
    const auto report = check(session_, {});
    if (!report) {
      add("tree", Severity::kBlocking, report.error().to_string(), report.error().remedy);
      return;
    }
    for (const checks::Finding& finding : report->findings) {
      add(finding.check.c_str(), finding.severity, finding.to_string(), finding.remedy);
      const std::string& path = finding.about.empty() ? finding.file : finding.about;
      const bool is_in_tree = path.starts_with("~/.claude/") || path.starts_with(".claude/");
      const bool is_new = std::ranges::find(damage_.broken, path) == damage_.broken.end();
      if (finding.severity == Severity::kBlocking && is_in_tree && is_new)
        damage_.broken.push_back(path);
    }
  }

  void look_at_clock() {
    const int64_t now_ns = session_.environment().clock.now_ns();
    if (newest_time_ns_ > now_ns + kClockToleranceNs)
      add("clock", Severity::kWarning,
          "the clock went backwards: the newest backup is of " + utc_seconds(newest_time_ns_) +
              ", and it is " + utc_seconds(now_ns),
          "Set the clock; the order of backups does not depend on it.");
  }

  Session& session_;
  Diagnosis diagnosis_;
  Damage damage_;
  bool has_newest_ = false;
  int64_t newest_time_ns_ = 0;
};

}  // namespace

std::string_view recovery_level_name(RecoveryLevel level) {
  switch (level) {
    case RecoveryLevel::kNone:
      return "none";
    case RecoveryLevel::kFile:
      return "file";
    case RecoveryLevel::kDirectory:
      return "directory";
    case RecoveryLevel::kVersion:
      return "version";
    case RecoveryLevel::kEmergency:
      return "emergency";
  }
  return "none";
}

bool Diagnosis::is_well() const {
  return std::ranges::all_of(
      ailments, [](const Ailment& one) { return one.severity == checks::Severity::kInformation; });
}

void decide(const Damage& damage, Diagnosis& diagnosis) {
  diagnosis.commands.clear();
  diagnosis.level = RecoveryLevel::kNone;
  std::set<std::string> tops(damage.gone.begin(), damage.gone.end());
  std::set<std::string> directories(damage.gone.begin(), damage.gone.end());
  for (const std::string& path : damage.broken) {
    tops.insert(component_top(path));
    directories.insert(std::string(parent_directory(path)));
  }
  if (tops.empty()) return;
  if (!damage.has_intact_backup) {
    diagnosis.level = RecoveryLevel::kEmergency;
    diagnosis.commands = {"stravinsky recovery emergency"};
    return;
  }
  // Beyond these, putting back one by one is slower than all at once, and easier to get wrong.
  constexpr size_t kSingleFiles = 2;
  const bool are_few = damage.gone.empty() && damage.broken.size() <= kSingleFiles;
  if (are_few) {
    diagnosis.level = RecoveryLevel::kFile;
    for (const std::string& path : damage.broken)
      diagnosis.commands.push_back("stravinsky recovery file " + shell_quote(path));
  } else if (tops.size() == 1) {
    diagnosis.level = RecoveryLevel::kDirectory;
    const std::string& directory = directories.size() == 1 ? *directories.begin() : *tops.begin();
    diagnosis.commands = {"stravinsky recovery directory " + shell_quote(directory)};
  } else {
    diagnosis.level = RecoveryLevel::kVersion;
    diagnosis.commands = {"stravinsky recovery version " +
                          (damage.version.empty() ? "VERSION" : shell_quote(damage.version))};
  }
}

Result<Diagnosis> examine(Session& session) {
  return Examination(session).run();
}

Result<std::vector<std::string>> mend(Session& session) {
  std::vector<std::string> done;
  RETURN_IF_ERROR(session.begin_writing());
  for (const txn::Recovered& one : session.recovered())
    done.push_back("transaction " + one.facts.id + ": " +
                   std::string(recovery_action_name(one.action)));
  ASSIGN_OR_RETURN(const auto swept, session.backups().sweep());
  for (const std::string& name : swept)
    done.push_back("removed what a crash left: " + escape(name));
  RETURN_IF_ERROR(session.store().sweep_partials());
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  std::vector<std::pair<std::string, std::string>> damaged;  // id, why
  for (const store::BackupInfo& info : list.backups) {
    ASSIGN_OR_RETURN(const auto problems,
                     session.backups().verify(info.id, store::VerifyDepth::kFull, 2));
    if (!problems.empty()) damaged.emplace_back(info.id, store::to_string(problems.front()));
  }
  for (const store::BackupList::Broken& broken : list.broken)
    damaged.emplace_back(broken.id, broken.error.to_string());
  // The last that is left may still hold what nothing else does, and who has nothing else
  // looks for it under its own name.
  if (damaged.size() == list.backups.size() + list.broken.size()) return done;
  for (const auto& [id, why] : damaged) {
    // What cannot be moved is found again, with the reason.
    const auto name = quarantine_backup(session, id, why);
    if (name)
      done.push_back("moved the damaged backup " + escape(id) + " to quarantine/" + escape(*name));
  }
  return done;
}

}  // namespace stravinsky::engine
