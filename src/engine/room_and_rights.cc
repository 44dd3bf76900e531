#include "engine/room_and_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "base/units.h"
#include "model/store_layout.h"
#include "store/location.h"

namespace stravinsky::engine {
namespace {

// What takes room in the store and nothing relies on, the best first.
std::string what_may_go(const Session& session) {
  std::string text;
  const auto quarantine = fs::open_if_present(
      session.fs(), session.store().fd(), model::layout::quarantine(), fs::OpenMode::kDirectory);
  if (quarantine && *quarantine)
    if (const auto names = session.fs().list((*quarantine)->fd()); names && !names->empty())
      text = " What may go first: " + shell_quote(session.store_path() + "/quarantine") + ".";
  const auto list = session.backups().list();
  if (!list) return text;
  const auto oldest = std::ranges::find_if(list->backups, [](const store::BackupInfo& info) {
    return !info.pinned && info.kind != model::BackupKind::kManual;
  });
  if (list->backups.size() < 2 || oldest == list->backups.end()) return text;
  return text + fmt::format(" The oldest automatic backup, {} ({}), may go as well: rm -r {}",
                            escape(oldest->id), human_size(oldest->size_bytes),
                            shell_quote(session.store_path() + "/" +
                                        model::layout::backup(oldest->id).str()));
}

Status check_room(const Session& session, const store::Snapshot& snapshot, Room room) {
  ASSIGN_OR_RETURN(const fs::Space space, session.fs().space(session.store().fd()));
  if (space.read_only)
    return make_error(ErrorCode::kPermission, "the file system of the store is read-only",
                      session.store_path());
  const auto threshold =
      static_cast<uint64_t>(session.config().integer("safety.disk_space_threshold_mb")) *
      kBytesPerMegabyte;
  const uint64_t needed = room == Room::kUpdate ? std::max(2 * snapshot.content_bytes(), threshold)
                                                : snapshot.content_bytes();
  if (space.available_bytes < needed)
    return make_error(ErrorCode::kNoSpace,
                      fmt::format("{} bytes are free for the store where {} are needed",
                                  with_thousands(space.available_bytes), with_thousands(needed)),
                      session.store_path())
        .with_remedy(room == Room::kUpdate
                         ? "Free some space and run the command again; how much must stay free is "
                           "safety.disk_space_threshold_mb in config.json of the store." +
                               what_may_go(session)
                         : "Go back without saving the present state first: add --no-backup. Or "
                           "free some space and run the command again." +
                               what_may_go(session));
  const uint64_t inodes = snapshot.entries.size();
  if (space.available_inodes < inodes)
    return make_error(ErrorCode::kNoSpace,
                      fmt::format("{} inodes are free for the store where {} are needed",
                                  with_thousands(space.available_inodes), with_thousands(inodes)),
                      session.store_path())
        .with_remedy("Delete files that are not needed, and run the command again.");
  return {};
}

// Looks at each directory once.
class Rights {
 public:
  Rights(const Session& session, const store::Snapshot& snapshot)
      : fs_(session.fs()), roots_(session.roots()), snapshot_(snapshot) {}

  Status check(const model::LogicalPath& path) {
    const store::TreeEntry* entry = snapshot_.find(path);
    if (entry != nullptr && entry->state == model::EntryState::kStored && entry->stat.immutable)
      return make_error(ErrorCode::kPermission, "has the immutable or append-only attribute",
                        path.display())
          .with_remedy("Take it off with chattr -ia, and run the command again.");
    const store::Root* root = roots_.of(path.scope);
    if (root == nullptr) return {};
    const auto location = store::locate(fs_, root->path, path.path, allowed_);
    if (!location) return {};
    std::string directory = location->absolute();
    directory.resize(directory.rfind('/'));
    ASSIGN_OR_RETURN(const bool may, may_change(directory));
    if (!may)
      return make_error(ErrorCode::kPermission,
                        "you may not change the directory " + escape(directory), path.display())
          .with_remedy("See its owner and mode with: ls -ld " + shell_quote(directory));
    return {};
  }

 private:
  // Of a directory that is absent: whether it could be made.
  Result<bool> may_change(const std::string& directory) {
    const auto known = answers_.find(directory);
    if (known != answers_.end()) return known->second;
    bool may = true;
    const auto dir = fs::File::open_root(fs_, directory);
    if (dir) {
      ASSIGN_OR_RETURN(may, fs_.may_change_names(dir->fd()));
    } else if (is_not_found(dir.error()) && directory.rfind('/') > 0) {
      ASSIGN_OR_RETURN(may, may_change(directory.substr(0, directory.rfind('/'))));
    } else if (dir.error().code == ErrorCode::kPermission) {
      may = false;
    }
    answers_.emplace(directory, may);
    return may;
  }

  fs::FileSystem& fs_;
  const store::Roots& roots_;
  const store::Snapshot& snapshot_;
  std::vector<std::string> allowed_ = roots_.allowed();
  std::map<std::string, bool> answers_;
};

}  // namespace

Status check_room_and_rights(const Session& session, const store::Snapshot& snapshot,
                             std::span<const model::LogicalPath> touches, Room room) {
  if (session.has_store() && room != Room::kNoBackup)
    RETURN_IF_ERROR(check_room(session, snapshot, room));
  Rights rights(session, snapshot);
  for (const model::LogicalPath& path : touches) RETURN_IF_ERROR(rights.check(path));
  return {};
}

}  // namespace stravinsky::engine
