// TreeView: what a check may read of a tree, as it is or as it would be.
//
// The same check runs before an update on the tree as it would be (the live tree
// with the plan's images over it), after it on the live one, and on a backup.
// Links that are the user's own are followed: a view never answers kSymlink for
// one that leads somewhere. Any path of a root may be asked for, managed or not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "codec/sha256.h"
#include "fs/file_system.h"
#include "model/component.h"
#include "model/hook_reference.h"

namespace stravinsky::checks {

// A larger script is not read, and so not checked.
inline constexpr uint64_t kScriptMaxBytes = uint64_t{8} << 20U;

struct FileView {
  fs::NodeType type = fs::NodeType::kFile;
  uint32_t mode = 0;  // permission bits
  uint64_t size_bytes = 0;
  std::optional<codec::Digest> sha256;  // where it is known without reading
  std::function<Result<std::string>()> read;
};

enum class SettingsKind {
  kShared,  // settings.json
  kLocal,   // settings.local.json
};
std::string_view settings_file_name(SettingsKind kind);

class TreeView {
 public:
  virtual ~TreeView() = default;
  // nullopt when nothing stands there, and for a link that leads nowhere.
  virtual Result<std::optional<FileView>> find(const model::LogicalPath& path) const = 0;
  // The files beneath a directory of the root, at any depth, without what is
  // excluded; empty when there is no such directory.
  virtual Result<std::vector<model::LogicalPath>> files_beneath(
      model::Scope scope, const std::string& directory) const = 0;
  virtual model::HookRoots roots() const = 0;
  // Of a path in none of the roots, which no edit touches. True where it cannot be told.
  virtual bool exists_outside(const std::string& absolute) const;
  // Whether a link stands at path that leads nowhere: find() says that nothing does.
  virtual bool is_dangling(const model::LogicalPath& path) const;
  // Of a tree that was made from another by edits: whether one of them is at path, or
  // anywhere beneath directory. nullopt: it was not made so, and anything may differ.
  virtual std::optional<bool> is_edited(const model::LogicalPath& path) const;
  virtual std::optional<bool> is_edited_beneath(model::Scope scope,
                                                const std::string& directory) const;

  // The text of a settings file; nullopt when it is absent. kWrongType for anything
  // but a file.
  Result<std::optional<std::string>> settings(model::Scope scope, SettingsKind kind) const;
};

// Whether one of the trees was made from the other without an edit at path, or
// beneath directory; then nothing there needs to be read. False without a present tree.
bool is_untouched(const model::LogicalPath& path, const TreeView& next, const TreeView* present);
bool is_untouched_beneath(model::Scope scope, const std::string& directory, const TreeView& next,
                          const TreeView* present);

// Whether the file at path in next differs from the one in present; without a present
// tree everything is the update's. Content only, not the mode. A file that cannot be
// compared counts as the update's.
Origin origin_of(const model::LogicalPath& path, const FileView& file, const TreeView& next,
                 const TreeView* present);

}  // namespace stravinsky::checks
