#include "store/store_dir.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "fs/atomic_file.h"

namespace stravinsky::store {
namespace {

Status check_private(const fs::Stat& stat, const std::string& path, uint32_t user_id) {
  if (stat.uid != user_id)
    return make_error(
               ErrorCode::kPermission,
               fmt::format("the store belongs to user {}, not to you (user {})", stat.uid, user_id),
               escape(path))
        .with_untouched("Nothing was read or changed.")
        .with_remedy(
            fmt::format("If it is yours: sudo chown -R {} {}", user_id, shell_quote(path)));
  if ((stat.mode & 077U) != 0)
    return make_error(ErrorCode::kPermission,
                      fmt::format("other users can reach the store (mode {:04o})", stat.mode),
                      escape(path))
        .with_untouched("Nothing was read or changed.")
        .with_remedy("Close it to others: chmod -R go-rwx " + shell_quote(path));
  return {};
}

// "backups" is a name that anybody may use.
bool has_our_backups(fs::FileSystem& fs, fs::Fd dir, const std::string& name) {
  namespace layout = model::layout;
  if (name != layout::backups().str()) return false;
  const auto backups = fs::File::open(fs, dir, layout::backups(), fs::OpenMode::kDirectory);
  if (!backups) return false;
  const auto names = fs.list(backups->fd());
  if (!names) return false;
  const auto is_partial = [](const fs::DirEntry& one) { return layout::is_partial_name(one.name); };
  return std::ranges::all_of(*names, is_partial) ||
         std::ranges::any_of(*names, [](const fs::DirEntry& one) {
           return one.name == layout::sequence().name() || one.name == layout::latest().name();
         });
}

// A mistyped directory must neither be swept nor closed to others.
Status check_is_store(fs::FileSystem& fs, fs::Fd dir, const std::string& path) {
  const auto names = fs.list(dir);
  if (!names || names->empty()) return {};  // who may not look is told by whoever reads
  const auto is_ours = [&](const fs::DirEntry& entry) {
    for (const char* mark : {"lock", "audit", "recovery", "bundles", "config.json"})
      if (entry.name == mark) return true;
    return model::layout::is_partial_name(entry.name) || has_our_backups(fs, dir, entry.name);
  };
  if (std::ranges::any_of(*names, is_ours)) return {};
  return make_error(ErrorCode::kUsage,
                    "is no store: it holds other files, and neither a lock nor an audit trail",
                    escape(path))
      .with_untouched("Nothing was read or changed.")
      .with_remedy(
          "Look at --root and STRAVINSKY_ROLLBACK_HOME. A new store needs a directory "
          "that is empty or absent; for what is left of an old one: touch " +
          shell_quote(path + "/lock"));
}

}  // namespace

Result<StoreDir> StoreDir::open(fs::FileSystem& fs, const std::string& absolute, uint32_t user_id,
                                IfAbsent if_absent) {
  auto opened = if_absent == IfAbsent::kCreate
                    ? fs::ensure_root(fs, absolute, model::layout::kDirectoryMode)
                    : fs::File::open_root(fs, absolute);
  if (!opened) {
    Error error = Error(std::move(opened).error()).with_context("while opening the store");
    // Only its last name is known to whoever made it.
    if (!error.path.starts_with('/')) error.path = escape(absolute);
    return error;
  }
  ASSIGN_OR_RETURN(std::string path, fs.path_of(opened->fd()));
  RETURN_IF_ERROR(check_is_store(fs, opened->fd(), path));
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(opened->fd()));
  RETURN_IF_ERROR(check_private(stat, path, user_id));
  return StoreDir(std::move(*opened), std::move(path));
}

Status StoreDir::ensure(const fs::RelPath& directory) const {
  return fs::ensure_dir(file_system(), fd(), directory, model::layout::kDirectoryMode);
}

Status StoreDir::sweep_partials() const {
  namespace layout = model::layout;
  const auto sweep = [&](fs::Fd dir) -> Status {
    ASSIGN_OR_RETURN(const auto names, file_system().list(dir));
    for (const fs::DirEntry& entry : names)
      if (layout::is_partial_name(entry.name))
        RETURN_IF_ERROR_WHILE(fs::remove_tree(file_system(), dir, fs::RelPath::of(entry.name)),
                              "while removing what a crash left");
    return {};
  };
  RETURN_IF_ERROR(sweep(fd()));
  for (const fs::RelPath& place : {layout::backups(), layout::bundles(), layout::recovery()}) {
    ASSIGN_OR_RETURN(const auto dir,
                     fs::open_if_present(file_system(), fd(), place, fs::OpenMode::kDirectory));
    if (dir) RETURN_IF_ERROR(sweep(dir->fd()));
  }
  return {};
}

Status set_aside_damaged(fs::FileSystem& fs, fs::Fd store, const fs::RelPath& path) {
  namespace layout = model::layout;
  RETURN_IF_ERROR(fs::ensure_dir(fs, store, layout::damaged(), layout::kDirectoryMode));
  for (uint64_t n = 1;; ++n) {
    const fs::RelPath aside = layout::damaged_file(path.name(), n);
    ASSIGN_OR_RETURN(const auto taken, fs::stat_if_present(fs, store, aside));
    if (taken) continue;
    RETURN_IF_ERROR(fs.rename(store, path, store, aside, fs::RenameMode::kReplace));
    return fs::sync_path(fs, store, layout::damaged());
  }
}

Status write_derived(fs::FileSystem& fs, fs::Fd store, const fs::RelPath& path,
                     std::string_view bytes, uint32_t mode) {
  ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs, store, path));
  if (found && found->type != fs::NodeType::kFile)
    RETURN_IF_ERROR(set_aside_damaged(fs, store, path));
  return fs::write_atomically(fs, store, path, bytes, mode);
}

}  // namespace stravinsky::store
