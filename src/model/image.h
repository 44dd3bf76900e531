// Image: what stands, or is to stand, at one name of the user's tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/sha256.h"
#include "fs/file_system.h"

namespace stravinsky::model {

enum class ImageKind : uint8_t { kAbsent = 0, kFile = 1, kSymlink = 2, kDirectory = 3 };

struct NamedImage;

struct Image {
  ImageKind kind = ImageKind::kAbsent;
  uint32_t mode = 0;  // permission bits; meaningless for a symlink
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size_bytes = 0;  // of a file
  codec::Digest sha256;     // of a file's content
  std::string link_text;    // of a symlink
  fs::Xattrs xattrs;        // of a file
  // Of a directory: everything in it, sorted by name.
  std::vector<NamedImage> children;

  bool is_absent() const { return kind == ImageKind::kAbsent; }
  // Kind, bytes, permission bits, link text and children. Not the owner and the
  // extended attributes, which a restore sets but which no reader of a hook sees.
  bool same_as(const Image& other) const;
};

struct NamedImage {
  std::string name;
  Image image;
};

// Calls visit(inner_path, image) for image itself ("") and everything beneath it
// ("x.md", "sub/y.md"), parents before children.
template <typename Visit>
void visit_image(const Image& image, const std::string& inner_path, const Visit& visit) {
  visit(inner_path, image);
  for (const auto& [name, child] : image.children)
    visit_image(child, inner_path.empty() ? name : inner_path + "/" + name, visit);
}

// "file", "link", "directory", "absent"
std::string_view image_kind_name(ImageKind kind);

}  // namespace stravinsky::model
