#include "engine/tree_edit.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "fs/file.h"
#include "store/location.h"

namespace stravinsky::engine {
namespace {

using fs::RelPath;
using model::Change;
using model::ChangeOrder;
using model::ChangePlan;
using model::Image;
using model::ImageKind;
using model::LogicalPath;
using model::Scope;

struct Node {
  Image image;  // without children; absent for a place that only leads to others
  std::map<std::string, Node> children;
};

Node& node_at(Node& root, const RelPath& path) {
  Node* node = &root;
  for (const std::string_view part : path.components()) node = &node->children[std::string(part)];
  return *node;
}

bool is_directory(const Node& node) {
  return node.image.kind == ImageKind::kDirectory;
}

Image to_image(const Node& node) {
  Image image = node.image;
  for (const auto& [name, child] : node.children) {
    Image child_image = to_image(child);
    if (!child_image.is_absent()) image.children.emplace_back(name, std::move(child_image));
  }
  return image;
}

bool has_present_children(const Node& node) {
  for (const auto& [name, child] : node.children)
    if (!child.image.is_absent()) return true;
  return false;
}

class Planner {
 public:
  Planner(const TreeEditInput& input, ChangePlan& plan)
      : input_(input), plan_(plan), allowed_(input.roots.allowed()) {}

  Status run() {
    for (const Scope scope : {Scope::kUser, Scope::kProject}) {
      const store::Root* root = input_.roots.of(scope);
      if (root != nullptr) RETURN_IF_ERROR(run_scope(scope, root->path));
    }
    return model::order_plan(plan_);
  }

 private:
  Status run_scope(Scope scope, const std::string& root) {
    Node before;
    before.image.kind = ImageKind::kDirectory;
    for (const auto& [path, image] : input_.known)
      if (path.scope == scope) node_at(before, path.path).image = image;
    Node after = before;
    std::set<RelPath> touched;
    for (const auto& [path, edit] : input_.edits)
      if (path.scope == scope) touched.insert(path.path);
    if (touched.empty()) return {};
    const auto root_dir = fs::File::open_root(input_.fs, root);
    if (root_dir) {
      ASSIGN_OR_RETURN(root_stat_, input_.fs.stat_fd(root_dir->fd()));
    } else if (!is_not_found(root_dir.error())) {  // absent: a dry run, before the root is made
      return root_dir.error();
    }
    RETURN_IF_ERROR(name_directories(root, touched, before, after));
    RETURN_IF_ERROR(remove_paths(scope, root, touched, before, after));
    RETURN_IF_ERROR(add_paths(scope, root, touched, before, after));

    std::set<std::string> tops;
    for (const RelPath& path : touched) tops.insert(std::string(path.components().front()));
    for (const std::string& top : tops) {
      const RelPath path = RelPath::of(top);
      RETURN_IF_ERROR(diff({scope, path}, root, before.children[top], after.children[top]));
    }
    return {};
  }

  // A file outside the components stands, or will stand, in a directory that is not known
  // by itself. One that an update made for it goes with it, if nothing else is in it.
  Status name_directories(const std::string& root, const std::set<RelPath>& touched, Node& before,
                          Node& after) {
    for (const RelPath& path : touched) {
      // Those of a component are listed: one that is not known was not there before.
      const model::Component* component = model::component_of(path);
      if (component != nullptr && component->kind != model::ComponentKind::kReferenced) continue;
      for (RelPath at = path; at.has_parent(); at = at.parent()) {
        Node& node = node_at(before, at.parent());
        if (!node.image.is_absent()) continue;
        const auto location = store::locate(input_.fs, root, at.parent(), allowed_);
        // Beneath a file, which has to go first: nothing is there now.
        if (!location && location.error().code == ErrorCode::kWrongType) continue;
        if (!location) return location.error();
        ASSIGN_OR_RETURN(const fs::File base, fs::File::open_root(input_.fs, location->directory));
        ASSIGN_OR_RETURN(const auto stat,
                         fs::stat_if_present(input_.fs, base.fd(), location->path));
        if (!stat || stat->type != fs::NodeType::kDirectory) continue;
        node.image.kind = ImageKind::kDirectory;
        node.image.mode = stat->mode;
        node.image.uid = stat->uid;
        node.image.gid = stat->gid;
        node_at(after, at.parent()).image = node.image;
      }
    }
    return {};
  }

  const Edit& edit_of(Scope scope, const RelPath& path) const {
    return input_.edits.at({scope, path});
  }

  // Deletions, the deepest path first so that emptied directories can go.
  Status remove_paths(Scope scope, const std::string& root, const std::set<RelPath>& touched,
                      const Node& before, Node& after) {
    for (auto at = touched.rbegin(); at != touched.rend(); ++at) {
      if (!edit_of(scope, *at).after.is_absent()) continue;
      Node& node = node_at(after, *at);
      if (!is_directory(node)) {
        node = Node();
        continue;
      }
      if (has_present_children(node)) continue;
      ASSIGN_OR_RETURN(const bool only_known, holds_only_known(root, *at, before));
      if (only_known) node = Node();
    }
    return {};
  }

