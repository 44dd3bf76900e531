// recover_file: level 1, one file or one value of a settings file.

#include <optional>

#include "base/strings.h"
#include "engine/managed_path.h"
#include "engine/operation.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "engine/recovery.h"
#include "model/json_path.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::LogicalPath;

Error no_such_file(const std::string& id, const LogicalPath& path) {
  return make_error(ErrorCode::kNotFound, "the backup " + id + " has no such file", path.display())
      .with_untouched("Nothing was changed.")
      .with_remedy("See every state of it that is kept: stravinsky recovery file " +
                   shell_quote(path.display()) + " --list");
}

class FileRecovery {
 public:
  FileRecovery(Session& session, const RecoverFileRequest& request)
      : session_(session), request_(request) {}

  Result<OperationResult> run() {
    RETURN_IF_ERROR(refuse_without_store(session_));
    OperationRequest operation = recovery_operation(request_.version_or_id);
    operation.open = [this](const store::Snapshot& snapshot) { return open(snapshot); };
    operation.propose = [this](const Present& present) { return propose(present); };
    ASSIGN_OR_RETURN(OperationResult result, run_operation(session_, operation));
    if (!result.files.empty())
      result.recovered_from = {.backup_id = backup_->manifest().id,
                               .time_ns = backup_->manifest().time_ns,
                               .what = path_->display(),
                               .files_count = 1,
                               .size_bytes = size_bytes_};
    return result;
  }

 private:
  Result<Subject> open(const store::Snapshot& snapshot) {
    ASSIGN_OR_RETURN(path_, managed_path(session_, request_.path));
    if (session_.manage_too({*path_})) {
      ASSIGN_OR_RETURN(const store::Snapshot with_it, session_.list_tree());
      ASSIGN_OR_RETURN(now_, image_now(session_.fs(), with_it, *path_));
    } else {
      ASSIGN_OR_RETURN(now_, image_now(session_.fs(), snapshot, *path_));
    }
    if (!request_.json_path.empty()) RETURN_IF_ERROR(read_settings(snapshot));
    if (request_.version_or_id.empty()) {
      RETURN_IF_ERROR(find_backup());
    } else {
      ASSIGN_OR_RETURN(
          const std::string id,
          session_.backups().find(request_.version_or_id, {.tree = session_.roots().user.path}));
      ASSIGN_OR_RETURN(backup_, open_unverified(session_, id));
      if (!is_of_tree_here(session_, backup_->manifest(), path_->scope))
        return no_such_file(id, *path_);
    }
    const model::Entry* then = backup_->manifest().find(*path_);
    if (then == nullptr || !then->is_stored()) return no_such_file(backup_->manifest().id, *path_);
    then_ = stored_image(*then);
    if (then_.kind == ImageKind::kDirectory) return is_directory_not_file(path_->display());
    const std::string& root = session_.roots().of(path_->scope)->path;
    ASSIGN_OR_RETURN(const store::Latest latest, session_.latest());
    return Subject{.tree = root, .to_version = latest.at(root).version, .touches = {*path_}};
  }

  const model::Entry& entry() const { return *backup_->manifest().find(*path_); }

  // The newest one whose copy is sound and another than now.
  Status find_backup() {
    std::string damaged;
    bool was_directory = false;
    ASSIGN_OR_RETURN(backup_, newest_backup_that(session_, path_->scope, [&](const auto& backup) {
                       const model::Entry* then = backup->manifest().find(*path_);
                       if (then == nullptr || !then->is_stored()) return false;
                       if (then->type == fs::NodeType::kDirectory) {
                         was_directory = true;
                         return false;
                       }
                       if (now_.same_as(stored_image(*then))) return false;
                       if (const Status good = passes_its_check(*backup, *then); !good) {
                         if (damaged.empty()) damaged = backup->manifest().id;
                         return false;
                       }
                       return request_.json_path.empty() || has_another_value(*backup, *then);
                     }));
    if (backup_ != nullptr) return {};
    if (was_directory || now_.kind == ImageKind::kDirectory)
      return is_directory_not_file(path_->display());
    if (!damaged.empty())
      return make_error(
                 ErrorCode::kCorrupt,
                 "no backup holds another version of it that is sound; the newest is " + damaged,
                 path_->display())
          .with_untouched("Nothing was changed.")
          .with_remedy("See the damage: stravinsky backup verify " + damaged);
    return make_error(ErrorCode::kNotFound,
                      request_.json_path.empty()
                          ? "no backup holds another version of it"
                          : "no backup holds another value of " + escape(request_.json_path),
                      path_->display())
        .with_untouched("Nothing was changed.")
        .with_remedy("See every state of it that is kept: stravinsky recovery file " +
                     shell_quote(path_->display()) + " --list");
  }

  Result<Proposal> propose(const Present& present) {
    Proposal proposal;
    proposal.to_version = present.state.version;
    proposal.to_bundle = present.state.bundle;
    size_bytes_ = then_.size_bytes;
    std::string note = "from backup " + backup_->manifest().id;
    Edit edit = edit_of_entry(backup_, entry(), then_);
    const auto found = present.known.find(*path_);
    const Image now = found == present.known.end() ? Image() : found->second;
    if (!request_.json_path.empty()) {
      ASSIGN_OR_RETURN(edit, one_value(now));
      note = escape(request_.json_path) + " " + note;
    }
    if (now.same_as(edit.after)) return proposal;
    // It may stand where the user left a link that leads nowhere by now.
    edit.takes_links_place = leads_nowhere(present, *path_);
    if (now.kind == ImageKind::kDirectory) clear_the_place(present, *path_, proposal);
    replace_dead_parent(present, proposal);
    proposal.files.push_back(file_report(now.is_absent() ? FileAction::kAdd : FileAction::kChange,
                                         *path_, now, edit.after, std::move(note)));
    proposal.edits.emplace(*path_, std::move(edit));
    return proposal;
  }

