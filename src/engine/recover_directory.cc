// recover_directory: level 2, a directory or the settings.

#include <algorithm>
#include <optional>
#include <vector>

#include "base/strings.h"
#include "engine/managed_path.h"
#include "engine/operation.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "engine/recovery.h"

namespace stravinsky::engine {
namespace {

using model::Entry;
using model::Image;
using model::ImageKind;
using model::LogicalPath;

bool is_settings(const LogicalPath& path) {
  const model::Component* component = model::component_of(path.path);
  return component != nullptr && component->name.starts_with("settings");
}

// What the user asked for: a directory, or the settings files of a tree.
struct Extent {
  LogicalPath top;
  bool settings = false;

  bool contains(const LogicalPath& path) const {
    if (path.scope != top.scope) return false;
    if (settings) return is_settings(path);
    return path == top || path.path.str().starts_with(top.path.str() + "/");
  }
  std::string display() const {
    if (!settings) return top.display();
    return top.scope == model::Scope::kUser ? "~/.claude/settings" : ".claude/settings";
  }
};

class DirectoryRecovery {
 public:
  DirectoryRecovery(Session& session, const RecoverDirectoryRequest& request)
      : session_(session), request_(request) {}

  Result<OperationResult> run() {
    RETURN_IF_ERROR(refuse_without_store(session_));
    OperationRequest operation = recovery_operation(request_.version_or_id);
    operation.open = [this](const store::Snapshot& snapshot) { return open(snapshot); };
    operation.propose = [this](const Present& present) { return propose(present); };
    ASSIGN_OR_RETURN(OperationResult result, run_operation(session_, operation));
    recovered_.backup_id = backup_->manifest().id;
    recovered_.time_ns = backup_->manifest().time_ns;
    recovered_.what = extent_.display();
    if (result.outcome != Outcome::kNothingToDo) result.recovered_from = recovered_;
    return result;
  }

 private:
  // "hooks" where nothing of that name lies in a tree is the component.
  Status find_extent() {
    const auto typed = managed_path(session_, request_.path);
    if (typed) {
      extent_.top = *typed;
      // As written in documents: the settings are one thing, whatever their files are.
      extent_.settings = is_settings(*typed) || typed->path.str() == "settings";
      return {};
    }
    std::string_view name = request_.path;
    while (name.ends_with('/')) name.remove_suffix(1);
    const model::Component* component = model::find_component(name);
    if (component == nullptr || component->top.empty()) return typed.error();
    extent_.top = {model::Scope::kUser, fs::RelPath::of(component->top)};
    extent_.settings = is_settings(extent_.top);
    return {};
  }

  Result<Subject> open(const store::Snapshot& snapshot) {
    RETURN_IF_ERROR(find_extent());
    ASSIGN_OR_RETURN(const KnownTree now, hash_tree(session_.fs(), snapshot));
    if (request_.version_or_id.empty()) {
      RETURN_IF_ERROR(find_backup(now));
    } else {
      ASSIGN_OR_RETURN(
          const std::string id,
          session_.backups().find(request_.version_or_id, {.tree = session_.roots().user.path}));
      ASSIGN_OR_RETURN(backup_, open_unverified(session_, id));
      if (!is_of_tree_here(session_, backup_->manifest(), extent_.top.scope) || !is_in_backup())
        return not_in(id);
      RETURN_IF_ERROR(is_sound());
    }
    if (const auto top = backup_->manifest().find(extent_.top);
        !extent_.settings && top != nullptr && top->type != fs::NodeType::kDirectory)
      return make_error(ErrorCode::kUsage,
                        "is a file, and recovery directory brings back directories",
                        extent_.display())
          .with_untouched("Nothing was changed.")
          .with_remedy("Bring it back with: stravinsky recovery file " +
                       shell_quote(extent_.display()));
    const std::string& root = session_.roots().of(extent_.top.scope)->path;
    ASSIGN_OR_RETURN(const store::Latest latest, session_.latest());
    Subject subject{.tree = root, .to_version = latest.at(root).version, .touches = {}};
    for (const Entry& entry : backup_->manifest().entries)
      if (extent_.contains(entry.path) && entry.type != fs::NodeType::kDirectory)
        subject.touches.push_back(entry.path);
    return subject;
  }

  bool is_in_backup() const {
    return std::ranges::any_of(backup_->manifest().entries, [&](const Entry& entry) {
      return entry.is_stored() && extent_.contains(entry.path);
    });
  }

  // Every file that would be brought back can be had.
  Status is_sound() const {
    for (const Entry& entry : backup_->manifest().entries) {
      if (!extent_.contains(entry.path) || !entry.is_stored()) continue;
      if (Status good = passes_its_check(*backup_, entry); !good) {
        const std::string& id = backup_->manifest().id;
        return make_error(ErrorCode::kCorrupt, "the backup is damaged: " + good.error().to_string(),
                          id)
            .with_untouched("Nothing was changed.")
            .with_remedy(
                "Leave the version out, and the newest sound one is taken; or see the "
                "damage: stravinsky backup verify " +
                id);
      }
    }
    return {};
  }

