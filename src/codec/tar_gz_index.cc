#include <algorithm>
#include <unordered_map>

#include "base/strings.h"
#include "codec/member_reader.h"
#include "codec/tar_gz.h"

namespace stravinsky::codec {
namespace {

// Of all paths and link texts together: compressed they take next to nothing, so a
// small archive could name more than memory holds.
constexpr uint64_t kNamesMaxBytes = 256U << 20U;

Error corrupt(std::string message, const std::string& path) {
  return make_error(ErrorCode::kCorrupt, std::move(message), escape(path));
}

// What has been seen so far, and whether the next member may join it.
class Admission {
 public:
  explicit Admission(const IndexLimits& limits) : limits_(limits) {}

  Status admit(const ArchiveMember& member) {
    names_bytes_ += member.path.size() + member.link_text.size();
    if (types_.size() >= limits_.members_max || names_bytes_ > kNamesMaxBytes)
      return corrupt("the archive has too many members", member.path);
    if (member.size_bytes > limits_.content_max_bytes - content_bytes_)
      return corrupt("the archive expands to more than is allowed", member.path);
    content_bytes_ += member.size_bytes;
    if (!types_.emplace(member.path, member.type).second)
      return corrupt("the archive has this path twice", member.path);
    return {};
  }

  // Nothing may lie beneath a file or a symlink: unpacking would follow it.
  Status check_ancestors() const {
    for (const auto& [path, type] : types_) {
      for (size_t slash = path.find('/'); slash != std::string::npos;
           slash = path.find('/', slash + 1)) {
        const auto ancestor = types_.find(path.substr(0, slash));
        if (ancestor != types_.end() && ancestor->second != fs::NodeType::kDirectory)
          return corrupt("the archive has this path beneath something else than a directory", path);
      }
    }
    return {};
  }

 private:
  const IndexLimits& limits_;
  std::unordered_map<std::string, fs::NodeType> types_;
  uint64_t content_bytes_ = 0;
  uint64_t names_bytes_ = 0;
};

}  // namespace

Result<Archive> read_index(fs::FileSystem& fs, fs::Fd archive, const IndexLimits& limits) {
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(archive));
  Sha256 hash;
  MemberReader reader(fs, archive, &hash);
  reader.seek(0, stat.size_bytes);
  Archive index;
  Admission admission(limits);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, reader.begin());
    if (!found) break;
    RETURN_IF_ERROR(admission.admit(reader.member()));
    RETURN_IF_ERROR(reader.finish([](std::span<const std::byte> /*content*/) { return Status(); }));
    index.members.push_back(reader.member());
  }
  if (!reader.at_end())
    return make_error(ErrorCode::kCorrupt, "bytes follow the end of the archive");
  RETURN_IF_ERROR(admission.check_ancestors());
  index.size_bytes = stat.size_bytes;
  index.sha256 = hash.finish();
  return index;
}

}  // namespace stravinsky::codec
