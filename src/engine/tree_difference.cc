#include "engine/tree_difference.h"

namespace stravinsky::engine {

void forget_skipped(KnownTree& tree, const model::Manifest& backup) {
  for (const model::Entry& entry : backup.entries) {
    if (entry.state != model::EntryState::kSkipped) continue;
    std::erase_if(tree, [&](const auto& item) {
      return item.first.scope == entry.path.scope && item.first.path.starts_with(entry.path.path);
    });
  }
}

Edits differences(const KnownTree& from, const KnownTree& to) {
  Edits edits;
  for (const auto& [path, image] : to) {
    const auto before = from.find(path);
    if (before == from.end() || !before->second.same_as(image))
      edits.emplace(path, Edit{.after = image, .bytes = {}});
  }
  for (const auto& [path, image] : from)
    if (!to.contains(path)) edits.emplace(path, Edit{});
  return edits;
}

std::vector<FileReport> difference_reports(const Edits& edits, const KnownTree& from) {
  std::vector<FileReport> files;
  const auto is_file = [](const model::Image& image) {
    return !image.is_absent() && image.kind != model::ImageKind::kDirectory;
  };
  const auto hash = [](const model::Image& image) {
    return image.kind == model::ImageKind::kFile ? image.sha256.hex() : std::string();
  };
  for (const auto& [path, edit] : edits) {
    const auto found = from.find(path);
    const model::Image before = found == from.end() ? model::Image() : found->second;
    if (!is_file(before) && !is_file(edit.after)) continue;
    files.push_back({.action = !is_file(before)       ? FileAction::kAdd
                               : !is_file(edit.after) ? FileAction::kDelete
                                                      : FileAction::kChange,
                     .path = path.display(),
                     .note = {},
                     .command = {},
                     .old_hash = hash(before),
                     .new_hash = hash(edit.after)});
  }
  return files;
}

}  // namespace stravinsky::engine
