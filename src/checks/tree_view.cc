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

bool TreeView::exists_outside(const std::string&) const {
  return true;
}
bool TreeView::is_dangling(const model::LogicalPath&) const {
  return false;
}

std::optional<bool> TreeView::is_edited(const model::LogicalPath&) const {
  return std::nullopt;
}
std::optional<bool> TreeView::is_edited_beneath(model::Scope, const std::string&) const {
  return std::nullopt;
}

bool is_untouched(const model::LogicalPath& path, const TreeView& next, const TreeView* present) {
  return present != nullptr && (next.is_edited(path) == false || present->is_edited(path) == false);
}

bool is_untouched_beneath(model::Scope scope, const std::string& directory, const TreeView& next,
                          const TreeView* present) {
  return present != nullptr && (next.is_edited_beneath(scope, directory) == false ||
                                present->is_edited_beneath(scope, directory) == false);
}

Origin origin_of(const model::LogicalPath& path, const FileView& file, const TreeView& next,
                 const TreeView* present) {
  if (present == nullptr) return Origin::kUpdate;
  if (is_untouched(path, next, present)) return Origin::kPresent;
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
