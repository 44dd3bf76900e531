#include "engine/out_of_a_backup.h"

#include <algorithm>
#include <utility>

#include "engine/present_tree.h"
#include "model/json_text.h"

namespace stravinsky::engine {
namespace {

std::string content_hash(const model::Image& image) {
  return image.kind == model::ImageKind::kFile ? image.sha256.hex() : std::string();
}

}  // namespace

Status refuse_without_store(const Session& session) {
  if (session.has_store()) return {};
  return make_error(ErrorCode::kNotFound, "there are no backups yet")
      .with_untouched("Nothing was changed.")
      .with_remedy("The first update makes one, and so does: stravinsky backup create");
}

FileReport file_report(FileAction action, const model::LogicalPath& path, const model::Image& now,
                       const model::Image& then, std::string note) {
  return {.action = action,
          .path = path.display(),
          .note = std::move(note),
          .command = {},
          .old_hash = content_hash(now),
          .new_hash = content_hash(then)};
}

OperationRequest recovery_operation(const std::string& version_or_id) {
  OperationRequest operation;
  operation.kind = model::TransactionKind::kRecovery;
  operation.backup_kind = model::BackupKind::kPreRecovery;
  operation.asked_for = version_or_id;
  operation.checks = CheckPolicy::kHashesOnly;
  return operation;
}

void clear_the_place(const Present& present, const model::LogicalPath& directory,
                     Proposal& proposal) {
  const std::string beneath = directory.path.str() + "/";
  for (const auto& [path, now] : present.known) {
    if (path.scope != directory.scope || !path.path.str().starts_with(beneath)) continue;
    proposal.edits.emplace(path, Edit{});
    if (now.kind == model::ImageKind::kDirectory) continue;
    proposal.files.push_back(file_report(FileAction::kDelete, path, now, model::Image(),
                                         "stood in its place; the backup just taken has it"));
  }
}

Result<BackupHandle> open_unverified(const Session& session, const std::string& id) {
  ASSIGN_OR_RETURN(store::BackupReader reader, store::BackupReader::open(session.store(), id));
  return std::make_shared<store::BackupReader>(std::move(reader));
}

bool is_before_a_way_back(model::BackupKind kind) {
  return kind == model::BackupKind::kPreRecovery || kind == model::BackupKind::kPreRollback;
}

bool leads_nowhere(const Present& present, const model::LogicalPath& path) {
  const auto now = present.known.find(path);
  if (now == present.known.end() || now->second.kind != model::ImageKind::kSymlink) return false;
  return std::ranges::none_of(present.snapshot.omissions, [&](const store::Omission& omission) {
    return omission.path == path && omission.reason == store::OmissionReason::kOutsideLink;
  });
}

bool is_of_tree_here(const Session& session, const model::Manifest& manifest, model::Scope scope) {
  const store::Root* root = session.roots().of(scope);
  return root != nullptr &&
         root->path == (scope == model::Scope::kUser ? manifest.user_root : manifest.project_root);
}

Status passes_its_check(const store::BackupReader& backup, const model::Entry& entry) {
  if (entry.type == fs::NodeType::kSymlink && entry.component->kind == model::ComponentKind::kFile)
    return make_error(ErrorCode::kCorrupt, "was a link that led nowhere", entry.path.display());
  if (entry.type != fs::NodeType::kFile) return {};
  if (!entry.component->name.starts_with("settings"))
    return backup.read(entry, [](std::span<const std::byte>) { return Status(); });
  ASSIGN_OR_RETURN(const std::string text, backup.read_text(entry, kSettingsMaxBytes));
  if (!model::JsonText::parse(text))
    return make_error(ErrorCode::kCorrupt, "is no JSON", entry.path.display());
  return {};
}

Result<BackupHandle> newest_backup_that(Session& session, model::Scope scope,
                                        const IsWanted& is_wanted) {
  ASSIGN_OR_RETURN(const store::BackupList list, session.backups().list());
  for (const bool of_a_way_back : {false, true}) {
    for (auto at = list.backups.rbegin(); at != list.backups.rend(); ++at) {
      if (is_before_a_way_back(at->kind) != of_a_way_back) continue;
      const auto backup = open_unverified(session, at->id);
      if (!backup || !is_of_tree_here(session, (*backup)->manifest(), scope)) continue;
      if (is_wanted(*backup)) return *backup;
    }
  }
  return BackupHandle();
}

}  // namespace stravinsky::engine