  // hooks/ itself may be a link that leads nowhere: the file needs a directory there.
  void replace_dead_parent(const Present& present, Proposal& proposal) const {
    for (fs::RelPath at = path_->path; at.has_parent(); at = at.parent()) {
      const LogicalPath parent{path_->scope, at.parent()};
      const model::Entry* then = backup_->manifest().find(parent);
      if (!leads_nowhere(present, parent) || then == nullptr || !then->is_stored()) continue;
      Edit edit = edit_of_entry(backup_, *then, stored_image(*then));
      if (edit.after.kind != ImageKind::kDirectory) continue;
      edit.takes_links_place = true;
      proposal.edits.emplace(parent, std::move(edit));
      proposal.files.push_back(
          file_report(FileAction::kDelete, parent, present.known.at(parent), Image(),
                      "a link that leads nowhere; the backup just taken has it"));
    }
  }

  // --- one value of a settings file
  Error no_value_can_be_put(const std::string& why) const {
    return make_error(ErrorCode::kConflict, why, path_->display())
        .with_untouched("Nothing was changed.")
        .with_remedy("Bring the whole file back: stravinsky recovery file " +
                     shell_quote(path_->display()));
  }

  Status read_settings(const store::Snapshot& snapshot) {
    const model::Component* component = model::component_of(path_->path);
    if (component == nullptr || !component->name.starts_with("settings"))
      return make_error(ErrorCode::kUsage, "--path is for settings files only", path_->display())
          .with_untouched("Nothing was changed.")
          .with_remedy("Leave --path out to bring the whole file back.");
    if (now_.kind != ImageKind::kFile)
      return no_value_can_be_put("there is no such file now to put a value into");
    ASSIGN_OR_RETURN(const auto text, read_managed_text(session_.fs(), snapshot, *path_));
    if (text) present_text_ = *text;
    const auto parsed = model::JsonText::parse(present_text_);
    if (!parsed)
      return no_value_can_be_put("the present file is no JSON: " + parsed.error().to_string());
    const model::JsonIndex value = value_at(*parsed, request_.json_path);
    if (value != model::JsonIndex::kNone) present_value_ = parsed->canonical(value);
    return {};
  }

  bool has_another_value(const store::BackupReader& backup, const model::Entry& then) const {
    const auto text = backup.read_text(then, kSettingsMaxBytes);
    if (!text) return false;
    const auto parsed = model::JsonText::parse(*text);
    if (!parsed) return false;
    const model::JsonIndex value = value_at(*parsed, request_.json_path);
    return value != model::JsonIndex::kNone && parsed->canonical(value) != present_value_;
  }

  Result<Edit> one_value(const Image& now) {
    ASSIGN_OR_RETURN(const std::string text, backup_->read_text(entry(), kSettingsMaxBytes));
    const auto theirs = model::JsonText::parse(text);
    if (!theirs)
      return make_error(ErrorCode::kCorrupt,
                        "the copy in backup " + backup_->manifest().id + " is no JSON",
                        path_->display());
    if (value_at(*theirs, request_.json_path) == model::JsonIndex::kNone)
      return make_error(ErrorCode::kNotFound,
                        "the copy in backup " + backup_->manifest().id + " has no " +
                            escape(request_.json_path),
                        path_->display())
          .with_untouched("Nothing was changed.")
          .with_remedy("Name another backup (stravinsky backup list), or keys joined by dots.");
    const auto mine = model::JsonText::parse(present_text_);
    if (!mine || !now.same_as(now_))
      return make_error(ErrorCode::kChanged, "changed while it was looked at", path_->display());
    const auto result = with_value_of(*mine, *theirs, request_.json_path);
    if (!result)
      return no_value_can_be_put("something other than an object stands where " +
                                 escape(request_.json_path) + " leads");
    Edit edit{.after = now, .bytes = {}};
    const bool is_same = model::JsonText::parse(*result)->canonical(model::JsonIndex::kRoot) ==
                         mine->canonical(model::JsonIndex::kRoot);
    if (is_same) return edit;
    edit.after.size_bytes = result->size();
    edit.after.sha256 = codec::sha256(*result);
    edit.bytes = [bytes = *result](const codec::Sink& sink) { return sink(as_byte_span(bytes)); };
    size_bytes_ = value_size(*theirs);
    return edit;
  }

  uint64_t value_size(const model::JsonText& text) const {
    return text[value_at(text, request_.json_path)].value.size();
  }

  Session& session_;
  const RecoverFileRequest& request_;
  std::optional<LogicalPath> path_;
  Image now_;
  Image then_;
  BackupHandle backup_;
  uint64_t size_bytes_ = 0;
  std::string present_text_;
  std::string present_value_;  // canonical; empty when there is none
};

}  // namespace

Result<OperationResult> recover_file(Session& session, const RecoverFileRequest& request) {
  FileRecovery recovery(session, request);
  return recovery.run();
}

}  // namespace stravinsky::engine
