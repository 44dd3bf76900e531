#include "checks/tree_view.h"

#include <utility>

namespace stravinsky::checks {

std::string_view settings_file_name(SettingsKind kind) {
  return kind == SettingsKind::kShared ? "settings.json" : "settings.local.json";
}

Result<std::optional<std::string>> TreeView::settings(model::Scope scope, SettingsKind kind) const {
  const model::LogicalPath path{scope, fs::RelPath::of(settings_file_name(kind))};
  ASSIGN_OR_RETURN(const std::optional<FileView> file, find(path));
  if (!file) return std::optional<std::string>();
  if (file->type != fs::NodeType::kFile)
    return make_error(ErrorCode::kWrongType, "it is not a regular file", path.display());
  ASSIGN_OR_RETURN(std::string text, file->read());
  return std::optional<std::string>(std::move(text));
}

Origin origin_of(const model::LogicalPath& path, const FileView& file, const TreeView* present) {
  if (present == nullptr) return Origin::kUpdate;
  const auto before = present->find(path);
  if (!before || !before->has_value()) return Origin::kUpdate;
  const FileView& old_file = **before;
  if (old_file.type != file.type || old_file.size_bytes != file.size_bytes) return Origin::kUpdate;
  if (file.type != fs::NodeType::kFile) return Origin::kPresent;
  if (old_file.sha256 && file.sha256)
    return *old_file.sha256 == *file.sha256 ? Origin::kPresent : Origin::kUpdate;
  const auto old_bytes = old_file.read();
  const auto bytes = file.read();
  // Unreadable before and after: not the update's doing.
  if (!old_bytes && !bytes) return Origin::kPresent;
  return old_bytes && bytes && *old_bytes == *bytes ? Origin::kPresent : Origin::kUpdate;
}

}  // namespace stravinsky::checks