  // Excluded and foreign files keep their directory alive.
  Result<bool> holds_only_known(const std::string& root, const RelPath& path, const Node& before) {
    Node copy = before;
    const Node& known = node_at(copy, path);
    ASSIGN_OR_RETURN(const store::Location location,
                     store::locate(input_.fs, root, path, allowed_));
    ASSIGN_OR_RETURN(const fs::File base, fs::File::open_root(input_.fs, location.directory));
    ASSIGN_OR_RETURN(const auto dir, fs::open_if_present(input_.fs, base.fd(), location.path,
                                                         fs::OpenMode::kDirectory));
    if (!dir) return true;
    ASSIGN_OR_RETURN(const auto entries, input_.fs.list(dir->fd()));
    for (const fs::DirEntry& entry : entries) {
      const auto child = known.children.find(entry.name);
      if (child == known.children.end() || child->second.image.is_absent()) return false;
    }
    return true;
  }

  Status add_paths(Scope scope, const std::string& root, const std::set<RelPath>& touched,
                   const Node& before, Node& after) {
    for (const RelPath& path : touched) {
      const Edit& edit = edit_of(scope, path);
      if (edit.after.is_absent()) continue;
      RETURN_IF_ERROR(make_parents(scope, path, after));
      Node& node = node_at(after, path);
      // A top that is a link and stayed one in the manifest leads nowhere, or out of
      // the roots without the user's consent; a file never takes a link's place.
      if (!path.has_parent() && node.image.kind == ImageKind::kSymlink &&
          edit.after.kind != ImageKind::kSymlink && !edit.takes_links_place)
        return link_in_the_way(scope, path, node.image.link_text);
      if (edit.after.kind == ImageKind::kDirectory) {
        if (is_directory(node)) continue;
      } else if (is_directory(node)) {
        ASSIGN_OR_RETURN(const bool only_known, holds_only_known(root, path, before));
        if (has_present_children(node) || !only_known)
          return in_the_way(scope, path, "a directory with files of yours");
        node.children.clear();
      }
      node.image = edit.after;
    }
    return {};
  }

  Status make_parents(Scope scope, const RelPath& path, Node& after) {
    Node* node = &after;
    RelPath so_far = path;
    bool first = true;
    for (const std::string_view part : path.components()) {
      so_far = first ? RelPath::of(part) : so_far / RelPath::of(part);
      first = false;
      if (so_far == path) break;
      node = &node->children[std::string(part)];
      if (is_directory(*node)) continue;
      if (!so_far.has_parent() && node->image.kind == ImageKind::kSymlink)
        return link_in_the_way(scope, so_far, node->image.link_text);
      if (!node->image.is_absent()) return in_the_way(scope, so_far, "a file or link stands");
      node->image = new_directory();
    }
    return {};
  }

  // Like the root it lies in: readable by whom the user lets read that.
  Image new_directory() const {
    Image image;
    image.kind = ImageKind::kDirectory;
    image.mode = root_stat_.mode & 0777U;
    image.uid = root_stat_.uid;
    image.gid = root_stat_.gid;
    return image;
  }

  static Status in_the_way(Scope scope, const RelPath& path, const char* what) {
    return make_error(ErrorCode::kConflict,
                      std::string(what) + " where the new content needs something else",
                      LogicalPath{scope, path}.display())
        .with_untouched("Nothing was changed.")
        .with_remedy("Move it away, or rename it, and run the command again.");
  }

  // A top is only taken for a link when it leads nowhere, or out of the roots without
  // the user's consent.
  static Status link_in_the_way(Scope scope, const RelPath& path, const std::string& text) {
    return make_error(ErrorCode::kConflict,
                      "a link to " + escape(text) +
                          ", which leads nowhere or out of the home and the project, stands where "
                          "the new content needs something else",
                      LogicalPath{scope, path}.display())
        .with_untouched("Nothing was changed.")
        .with_remedy(
            "If what it leads to is yours, write through it: add --follow-outside-links; or move "
            "the link away, and run the command again.");
  }

  Status diff(const LogicalPath& path, const std::string& root, const Node& before,
              const Node& after) {
    if (is_directory(before) && is_directory(after)) {
      std::set<std::string> names;
      for (const auto& [name, child] : before.children) names.insert(name);
      for (const auto& [name, child] : after.children) names.insert(name);
      const Node none;
      for (const std::string& name : names) {
        const auto old_child = before.children.find(name);
        const auto new_child = after.children.find(name);
        RETURN_IF_ERROR(diff({path.scope, path.path / RelPath::of(name)}, root,
                             old_child == before.children.end() ? none : old_child->second,
                             new_child == after.children.end() ? none : new_child->second));
      }
      return {};
    }
    Image old_image = to_image(before);
    Image new_image = to_image(after);
    if (old_image.same_as(new_image)) return {};
    return add_change(path, root, std::move(old_image), std::move(new_image));
  }

