#include "engine/present_tree.h"

#include <vector>

#include "base/strings.h"
#include "model/hook_reference.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::LogicalPath;
using model::Scope;

Status read_referenced(fs::FileSystem& fs, const store::Roots& roots, const LogicalPath& settings,
                       const model::HookRoots& hook_roots, std::vector<LogicalPath>& referenced) {
  const store::Root* root = roots.of(settings.scope);
  if (root == nullptr || !root->exists) return {};
  const auto allowed = roots.allowed();
  const auto location = store::locate(fs, root->path, settings.path, allowed);
  if (!location) return {};  // a loop or worse: the listing reports it
  ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(fs, location->directory));
  const auto text = fs::read_file(fs, dir.fd(), location->path, kSettingsMaxBytes);
  if (!text) return {};
  const auto references = model::find_hook_references(*text, settings.scope, hook_roots);
  if (!references) return {};
  for (const model::HookReference& reference : *references) {
    for (const model::ReferencedFile& file : reference.files) {
      const auto logical = file.logical();
      if (logical && roots.of(logical->scope) != nullptr) referenced.push_back(*logical);
    }
  }
  return {};
}

}  // namespace

Result<store::Snapshot> list_tree(fs::FileSystem& fs, const store::Roots& roots,
                                  const model::HookRoots& hook_roots,
                                  store::OutsideLinks outside_links,
                                  std::vector<LogicalPath> named_besides) {
  std::vector<LogicalPath> referenced = std::move(named_besides);
  for (const Scope scope : {Scope::kUser, Scope::kProject})
    for (const char* name : {"settings.json", "settings.local.json"})
      RETURN_IF_ERROR(
          read_referenced(fs, roots, {scope, fs::RelPath::of(name)}, hook_roots, referenced));
  return store::take_snapshot(
      fs, {.roots = roots, .referenced = std::move(referenced), .outside_links = outside_links});
}

Status read_managed(fs::FileSystem& fs, const store::Snapshot& snapshot, const LogicalPath& path,
                    const codec::Sink& sink) {
  const store::TreeEntry* entry = snapshot.find(path);
  if (entry == nullptr || entry->state == model::EntryState::kAbsent)
    return make_error(ErrorCode::kNotFound, "there is no such file", path.display());
  const fs::Fd dir = snapshot.directories[entry->directory].file.fd();
  ASSIGN_OR_RETURN_WHILE(const fs::File file,
                         fs::File::open(fs, dir, entry->beneath, fs::OpenMode::kRead),
                         "while reading " + path.display());
  return fs::read_pieces(fs, file.fd(), sink);
}

Result<std::optional<std::string>> read_managed_text(fs::FileSystem& fs,
                                                     const store::Snapshot& snapshot,
                                                     const LogicalPath& path) {
  const store::TreeEntry* entry = snapshot.find(path);
  if (entry == nullptr || entry->state != model::EntryState::kStored ||
      entry->stat.type != fs::NodeType::kFile)
    return std::optional<std::string>();
  std::string text;
  RETURN_IF_ERROR(read_managed(fs, snapshot, path, [&](std::span<const std::byte> piece) -> Status {
    text += as_text(piece);
    return {};
  }));
  return std::optional<std::string>(std::move(text));
}

namespace {

Result<Image> image_of(fs::FileSystem& fs, const store::Snapshot& snapshot,
                       const store::TreeEntry& entry) {
  Image image;
  if (entry.state != model::EntryState::kStored) return image;
  image.mode = entry.stat.mode;
  image.uid = entry.stat.uid;
  image.gid = entry.stat.gid;
  switch (entry.stat.type) {
    case fs::NodeType::kDirectory:
      image.kind = ImageKind::kDirectory;
      break;
    case fs::NodeType::kSymlink:
      image.kind = ImageKind::kSymlink;
      image.link_text = entry.link_text;
      break;
    case fs::NodeType::kFile: {
      image.kind = ImageKind::kFile;
      codec::Sha256 hash;
      RETURN_IF_ERROR(
          read_managed(fs, snapshot, entry.path, [&](std::span<const std::byte> piece) -> Status {
            hash.update(piece);
            image.size_bytes += piece.size();
            return {};
          }));
      image.sha256 = hash.finish();
      break;
    }
    case fs::NodeType::kOther:
      break;
  }
  return image;
}

}  // namespace

Result<Image> image_now(fs::FileSystem& fs, const store::Snapshot& snapshot,
                        const LogicalPath& path) {
  const store::TreeEntry* entry = snapshot.find(path);
  return entry == nullptr ? Image() : image_of(fs, snapshot, *entry);
}

Result<KnownTree> hash_tree(fs::FileSystem& fs, const store::Snapshot& snapshot) {
  KnownTree known;
  for (const store::TreeEntry& entry : snapshot.entries) {
    ASSIGN_OR_RETURN(Image image, image_of(fs, snapshot, entry));
    if (!image.is_absent()) known.emplace(entry.path, std::move(image));
  }
  return known;
}

}  // namespace stravinsky::engine
