#include "fs/file.h"

#include <algorithm>
#include <memory>
#include <span>

namespace stravinsky::fs {
namespace {

constexpr size_t kPieceBytes = 256U << 10U;

}  // namespace

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (is_open()) (void)fs_->close(fd_);
    fs_ = other.fs_;
    fd_ = std::exchange(other.fd_, Fd::kNone);
  }
  return *this;
}

File::~File() {
  if (is_open()) (void)fs_->close(fd_);
}

Result<File> File::open_root(FileSystem& fs, const std::string& absolute) {
  ASSIGN_OR_RETURN(const Fd fd, fs.open_root(absolute));
  return File(fs, fd);
}

Result<File> File::open(FileSystem& fs, Fd dir, const RelPath& path, OpenMode how, uint32_t mode) {
  ASSIGN_OR_RETURN(const Fd fd, fs.open(dir, path, how, mode));
  return File(fs, fd);
}

Status File::close() {
  if (!is_open()) return {};
  return fs_->close(std::exchange(fd_, Fd::kNone));
}

Result<std::optional<Stat>> stat_if_present(FileSystem& fs, Fd dir, const RelPath& path) {
  auto found = fs.stat(dir, path);
  if (found) return std::optional<Stat>(*found);
  if (is_not_found(found.error())) return std::optional<Stat>();
  return std::move(found).error();
}

Result<std::optional<File>> open_if_present(FileSystem& fs, Fd dir, const RelPath& path,
                                            OpenMode how) {
  auto opened = File::open(fs, dir, path, how);
  if (opened) return std::optional<File>(std::move(*opened));
  if (is_not_found(opened.error())) return std::optional<File>();
  return std::move(opened).error();
}

Result<std::string> read_all(FileSystem& fs, Fd fd, uint64_t size_max_bytes) {
  ASSIGN_OR_RETURN(const Stat stat, fs.stat_fd(fd));
  const auto too_large = [] { return make_error(ErrorCode::kCorrupt, "the file is too large"); };
  if (stat.size_bytes > size_max_bytes) return too_large();
  std::string bytes(stat.size_bytes + 1, '\0');  // one more, to see that it did not grow
  size_t size = 0;
  while (true) {
    ASSIGN_OR_RETURN(const size_t got,
                     fs.read(fd, size, std::as_writable_bytes(std::span(bytes)).subspan(size)));
    size += got;
    if (size > size_max_bytes) return too_large();
    if (got == 0 || size < bytes.size()) break;
    bytes.resize(bytes.size() * 2);
  }
  bytes.resize(size);
  return bytes;
}

Status read_pieces(FileSystem& fs, Fd file, const SeePiece& see) {
  // Not cleared: for a small file that would cost more than reading it.
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kPieceBytes);
  const std::span<std::byte> piece(buffer.get(), kPieceBytes);
  for (uint64_t at = 0;;) {
    ASSIGN_OR_RETURN(const size_t got, fs.read(file, at, piece));
    if (got > 0) RETURN_IF_ERROR(see(piece.first(got)));
    at += got;
    if (got < piece.size()) return {};
  }
}

Result<std::string> read_file(FileSystem& fs, Fd dir, const RelPath& path,
                              uint64_t size_max_bytes) {
  ASSIGN_OR_RETURN(const File file, File::open(fs, dir, path, OpenMode::kRead));
  auto bytes = read_all(fs, file.fd(), size_max_bytes);
  if (!bytes && bytes.error().path.empty()) bytes.error().path = path.str();
  return bytes;
}

Status ensure_dir(FileSystem& fs, Fd dir, const RelPath& path, uint32_t mode) {
  ASSIGN_OR_RETURN(const auto found, stat_if_present(fs, dir, path));
  if (found && found->type == NodeType::kDirectory) return {};
  if (found) return make_error(ErrorCode::kWrongType, "not a directory", path.str());
  if (path.has_parent()) RETURN_IF_ERROR(ensure_dir(fs, dir, path.parent(), mode));
  if (auto made = fs.make_dir(dir, path, mode); !made) {
    // Another process of ours may have made it meanwhile.
    if (made.error().code != ErrorCode::kAlreadyExists) return made;
    return {};
  }
  if (!path.has_parent()) return fs.sync(dir, SyncKind::kFull);
  ASSIGN_OR_RETURN(const File parent, File::open(fs, dir, path.parent(), OpenMode::kDirectory));
  return fs.sync(parent.fd(), SyncKind::kFull);
}

Result<File> ensure_root(FileSystem& fs, const std::string& absolute, uint32_t mode) {
  auto root = File::open_root(fs, absolute);
  if (root || !is_not_found(root.error())) return root;
  const size_t slash = absolute.rfind('/');
  if (slash == std::string::npos || slash + 1 == absolute.size()) return root;
  const std::string parent_path = slash == 0 ? "/" : absolute.substr(0, slash);
  ASSIGN_OR_RETURN(const File parent, ensure_root(fs, parent_path, mode));
  ASSIGN_OR_RETURN(const RelPath name, RelPath::parse(absolute.substr(slash + 1)));
  RETURN_IF_ERROR(ensure_dir(fs, parent.fd(), name, mode));
  return File::open_root(fs, absolute);
}

Status sync_names(FileSystem& fs, Fd dir) {
  RETURN_IF_ERROR(fs.sync(dir, SyncKind::kFull));
  ASSIGN_OR_RETURN(const Space space, fs.space(dir));
  return space.directory_sync_suffices ? Status() : fs.sync_file_system(dir);
}

Status sync_path(FileSystem& fs, Fd dir, const RelPath& path) {
  if (path.has_parent()) {
    RETURN_IF_ERROR(sync_path(fs, dir, path.parent()));
  } else {
    RETURN_IF_ERROR(fs.sync(dir, SyncKind::kFull));
  }
  ASSIGN_OR_RETURN(const File inner, File::open(fs, dir, path, OpenMode::kDirectory));
  return fs.sync(inner.fd(), SyncKind::kFull);
}

Status remove_tree(FileSystem& fs, Fd dir, const RelPath& path) {
  ASSIGN_OR_RETURN(const auto found, stat_if_present(fs, dir, path));
  if (!found) return {};
  if (found->type != NodeType::kDirectory) return fs.unlink(dir, path);
  {
    ASSIGN_OR_RETURN(const File inner, File::open(fs, dir, path, OpenMode::kDirectory));
    ASSIGN_OR_RETURN(const auto entries, fs.list(inner.fd()));
    for (const DirEntry& entry : entries) {
      ASSIGN_OR_RETURN(const RelPath name, RelPath::parse(entry.name));
      RETURN_IF_ERROR(remove_tree(fs, inner.fd(), name));
    }
  }
  return fs.remove_dir(dir, path);
}

}  // namespace stravinsky::fs
