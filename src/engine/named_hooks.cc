#include "engine/named_hooks.h"

#include <algorithm>
#include <set>

#include "checks/tree_view.h"
#include "engine/out_of_a_backup.h"
#include "engine/tree_views.h"
#include "engine/unreadable.h"
#include "model/hook_reference.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::LogicalPath;
using model::Scope;

using Names = std::set<LogicalPath>;

// What the settings of a tree run without looking whether it is there. Settings that
// cannot be understood name nothing: Claude Code does not read them either.
Result<Names> named_in(const checks::TreeView& tree) {
  Names names;
  for (const Scope scope : {Scope::kUser, Scope::kProject}) {
    for (const auto kind : {checks::SettingsKind::kShared, checks::SettingsKind::kLocal}) {
      const auto text = tree.settings(scope, kind);
      if (!text || !*text) continue;
      const auto references = model::find_hook_references(**text, scope, tree.roots());
      if (!references) continue;
      for (const model::HookReference& reference : *references)
        for (const model::ReferencedFile& file : reference.files)
          if (const auto path = file.logical(); path && file.guard == model::Guard::kNone)
            names.insert(*path);
    }
  }
  return names;
}

bool is_there(const checks::TreeView& tree, const LogicalPath& path) {
  const auto found = tree.find(path);
  return found && found->has_value();
}

class Keeper {
 public:
  Keeper(Session& session, const Present& present, OnBackupFailure last_resort, Proposal& proposal)
      : session_(session), present_(present), last_resort_(last_resort), proposal_(proposal) {}

  Status run() {
    const LiveView live(session_.fs(), session_.roots(), session_.hook_roots(), nullptr);
    ASSIGN_OR_RETURN(const Names before, named_in(live));
    ASSIGN_OR_RETURN(const Names after, named_in(EditedView(live, proposal_.edits)));
    for (const LogicalPath& path : after) {
      if (is_there(EditedView(live, proposal_.edits), path)) continue;
      if (session_.roots().of(path.scope) == nullptr || will_be_behind_a_link(path)) continue;
      if (present_.snapshot.is_unreadable(path)) {
        if (last_resort_ == OnBackupFailure::kRefuse && changes_settings())
          return unreadable(path.display());
        continue;
      }
      if (is_there(live, path)) {
        keep(path);
      } else if (!before.contains(path)) {
        RETURN_IF_ERROR(bring_back(path));
      }
    }
    return {};
  }

 private:
  // Where a link or a file of the user's comes back in a directory's place, or a link stays,
  // the hook is behind that or was not there either.
  bool will_be_behind_a_link(const LogicalPath& path) const {
    using model::ImageKind;
    for (fs::RelPath at = path.path; at.has_parent(); at = at.parent()) {
      const LogicalPath parent{path.scope, at.parent()};
      const auto edit = proposal_.edits.find(parent);
      if (edit != proposal_.edits.end()) {
        const ImageKind kind = edit->second.after.kind;
        if (kind == ImageKind::kSymlink || kind == ImageKind::kFile) return true;
        continue;
      }
      const auto now = present_.known.find(parent);
      if (now != present_.known.end() && now->second.kind == ImageKind::kSymlink) return true;
    }
    return false;
  }

  bool changes_settings() const {
    return std::ranges::any_of(proposal_.edits, [](const auto& edit) {
      const model::Component* component = model::component_of(edit.first.path);
      return component != nullptr && component->name.starts_with("settings");
    });
  }

  void keep(const LogicalPath& path) {
    proposal_.edits.erase(path);
    const auto report = std::ranges::find(proposal_.files, path.display(), &FileReport::path);
    if (report == proposal_.files.end()) return;
    report->action = FileAction::kKeepMine;
    report->note = "the settings in force run it, so it stays";
    report->new_hash = report->old_hash;
  }

  Status bring_back(const LogicalPath& path) {
    const auto file_in = [&](const BackupHandle& backup) {
      const model::Entry* entry = backup->manifest().find(path);
      const bool is_file =
          entry != nullptr && entry->is_stored() && entry->type == fs::NodeType::kFile;
      return is_file ? entry : nullptr;
    };
    BackupHandle backup;
    if (session_.has_store()) {
      ASSIGN_OR_RETURN(backup, newest_backup_that(session_, path.scope, [&](const auto& one) {
                         const model::Entry* entry = file_in(one);
                         return entry != nullptr && passes_its_check(*one, *entry).has_value();
                       }));
    }
    if (backup == nullptr) {
      proposal_.warnings.push_back(
          path.display() +
          " is run by the settings that come back, is not there, and no backup has it: put it "
          "there, take the entry out, or run stravinsky recovery disarm");
      return {};
    }
    const model::Entry& entry = *file_in(backup);
    const Image then = stored_image(entry);
    proposal_.files.push_back(
        file_report(FileAction::kAdd, path, Image(), then,
                    "run by the settings that come back; from backup " + backup->manifest().id));
    proposal_.edits.insert_or_assign(path, edit_of_entry(backup, entry, then));
    return {};
  }

  Session& session_;
  const Present& present_;
  OnBackupFailure last_resort_;
  Proposal& proposal_;
};

}  // namespace

Status keep_named_hooks(Session& session, const Present& present, OnBackupFailure last_resort,
                        Proposal& proposal) {
  Keeper keeper(session, present, last_resort, proposal);
  return keeper.run();
}

}  // namespace stravinsky::engine
