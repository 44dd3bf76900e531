#include "engine/salvage.h"

#include <map>

#include "engine/operation.h"
#include "engine/out_of_a_backup.h"

namespace stravinsky::engine {
namespace {

using model::Entry;
using model::Image;
using model::ImageKind;
using model::LogicalPath;

// An entry and a backup that has the bytes.
struct Found {
  BackupHandle backup;
  const Entry* entry = nullptr;
};

class Salvage {
 public:
  Salvage(Session& session, const std::vector<std::string>& ids) : session_(session) {
    for (const std::string& id : ids)
      if (auto backup = open_unverified(session, id)) backups_.push_back(std::move(*backup));
  }

  bool has_any() const { return !backups_.empty(); }

  Result<Salvaged> run() {
    find();
    OperationRequest operation;
    operation.kind = model::TransactionKind::kRecovery;
    operation.backup_kind = model::BackupKind::kPreRecovery;
    operation.on_backup_failure = OnBackupFailure::kGoOn;
    operation.asked_for = base().id;
    operation.checks = CheckPolicy::kHashesOnly;
    operation.open = [this](const store::Snapshot&) -> Result<Subject> {
      return Subject{
          .tree = session_.roots().user.path, .to_version = base().version.str(), .touches = {}};
    };
    operation.propose = [this](const Present& present) { return propose(present); };
    ASSIGN_OR_RETURN(OperationResult result, run_operation(session_, operation));
    result.recovered_from = {.backup_id = base().id, .time_ns = base().time_ns};
    return Salvaged{.result = std::move(result), .base = base().id, .missing = missing_};
  }

  bool has_found() const { return !exact_.empty() || !older_.empty(); }

  void find() {
    if (has_found()) return;
    for (const BackupHandle& backup : backups_) {
      for (const Entry& entry : backup->manifest().entries) {
        if (!entry.is_stored() || !is_of_tree_here(session_, backup->manifest(), entry.path.scope))
          continue;
        if (wanted_.contains(entry.path) && exact_.contains(entry.path)) continue;
        const bool is_base = backup == backups_.front();
        if (is_base) wanted_.emplace(entry.path, stored_image(entry));
        look_at(backup, entry);
      }
    }
  }

 private:
  const model::Manifest& base() const { return backups_.front()->manifest(); }

  void look_at(const BackupHandle& backup, const Entry& entry) {
    const auto wanted = wanted_.find(entry.path);
    const bool is_exact = wanted != wanted_.end() && wanted->second.same_as(stored_image(entry));
    if (!is_exact && older_.contains(entry.path)) return;
    if (!passes_its_check_by_hash(*backup, entry)) return;
    (is_exact ? exact_ : older_).emplace(entry.path, Found{backup, &entry});
  }

  // Settings too are salvaged whatever they say: what is wanted is what was there.
  static bool passes_its_check_by_hash(const store::BackupReader& backup, const Entry& entry) {
    if (entry.type != fs::NodeType::kFile) return true;
    return backup.read(entry, [](std::span<const std::byte>) { return Status(); }).has_value();
  }

  Result<Proposal> propose(const Present& present) {
    Proposal proposal;
    proposal.to_version = base().version.str();
    missing_.clear();
    for (const auto& [path, found] : exact_) put(present, path, found, "", proposal);
    for (const auto& [path, found] : older_) {
      if (exact_.contains(path) || present.known.contains(path)) continue;
      if (path_is_beneath_a_file(present, path)) continue;
      put(present, path, found, "as backup " + found.backup->manifest().id + " has it", proposal);
    }
    for (const auto& [path, wanted] : wanted_) {
      if (exact_.contains(path)) continue;
      const auto now = present.known.find(path);
      if (now != present.known.end() && now->second.same_as(wanted)) continue;
      missing_.push_back(path.display());
      if (now != present.known.end())
        proposal.files.push_back(file_report(FileAction::kKeepMine, path, now->second, now->second,
                                             "every copy of what it was is damaged"));
    }
    return proposal;
  }

  static bool path_is_beneath_a_file(const Present& present, const LogicalPath& path) {
    for (fs::RelPath at = path.path; at.has_parent(); at = at.parent()) {
      const auto above = present.known.find({path.scope, at.parent()});
      if (above != present.known.end() && above->second.kind != ImageKind::kDirectory) return true;
    }
    return false;
  }

  void put(const Present& present, const LogicalPath& path, const Found& found, std::string note,
           Proposal& proposal) {
    if (present.snapshot.is_unreadable(path)) {
      proposal.warnings.push_back(path.display() + " cannot be read, so it stays as it is");
      return;
    }
    const auto known = present.known.find(path);
    const Image now = known == present.known.end() ? Image() : known->second;
    const Image then = stored_image(*found.entry);
    if (then.kind == ImageKind::kDirectory && now.kind == ImageKind::kDirectory) return;
    if (now.same_as(then)) return;
    Edit edit = edit_of_entry(found.backup, *found.entry, then);
    edit.takes_links_place = leads_nowhere(present, path);
    if (now.kind == ImageKind::kDirectory) clear_the_place(present, path, proposal);
    proposal.edits.emplace(path, std::move(edit));
    if (then.kind != ImageKind::kDirectory)
      proposal.files.push_back(file_report(now.is_absent() ? FileAction::kAdd : FileAction::kChange,
                                           path, now, then, std::move(note)));
  }

  Session& session_;
  std::vector<BackupHandle> backups_;  // the newest first
  std::map<LogicalPath, Image> wanted_;
  std::map<LogicalPath, Found> exact_;
  std::map<LogicalPath, Found> older_;
  std::vector<std::string> missing_;
};

}  // namespace

Result<Salvaged> salvage(Session& session, const std::vector<std::string>& ids) {
  Salvage work(session, ids);
  if (work.has_any()) work.find();
  if (!work.has_any() || !work.has_found())
    return make_error(ErrorCode::kNotFound, "nothing in the damaged backups can be had");
  return work.run();
}

}  // namespace stravinsky::engine