  bool differs(const KnownTree& now) const {
    return std::ranges::any_of(backup_->manifest().entries, [&](const Entry& entry) {
      if (!entry.is_stored() || !extent_.contains(entry.path)) return false;
      const auto found = now.find(entry.path);
      if (found == now.end()) return true;
      const Image then = stored_image(entry);
      if (then.kind == ImageKind::kDirectory) return found->second.kind != ImageKind::kDirectory;
      return !found->second.same_as(then);
    });
  }

  Status find_backup(const KnownTree& now) {
    Status damaged;
    bool is_there = false;
    ASSIGN_OR_RETURN(const BackupHandle found, newest_backup_that(session_, extent_.top.scope,
                                                                  [&](const BackupHandle& backup) {
                                                                    backup_ = backup;
                                                                    if (!is_in_backup())
                                                                      return false;
                                                                    is_there = true;
                                                                    if (!differs(now)) return false;
                                                                    Status sound = is_sound();
                                                                    if (sound) return true;
                                                                    if (damaged)
                                                                      damaged = std::move(sound);
                                                                    return false;
                                                                  }));
    backup_ = found;
    if (backup_ != nullptr) return {};
    if (!damaged) return damaged;
    return make_error(ErrorCode::kNotFound,
                      is_there ? "is as every backup of it has it" : "no backup has it",
                      extent_.display())
        .with_untouched("Nothing was changed.")
        .with_remedy("See the backups with: stravinsky backup list");
  }

  Error not_in(const std::string& id) const {
    return make_error(ErrorCode::kNotFound, "the backup " + id + " does not have it",
                      extent_.display())
        .with_untouched("Nothing was changed.")
        .with_remedy("See the backups with: stravinsky backup list");
  }

  Result<Proposal> propose(const Present& present) {
    Proposal proposal;
    proposal.to_version = present.state.version;
    proposal.to_bundle = present.state.bundle;
    const model::Manifest& backup = backup_->manifest();
    for (const Entry& entry : backup.entries)
      if (extent_.contains(entry.path) && entry.is_stored()) bring_back(present, entry, proposal);
    for (const auto& [path, now] : present.known) {
      const Entry* then = backup.find(path);
      if (!extent_.contains(path) || (then != nullptr && then->is_stored())) continue;
      if (proposal.edits.contains(path)) continue;
      const bool is_directory = now.kind == ImageKind::kDirectory;
      const bool goes = request_.extra_files == ExtraFiles::kRemove;
      if (goes) proposal.edits.emplace(path, Edit{});
      if (!is_directory)
        proposal.files.push_back(
            goes ? file_report(FileAction::kDelete, path, now, Image(), "")
                 : file_report(FileAction::kKeepMine, path, now, now, "not in the backup"));
    }
    return proposal;
  }

  void bring_back(const Present& present, const Entry& entry, Proposal& proposal) {
    const auto found = present.known.find(entry.path);
    const Image now = found == present.known.end() ? Image() : found->second;
    const Image then = stored_image(entry);
    if (then.kind == ImageKind::kDirectory && now.kind == ImageKind::kDirectory) return;
    if (now.same_as(then)) return;
    Edit edit = edit_of_entry(backup_, entry, then);
    edit.takes_links_place = leads_nowhere(present, entry.path);
    proposal.edits.emplace(entry.path, std::move(edit));
    if (then.kind == ImageKind::kDirectory) {
      // A file or link of the user's is in the way, and nothing else tells of it.
      if (!now.is_absent())
        proposal.files.push_back(file_report(FileAction::kDelete, entry.path, now, Image(),
                                             "stood in its place; the backup just taken has it"));
      return;
    }
    if (now.kind == ImageKind::kDirectory) clear_the_place(present, entry.path, proposal);
    proposal.files.push_back(file_report(now.is_absent() ? FileAction::kAdd : FileAction::kChange,
                                         entry.path, now, then, ""));
    ++recovered_.files_count;
    recovered_.size_bytes += then.size_bytes;
  }

  Session& session_;
  const RecoverDirectoryRequest& request_;
  Extent extent_{.top = {model::Scope::kUser, fs::RelPath::of("hooks")}};
  BackupHandle backup_;
  RecoveredFrom recovered_;
};

}  // namespace

Result<OperationResult> recover_directory(Session& session,
                                          const RecoverDirectoryRequest& request) {
  DirectoryRecovery recovery(session, request);
  return recovery.run();
}

}  // namespace stravinsky::engine
