// FakeTree: a tree of files in memory for the checks.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checks/tree_view.h"

namespace stravinsky::testing {

class FakeTree final : public checks::TreeView {
 public:
  // "hooks/x.py" is the user's, "project:hooks/x.py" the project's.
  FakeTree& put(std::string_view name, std::string text, uint32_t mode = 0644) {
    files_[path_of(name)] = {fs::NodeType::kFile, mode, std::move(text)};
    return *this;
  }
  FakeTree& put_node(std::string_view name, fs::NodeType type) {
    files_[path_of(name)] = {type, 0755, ""};
    return *this;
  }
  FakeTree& remove(std::string_view name) {
    files_.erase(path_of(name));
    return *this;
  }
  // Reading its bytes fails from now on.
  FakeTree& break_reading(std::string_view name) {
    files_.at(path_of(name)).is_broken = true;
    return *this;
  }

  // An absolute path in no root at which nothing stands; everything else is there.
  FakeTree& put_absent(std::string absolute) {
    absent_.insert(std::move(absolute));
    return *this;
  }
  FakeTree& put_dangling(std::string_view name) {
    dangling_.insert(path_of(name));
    return *this;
  }

  static model::LogicalPath path_of(std::string_view name) {
    constexpr std::string_view kProject = "project:";
    if (name.starts_with(kProject))
      return {model::Scope::kProject, fs::RelPath::of(name.substr(kProject.size()))};
    return {model::Scope::kUser, fs::RelPath::of(name)};
  }

  Result<std::optional<checks::FileView>> find(const model::LogicalPath& path) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return std::optional<checks::FileView>();
    const Node& node = found->second;
    return checks::FileView{.type = node.type,
                            .mode = node.mode,
                            .size_bytes = node.text.size(),
                            .sha256 = {},
                            .read = [&node]() -> Result<std::string> {
                              if (node.is_broken) return errno_error(13, "");
                              return node.text;
                            }};
  }
  Result<std::vector<model::LogicalPath>> files_beneath(
      model::Scope scope, const std::string& directory) const override {
    std::vector<model::LogicalPath> found;
    for (const auto& [path, node] : files_)
      if (path.scope == scope && path.path.starts_with(fs::RelPath::of(directory)))
        found.push_back(path);
    return found;
  }
  model::HookRoots roots() const override {
    return {.home = "/home/u", .user_root = "/home/u/.claude", .project_root = "/srv/p"};
  }
  bool exists_outside(const std::string& absolute) const override {
    return !absent_.contains(absolute);
  }
  bool is_dangling(const model::LogicalPath& path) const override {
    return dangling_.contains(path);
  }

 private:
  struct Node {
    fs::NodeType type = fs::NodeType::kFile;
    uint32_t mode = 0644;
    std::string text;
    bool is_broken = false;
  };
  std::map<model::LogicalPath, Node> files_;
  std::set<std::string> absent_;
  std::set<model::LogicalPath> dangling_;
};

}  // namespace stravinsky::testing
