#include "store/store_dir.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "model/store_layout.h"

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
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(opened->fd()));
  RETURN_IF_ERROR(check_private(stat, path, user_id));
  return StoreDir(std::move(*opened), std::move(path));
}

Status StoreDir::ensure(const fs::RelPath& directory) const {
  return fs::ensure_dir(file_system(), fd(), directory, model::layout::kDirectoryMode);
}

}  // namespace stravinsky::store
