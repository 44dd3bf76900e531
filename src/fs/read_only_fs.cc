#include "fs/read_only_fs.h"

#include "base/strings.h"

namespace stravinsky::fs {
namespace {

Error refusal() {
  return make_error(ErrorCode::kPermission, "dry run");
}

Error refusal_at(const RelPath& path) {
  return make_error(ErrorCode::kPermission, "dry run", escape(path.str()));
}

}  // namespace

Result<Fd> ReadOnlyFs::open(Fd dir, const RelPath& path, OpenMode how, uint32_t mode) {
  if (how != OpenMode::kRead && how != OpenMode::kDirectory) return refusal_at(path);
  return inner_.open(dir, path, how, mode);
}

// --- refused

Status ReadOnlyFs::write(Fd, uint64_t, std::span<const std::byte>) {
  return refusal();
}
Status ReadOnlyFs::copy_range(Fd, uint64_t, Fd, uint64_t, uint64_t) {
  return refusal();
}
Status ReadOnlyFs::truncate(Fd, uint64_t) {
  return refusal();
}
Status ReadOnlyFs::make_dir(Fd, const RelPath& path, uint32_t) {
  return refusal_at(path);
}
Status ReadOnlyFs::make_symlink(const std::string&, Fd, const RelPath& path) {
  return refusal_at(path);
}
Status ReadOnlyFs::hard_link(Fd, const RelPath&, Fd, const RelPath& to) {
  return refusal_at(to);
}
Status ReadOnlyFs::rename(Fd, const RelPath&, Fd, const RelPath& to, RenameMode) {
  return refusal_at(to);
}
Status ReadOnlyFs::unlink(Fd, const RelPath& path) {
  return refusal_at(path);
}
Status ReadOnlyFs::remove_dir(Fd, const RelPath& path) {
  return refusal_at(path);
}
Status ReadOnlyFs::set_attributes(Fd, const Attributes&) {
  return refusal();
}
Status ReadOnlyFs::set_xattrs(Fd, const Xattrs&) {
  return refusal();
}

// --- passed through

Result<Fd> ReadOnlyFs::open_root(const std::string& absolute) {
  return inner_.open_root(absolute);
}
Status ReadOnlyFs::close(Fd fd) {
  return inner_.close(fd);
}
Result<size_t> ReadOnlyFs::read(Fd fd, uint64_t offset, std::span<std::byte> out) {
  return inner_.read(fd, offset, out);
}
Status ReadOnlyFs::sync(Fd fd, SyncKind kind) {
  return inner_.sync(fd, kind);
}
Status ReadOnlyFs::sync_file_system(Fd fd) {
  return inner_.sync_file_system(fd);
}
void ReadOnlyFs::advise(Fd fd, Advice advice) {
  inner_.advise(fd, advice);
}
Result<Stat> ReadOnlyFs::stat(Fd dir, const RelPath& path) {
  return inner_.stat(dir, path);
}
Result<Stat> ReadOnlyFs::stat_fd(Fd fd) {
  return inner_.stat_fd(fd);
}
Result<std::vector<DirEntry>> ReadOnlyFs::list(Fd dir) {
  return inner_.list(dir);
}
Result<std::string> ReadOnlyFs::read_link(Fd dir, const RelPath& path) {
  return inner_.read_link(dir, path);
}
Result<Xattrs> ReadOnlyFs::get_xattrs(Fd fd) {
  return inner_.get_xattrs(fd);
}
Result<Space> ReadOnlyFs::space(Fd fd) {
  return inner_.space(fd);
}
Status ReadOnlyFs::try_lock(Fd fd, LockMode mode) {
  return inner_.try_lock(fd, mode);
}
Result<bool> ReadOnlyFs::may_change_names(Fd dir) {
  return inner_.may_change_names(dir);
}

Result<bool> ReadOnlyFs::has_writer(Fd fd) {
  return inner_.has_writer(fd);
}
Result<std::string> ReadOnlyFs::path_of(Fd fd) {
  return inner_.path_of(fd);
}

}  // namespace stravinsky::fs
