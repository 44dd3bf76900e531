#include "txn/targets.h"

#include <set>

#include "base/mutant.h"
#include "model/store_layout.h"

namespace stravinsky::txn {

using model::Anchor;
using model::Change;
using model::ChangePlan;

Result<Targets> Targets::open(fs::FileSystem& fs, const ChangePlan& plan,
                              ReplacedRoot replaced_root) {
  Targets targets;
  std::map<std::pair<uint32_t, std::string>, size_t> known;  // anchor and parent
  for (const Anchor& anchor : plan.anchors) {
    ASSIGN_OR_RETURN(fs::File root, fs::File::open_root(fs, anchor.directory));
    ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(root.fd()));
    ASSIGN_OR_RETURN(const std::string real_path, fs.path_of(root.fd()));
    const bool same = stat.inode == anchor.inode && real_path == anchor.directory;
    if (!same && replaced_root == ReplacedRoot::kRefuse)
      return make_error(ErrorCode::kChanged, "is not the directory that it was", anchor.directory);
    known.try_emplace({static_cast<uint32_t>(targets.directories_.size()), ""},
                      targets.directories_.size());
    targets.directories_.push_back(std::move(root));
  }
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    const Change& change = plan.changes[i];
    const std::string parent = change.path.has_parent() ? change.path.parent().str() : "";
    const auto [at, is_new] =
        known.try_emplace({change.anchor, parent}, targets.directories_.size());
    if (is_new) {
      auto opened = fs::File::open(fs, targets.directories_[change.anchor].fd(),
                                   change.path.parent(), fs::OpenMode::kDirectory);
      if (opened) {
        targets.directories_.push_back(std::move(*opened));
      } else if (is_not_found(opened.error())) {
        at->second = kNowhere;
      } else {
        return Error(std::move(opened).error().with_context("while opening the directory of " +
                                                            change.display));
      }
    }
    targets.places_.push_back(
        {.directory = at->second,
         .leaf = fs::RelPath::of(change.path.name()),
         .stage = fs::RelPath::of(model::layout::stage_name(plan.facts.id, i)),
         .stash = fs::RelPath::of(model::layout::stash_name(plan.facts.id, i)),
         .rebuilt = fs::RelPath::of(model::layout::rebuilt_name(plan.facts.id, i))});
  }
  return targets;
}

Status Targets::sync(fs::FileSystem& fs) const {
  std::set<uint64_t> synced_devices;
  for (const fs::File& directory : directories_) {
    if (!MUTANT(targets_without_directory_sync))
      RETURN_IF_ERROR_WHILE(fs.sync(directory.fd(), fs::SyncKind::kFull),
                            "while making directory changes durable");
    ASSIGN_OR_RETURN(const fs::Space space, fs.space(directory.fd()));
    if (space.directory_sync_suffices) continue;
    ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(directory.fd()));
    if (synced_devices.insert(stat.device).second && !MUTANT(targets_without_file_system_sync))
      RETURN_IF_ERROR(fs.sync_file_system(directory.fd()));
  }
  return {};
}

Status check_links(fs::FileSystem& fs, const ChangePlan& plan) {
  for (const model::LinkCheck& link : plan.links) {
    ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(fs, link.directory));
    ASSIGN_OR_RETURN(const fs::RelPath name, fs::RelPath::parse(link.name));
    const auto text = fs.read_link(dir.fd(), name);
    if (!text || *text != link.text)
      return make_error(ErrorCode::kChanged, "the link leads somewhere else now",
                        link.directory + "/" + link.name);
  }
  return {};
}

}  // namespace stravinsky::txn
