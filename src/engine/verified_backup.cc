#include "engine/verified_backup.h"

#include <algorithm>

namespace stravinsky::engine {

namespace {

// As far as going back to it would change anything in the user's tree.
bool leads_to_same_tree(const KnownTree& a, const KnownTree& b) {
  const auto is_in = [](const KnownTree& tree, const KnownTree::value_type& node) {
    if (node.first.scope != model::Scope::kUser) return true;
    const auto found = tree.find(node.first);
    return found != tree.end() && found->second.same_as(node.second);
  };
  return std::ranges::all_of(a, [&](const auto& node) { return is_in(b, node); }) &&
         std::ranges::all_of(b, [&](const auto& node) { return is_in(a, node); });
}

}  // namespace

Result<BackupHandle> open_verified(Session& session, const std::string& version_or_id,
                                   const KnownTree* now) {
  store::Wanted wanted{.tree = session.roots().user.path};
  if (now != nullptr)
    wanted.is_wanted = [&](const std::string& candidate) -> Result<bool> {
      ASSIGN_OR_RETURN(const model::Manifest manifest, session.backups().load_manifest(candidate));
      return !leads_to_same_tree(known_tree(manifest), *now);
    };
  ASSIGN_OR_RETURN(const std::string id, session.backups().find(version_or_id, wanted));
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
