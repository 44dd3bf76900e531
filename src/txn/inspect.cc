#include "txn/inspect.h"

#include <vector>

namespace stravinsky::txn {
namespace {

using fs::NodeType;
using model::Image;
using model::ImageKind;

constexpr int kDepthMax = 256;

bool same_version(const fs::Stat& a, const fs::Stat& b) {
  return a.inode == b.inode && a.size_bytes == b.size_bytes && a.mtime_ns == b.mtime_ns &&
         a.ctime_ns == b.ctime_ns;
}

struct Inspector {
  fs::FileSystem& fs;
  const SeeBytes& see;

  Status read_content(fs::Fd file, const std::string& inner_path, Image& image) {
    codec::Sha256 hash;
    RETURN_IF_ERROR(fs::read_pieces(fs, file, [&](std::span<const std::byte> piece) -> Status {
      hash.update(piece);
      image.size_bytes += piece.size();
      return see ? see(inner_path, piece) : Status();
    }));
    image.sha256 = hash.finish();
    return {};
  }

  Status read_children(fs::Fd dir, const std::string& inner_path, int depth, Image& image) {
    ASSIGN_OR_RETURN(const auto entries, fs.list(dir));
    for (const fs::DirEntry& entry : entries) {
      ASSIGN_OR_RETURN(const fs::RelPath name, fs::RelPath::parse(entry.name));
      ASSIGN_OR_RETURN(
          Image child,
          read(dir, name, inner_path.empty() ? entry.name : inner_path + "/" + entry.name,
               depth + 1));
      if (child.is_absent())
        return make_error(ErrorCode::kChanged, "vanished meanwhile", entry.name);
      image.children.emplace_back(entry.name, std::move(child));
    }
    return {};
  }

  Result<Image> read(fs::Fd dir, const fs::RelPath& name, const std::string& inner_path,
                     int depth) {
    if (depth > kDepthMax)
      return make_error(ErrorCode::kWrongType, "directories are nested too deeply", name.str());
    Image image;
    ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs, dir, name));
    if (!found) return image;
    image.mode = found->mode;
    image.uid = found->uid;
    image.gid = found->gid;
    switch (found->type) {
      case NodeType::kOther:
        return make_error(ErrorCode::kWrongType, "is a device, socket or FIFO", name.str());
      case NodeType::kSymlink: {
        image.kind = ImageKind::kSymlink;
        ASSIGN_OR_RETURN(image.link_text, fs.read_link(dir, name));
        return image;
      }
      case NodeType::kDirectory: {
        image.kind = ImageKind::kDirectory;
        ASSIGN_OR_RETURN(const fs::File inner,
                         fs::File::open(fs, dir, name, fs::OpenMode::kDirectory));
        RETURN_IF_ERROR(read_children(inner.fd(), inner_path, depth, image));
        return image;
      }
      case NodeType::kFile:
        break;
    }
    image.kind = ImageKind::kFile;
    ASSIGN_OR_RETURN(const fs::File file, fs::File::open(fs, dir, name, fs::OpenMode::kRead));
    ASSIGN_OR_RETURN(image.xattrs, fs.get_xattrs(file.fd()));
    RETURN_IF_ERROR(read_content(file.fd(), inner_path, image));
    ASSIGN_OR_RETURN(const fs::Stat after, fs.stat_fd(file.fd()));
    if (!same_version(*found, after))
      return make_error(ErrorCode::kChanged, "changed while it was read", name.str());
    return image;
  }
};

}  // namespace

Result<Image> inspect(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name,
                      const SeeBytes& see) {
  Inspector inspector{.fs = fs, .see = see};
  return inspector.read(dir, name, "", 0);
}

Result<Image> inspect(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name) {
  const SeeBytes nobody;
  return inspect(fs, dir, name, nobody);
}

}  // namespace stravinsky::txn
