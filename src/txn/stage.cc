#include "txn/stage.h"

#include "base/mutant.h"
#include "base/strings.h"

namespace stravinsky::txn {
namespace {

using model::Image;
using model::ImageKind;

constexpr uint32_t kPrivateDirectory = 0700;
constexpr uint32_t kPrivateFile = 0600;

// Asks for the owner only where it differs: changing it to what it is needs no
// right, but an unprivileged user may not even name another group. Nor can they give a
// file away: what somebody else owned when it was saved becomes theirs, rather than stay
// lost.
Status set_owner(fs::FileSystem& fs, fs::Fd fd, const Image& image) {
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(fd));
  if (stat.uid == image.uid && stat.gid == image.gid) return {};
  fs::Attributes owner;
  owner.owner = {image.uid, image.gid};
  Status given = fs.set_attributes(fd, owner);
  if (!given && given.error().code == ErrorCode::kPermission) return {};
  return given;
}

// An error about the child, or something in it, as seen from the directory's own parent.
Error beneath(const fs::RelPath& name, const fs::RelPath& child, Error error) {
  const std::string child_name = escape(child.str());
  if (error.path == child_name || error.path.starts_with(child_name + "/"))
    error.path = escape(name.str()) + "/" + error.path;
  return error;
}

struct Builder {
  fs::FileSystem& fs;
  const StageRequest& request;
  const Content& content;

  Status build_file(fs::Fd dir, const fs::RelPath& name, const Image& image,
                    const std::string& inner_path) {
    ASSIGN_OR_RETURN(fs::File file,
                     fs::File::open(fs, dir, name, fs::OpenMode::kCreateExclusive, kPrivateFile));
    codec::Sha256 hash;
    uint64_t size = 0;
    RETURN_IF_ERROR(
        content(request.change, inner_path, [&](std::span<const std::byte> piece) -> Status {
          hash.update(piece);
          RETURN_IF_ERROR(fs.write(file.fd(), size, piece));
          size += piece.size();
          return {};
        }));
    if ((size != image.size_bytes || hash.finish() != image.sha256) &&
        !MUTANT(stage_without_hash_check))
      return make_error(ErrorCode::kCorrupt, "the content to put in place is not what was planned");
    RETURN_IF_ERROR(set_owner(fs, file.fd(), image));
    RETURN_IF_ERROR(fs.set_xattrs(file.fd(), image.xattrs));
    fs::Attributes attributes;
    attributes.mode = image.mode;
    attributes.mtime_ns = request.mtime_ns;
    RETURN_IF_ERROR(fs.set_attributes(file.fd(), attributes));
    fs.advise(file.fd(), fs::Advice::kStartWriteback);
    return file.close();
  }

  Status build(fs::Fd dir, const fs::RelPath& name, const Image& image,
               const std::string& inner_path) {
    switch (image.kind) {
      case ImageKind::kAbsent:
        return make_error(ErrorCode::kCorrupt, "an absent node cannot be staged");
      case ImageKind::kSymlink:
        return fs.make_symlink(image.link_text, dir, name);
      case ImageKind::kFile:
        return build_file(dir, name, image, inner_path);
      case ImageKind::kDirectory:
        break;
    }
    RETURN_IF_ERROR(fs.make_dir(dir, name, kPrivateDirectory));
    ASSIGN_OR_RETURN(const fs::File inner, fs::File::open(fs, dir, name, fs::OpenMode::kDirectory));
    for (const auto& [child_name, child] : image.children) {
      ASSIGN_OR_RETURN(const fs::RelPath child_path, fs::RelPath::parse(child_name));
      std::string child_inner_path = inner_path;
      if (!child_inner_path.empty()) child_inner_path += '/';
      child_inner_path += child_name;
      if (Status built = build(inner.fd(), child_path, child, child_inner_path); !built)
        return beneath(name, child_path, std::move(built).error());
    }
    RETURN_IF_ERROR(set_owner(fs, inner.fd(), image));
    fs::Attributes attributes;
    attributes.mode = image.mode;
    return fs.set_attributes(inner.fd(), attributes);
  }
};

// Gives the owner the right to take entries out of every directory of the tree.
Status open_up(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name) {
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat(dir, name));
  if (stat.type != fs::NodeType::kDirectory) return {};
  ASSIGN_OR_RETURN(const fs::File inner, fs::File::open(fs, dir, name, fs::OpenMode::kDirectory));
  fs::Attributes attributes;
  attributes.mode = stat.mode | kPrivateDirectory;
  RETURN_IF_ERROR(fs.set_attributes(inner.fd(), attributes));
  ASSIGN_OR_RETURN(const auto entries, fs.list(inner.fd()));
  for (const fs::DirEntry& entry : entries) {
    ASSIGN_OR_RETURN(const fs::RelPath child, fs::RelPath::parse(entry.name));
    RETURN_IF_ERROR(open_up(fs, inner.fd(), child));
  }
  return {};
}

}  // namespace

Status build_stage(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name,
                   const StageRequest& request, const Content& content) {
  Builder builder{.fs = fs, .request = request, .content = content};
  return builder.build(dir, name, *request.image, "");
}

Status sync_stage(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name, const Image& image) {
  if (image.kind == ImageKind::kFile) {
    // Read access is enough for a sync; a mode of 0000 or 0200 would refuse the
    // open to all but root, and there the transaction fails before it begins.
    ASSIGN_OR_RETURN(const fs::File file, fs::File::open(fs, dir, name, fs::OpenMode::kRead));
    if (MUTANT(stage_without_file_sync)) return {};
    return fs.sync(file.fd(), fs::SyncKind::kFull);
  }
  if (image.kind != ImageKind::kDirectory) return {};
  ASSIGN_OR_RETURN(const fs::File inner, fs::File::open(fs, dir, name, fs::OpenMode::kDirectory));
  for (const auto& [child_name, child] : image.children) {
    const fs::RelPath child_path = fs::RelPath::of(child_name);
    if (Status synced = sync_stage(fs, inner.fd(), child_path, child); !synced)
      return beneath(name, child_path, std::move(synced).error());
  }
  if (MUTANT(stage_without_directory_sync)) return {};
  return fs.sync(inner.fd(), fs::SyncKind::kFull);
}

Status remove_stage(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name) {
  Status removed = fs::remove_tree(fs, dir, name);
  if (removed || removed.error().code != ErrorCode::kPermission) return removed;
  RETURN_IF_ERROR(open_up(fs, dir, name));
  return fs::remove_tree(fs, dir, name);
}

}  // namespace stravinsky::txn
