// The two trees that checks look at: the live one, and the one that edits would make.
#pragma once

#include <string>
#include <vector>

#include "checks/tree_view.h"
#include "engine/tree_edit.h"
#include "store/roots.h"

namespace stravinsky::engine {

class LiveView final : public checks::TreeView {
 public:
  // known may be nullptr; where it holds a path, its hash is believed.
  LiveView(fs::FileSystem& fs, const store::Roots& roots, model::HookRoots hook_roots,
           const KnownTree* known);

  Result<std::optional<checks::FileView>> find(const model::LogicalPath& path) const override;
  Result<std::vector<model::LogicalPath>> files_beneath(
      model::Scope scope, const std::string& directory) const override;
  model::HookRoots roots() const override { return hook_roots_; }
  bool exists_outside(const std::string& absolute) const override;
  bool is_dangling(const model::LogicalPath& path) const override;

 private:
  fs::FileSystem& fs_;
  const store::Roots& roots_;
  model::HookRoots hook_roots_;
  const KnownTree* known_;
};

class EditedView final : public checks::TreeView {
 public:
  EditedView(const LiveView& live, const Edits& edits) : live_(live), edits_(edits) {}

  Result<std::optional<checks::FileView>> find(const model::LogicalPath& path) const override;
  Result<std::vector<model::LogicalPath>> files_beneath(
      model::Scope scope, const std::string& directory) const override;
  model::HookRoots roots() const override { return live_.roots(); }
  bool exists_outside(const std::string& absolute) const override {
    return live_.exists_outside(absolute);
  }
  bool is_dangling(const model::LogicalPath& path) const override {
    return !edits_.contains(path) && live_.is_dangling(path);
  }
  std::optional<bool> is_edited(const model::LogicalPath& path) const override;
  std::optional<bool> is_edited_beneath(model::Scope scope,
                                        const std::string& directory) const override;

 private:
  const LiveView& live_;
  const Edits& edits_;
};

}  // namespace stravinsky::engine
