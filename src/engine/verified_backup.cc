#include "engine/verified_backup.h"

namespace stravinsky::engine {

Result<BackupHandle> open_verified(Session& session, const std::string& version_or_id) {
  ASSIGN_OR_RETURN(const std::string id,
                   session.backups().find(version_or_id, session.roots().user.path));
  constexpr int kThreads = 2;
  ASSIGN_OR_RETURN(const auto problems,
                   session.backups().verify(id, store::VerifyDepth::kFull, kThreads));
  if (!problems.empty())
    return make_error(ErrorCode::kCorrupt,
                      "the backup is damaged: " + store::to_string(problems.front()), id)
        .with_untouched("Nothing was changed.")
        .with_remedy("Choose another one: stravinsky backup list");
  ASSIGN_OR_RETURN(store::BackupReader reader, store::BackupReader::open(session.store(), id));
  return std::make_shared<store::BackupReader>(std::move(reader));
}

Edit edit_of_entry(const BackupHandle& backup, const model::Entry& entry, model::Image image) {
  Edit edit{.after = std::move(image), .bytes = {}};
  if (edit.after.kind == model::ImageKind::kFile)
    edit.bytes = [backup, &entry](const codec::Sink& sink) { return backup->read(entry, sink); };
  return edit;
}

}  // namespace stravinsky::engine