  Status add_change(const LogicalPath& path, const std::string& root, Image before, Image after) {
    ASSIGN_OR_RETURN(const store::Location location, place_of(path, root, before));
    for (const store::LinkHop& hop : location.hops) {
      bool known = false;
      for (const model::LinkCheck& link : plan_.links)
        known = known || (link.directory == hop.directory && link.name == hop.name);
      if (!known) plan_.links.push_back({hop.directory, hop.name, hop.text});
    }
    RETURN_IF_ERROR(add_xattrs(location, before));
    // A file that is replaced keeps the attributes that it has.
    if (before.kind == ImageKind::kFile && after.kind == ImageKind::kFile && after.xattrs.empty())
      after.xattrs = before.xattrs;
    ASSIGN_OR_RETURN(const uint32_t anchor, anchor_for(location.directory));
    const model::Component* component = model::component_of(path.path);
    const bool is_settings = component != nullptr && component->name.starts_with("settings");
    plan_.changes.push_back({.anchor = anchor,
                             .path = location.path,
                             .logical = path,
                             .display = path.display(),
                             .order = after.is_absent() ? ChangeOrder::kDeletion
                                      : is_settings     ? ChangeOrder::kSettings
                                                        : ChangeOrder::kContent,
                             .before = std::move(before),
                             .after = std::move(after)});
    return {};
  }

  // A top that is known as a link leads nowhere we may go: the link itself is what changes.
  Result<store::Location> place_of(const LogicalPath& path, const std::string& root,
                                   const Image& before) const {
    if (before.kind == ImageKind::kSymlink && !path.path.has_parent())
      return store::Location{.directory = root, .path = path.path};
    return store::locate(input_.fs, root, path.path, allowed_);
  }

  // Manifests do not hold extended attributes; undo must bring them back.
  Status add_xattrs(const store::Location& location, Image& image) {
    if (image.kind != ImageKind::kFile && image.kind != ImageKind::kDirectory) return {};
    ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(input_.fs, location.directory));
    return add_xattrs(dir.fd(), location.path, image);
  }

  Status add_xattrs(fs::Fd dir, const RelPath& path, Image& image) {
    if (image.kind == ImageKind::kFile) {
      // Gone or turned into something else meanwhile: preflight finds out.
      const auto file = fs::File::open(input_.fs, dir, path, fs::OpenMode::kRead);
      if (!file) return {};
      ASSIGN_OR_RETURN(image.xattrs, input_.fs.get_xattrs(file->fd()));
    }
    for (auto& [name, child] : image.children)
      RETURN_IF_ERROR(add_xattrs(dir, path / RelPath::of(name), child));
    return {};
  }

  Result<uint32_t> anchor_for(const std::string& directory) {
    for (uint32_t i = 0; i < plan_.anchors.size(); ++i)
      if (plan_.anchors[i].directory == directory) return i;
    ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(input_.fs, directory));
    ASSIGN_OR_RETURN(const fs::Stat stat, input_.fs.stat_fd(dir.fd()));
    plan_.anchors.push_back({.directory = directory, .inode = stat.inode});
    return static_cast<uint32_t>(plan_.anchors.size() - 1);
  }

  const TreeEditInput& input_;
  ChangePlan& plan_;
  std::vector<std::string> allowed_;
  fs::Stat root_stat_;
};

}  // namespace

Image stored_image(const model::Entry& entry) {
  Image image;
  if (!entry.is_stored()) return image;
  switch (entry.type) {
    case fs::NodeType::kFile:
      image.kind = ImageKind::kFile;
      break;
    case fs::NodeType::kDirectory:
      image.kind = ImageKind::kDirectory;
      break;
    case fs::NodeType::kSymlink:
      image.kind = ImageKind::kSymlink;
      break;
    case fs::NodeType::kOther:
      return image;
  }
  image.mode = entry.mode;
  image.uid = entry.uid;
  image.gid = entry.gid;
  image.size_bytes = entry.size_bytes;
  image.sha256 = entry.sha256;
  image.link_text = entry.link_text;
  return image;
}

KnownTree known_tree(const model::Manifest& manifest) {
  KnownTree tree;
  for (const model::Entry& entry : manifest.entries)
    if (Image image = stored_image(entry); !image.is_absent())
      tree.emplace(entry.path, std::move(image));
  return tree;
}

size_t file_count(const KnownTree& tree) {
  return static_cast<size_t>(std::ranges::count_if(
      tree, [](const auto& node) { return node.second.kind != ImageKind::kDirectory; }));
}

bool is_same_tree(const KnownTree& a, const KnownTree& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.same_as(y.second);
  });
}

Status plan_edits(const TreeEditInput& input, ChangePlan& plan) {
  Planner planner(input, plan);
  return planner.run();
}

txn::Content content_of_edits(const ChangePlan& plan, const Edits& edits) {
  return [&plan, &edits](size_t change, const std::string& inner_path,
                         const codec::Sink& sink) -> Status {
    const LogicalPath& top = plan.changes[change].logical;
    const LogicalPath path{top.scope,
                           inner_path.empty() ? top.path : top.path / RelPath::of(inner_path)};
    const auto edit = edits.find(path);
    if (edit != edits.end() && edit->second.bytes) return edit->second.bytes(sink);
    return make_error(ErrorCode::kCorrupt, "no content is known for it", path.display());
  };
}

}  // namespace stravinsky::engine
