#include "engine/obstacles.h"

#include <algorithm>
#include <string>

#include "fs/file.h"

namespace stravinsky::engine {
namespace {

using model::LogicalPath;

bool is_obstacle(const store::TreeEntry& entry) {
  if (entry.state != model::EntryState::kSkipped) return false;
  if (entry.stat.type == fs::NodeType::kOther) return true;
  return entry.stat.type == fs::NodeType::kDirectory &&
         entry.component->kind == model::ComponentKind::kFile;
}

bool is_in_the_way(const LogicalPath& place, const Edits& edits) {
  const std::string beneath = place.path.str() + "/";
  return std::ranges::any_of(edits, [&](const auto& edit) {
    return edit.first.scope == place.scope && !edit.second.after.is_absent() &&
           (edit.first.path == place.path || edit.first.path.str().starts_with(beneath));
  });
}

Result<fs::RelPath> free_name(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& path) {
  for (int n = 1;; ++n) {
    const std::string suffix = n == 1 ? "" : "." + std::to_string(n);
    ASSIGN_OR_RETURN(fs::RelPath name, fs::RelPath::parse(path.str() + ".moved-aside" + suffix));
    ASSIGN_OR_RETURN(const auto taken, fs::stat_if_present(fs, dir, name));
    if (!taken) return name;
  }
}

}  // namespace

Result<bool> move_obstacles_aside(Session& session, const store::Snapshot& snapshot,
                                  Proposal& proposal) {
  bool has_moved = false;
  for (const store::TreeEntry& entry : snapshot.entries) {
    if (!is_obstacle(entry) || !is_in_the_way(entry.path, proposal.edits)) continue;
    const std::string what = entry.path.display() + " is no file or directory of its kind and ";
    if (session.is_dry_run()) {
      proposal.warnings.push_back(what + "would be moved aside");
      continue;
    }
    const fs::Fd dir = snapshot.directories[entry.directory].file.fd();
    ASSIGN_OR_RETURN(const fs::RelPath aside, free_name(session.fs(), dir, entry.beneath));
    RETURN_IF_ERROR_WHILE(
        session.fs().rename(dir, entry.beneath, dir, aside, fs::RenameMode::kReplace),
        "while moving " + entry.path.display() + " aside");
    RETURN_IF_ERROR(fs::sync_names(session.fs(), dir));
    proposal.warnings.push_back(what + "is moved aside to " +
                                LogicalPath{entry.path.scope, aside}.display());
    has_moved = true;
  }
  return has_moved;
}

}  // namespace stravinsky::engine
