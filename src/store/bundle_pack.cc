#include "store/bundle_pack.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "codec/gzip_member.h"
#include "codec/tar_header.h"
#include "model/component.h"
#include "store/bundle_manifest.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;

constexpr int kLevel = 9;
constexpr size_t kEndBlocks = 2;

// What of dir/path comes behind dir; empty when it is not beneath it.
std::string_view beneath(const std::string& dir, const std::string& path) {
  if (dir.empty()) return path;
  if (!path.starts_with(dir + "/")) return {};
  return std::string_view(path).substr(dir.size() + 1);
}

bool belongs(const Bundle& bundle, const RawFile& file) {
  const std::string_view inner = beneath(bundle.layout().root, file.path.str());
  if (inner.empty()) return true;  // metadata of the package
  const auto path = RelPath::parse(inner);
  if (!path || model::is_excluded(*path)) return false;
  if (bundle.layout().kind == LayoutKind::kPlugin) return true;
  // Of a tree at the top the metadata lie in it.
  if (bundle.layout().kind == LayoutKind::kFolders &&
      !is_tree_top(inner.substr(0, inner.find('/'))))
    return true;
  return std::ranges::binary_search(bundle.files(), *path, {}, &BundleFile::path);
}

Status append_member(const RawFile& file, std::string& tar) {
  codec::ArchiveMember member;
  member.path = file.path.str();
  member.mode = file.mode;
  member.size_bytes = file.content.size();
  RETURN_IF_ERROR(codec::check_archivable(member));
  tar += codec::encode_tar_headers(member);
  tar += file.content;
  tar.append(codec::tar_padding(file.content.size()), '\0');
  return {};
}

}  // namespace

Result<std::string> pack_bundle(const Bundle& bundle) {
  constexpr uint32_t kExecBits = 0111;
  std::vector<RawFile> files;
  for (const RawFile& file : bundle.sources()) {
    const std::string_view inner = beneath(bundle.layout().package, file.path.str());
    if (inner.empty() || inner == kBundleManifestName || !belongs(bundle, file)) continue;
    ASSIGN_OR_RETURN(RelPath path, RelPath::parse(inner));
    files.push_back({.path = std::move(path),
                     .mode = (file.mode & kExecBits) != 0 ? 0755U : 0644U,
                     .content = file.content});
  }
  std::ranges::sort(files, {}, &RawFile::path);
  std::string tar;
  const std::string version = bundle.version() ? bundle.version()->str() : "unknown";
  RETURN_IF_ERROR(
      append_member({.path = RelPath::of(kBundleManifestName),
                     .mode = 0644,
                     .content = make_bundle_manifest(files, bundle.name(), version) + "\n"},
                    tar));
  for (const RawFile& file : files) RETURN_IF_ERROR(append_member(file, tar));
  tar.append(kEndBlocks * codec::kTarBlockBytes, '\0');
  std::vector<std::byte> packed;
  codec::GzipCompressor(kLevel).append(as_byte_span(tar), packed);
  return std::string(as_text(packed));
}

}  // namespace stravinsky::store
