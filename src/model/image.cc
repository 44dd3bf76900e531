#include "model/image.h"

namespace stravinsky::model {

bool Image::same_as(const Image& other) const {
  if (kind != other.kind) return false;
  switch (kind) {
    case ImageKind::kAbsent:
      return true;
    case ImageKind::kSymlink:
      return link_text == other.link_text;
    case ImageKind::kFile:
      return mode == other.mode && size_bytes == other.size_bytes && sha256 == other.sha256;
    case ImageKind::kDirectory:
      break;
  }
  if (mode != other.mode || children.size() != other.children.size()) return false;
  for (size_t i = 0; i < children.size(); ++i) {
    if (children[i].name != other.children[i].name) return false;
    if (!children[i].image.same_as(other.children[i].image)) return false;
  }
  return true;
}

std::string_view image_kind_name(ImageKind kind) {
  switch (kind) {
    case ImageKind::kAbsent:
      return "absent";
    case ImageKind::kFile:
      return "file";
    case ImageKind::kSymlink:
      return "link";
    case ImageKind::kDirectory:
      return "directory";
  }
  return "absent";
}

}  // namespace stravinsky::model
