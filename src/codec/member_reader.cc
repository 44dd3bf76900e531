#include "codec/member_reader.h"

#include <algorithm>

#include "codec/tar_header.h"

namespace stravinsky::codec {
namespace {

Error corrupt(std::string message) {
  return make_error(ErrorCode::kCorrupt, std::move(message));
}

bool is_end_mark(std::span<const std::byte> bytes) {
  return bytes.size() == 2 * kTarBlockBytes &&
         std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

bool have_equal_headers(const ArchiveMember& a, const ArchiveMember& b) {
  return a.path == b.path && a.type == b.type && a.mode == b.mode && a.uid == b.uid &&
         a.gid == b.gid && whole_seconds(a.mtime_ns) == whole_seconds(b.mtime_ns) &&
         a.size_bytes == b.size_bytes && a.link_text == b.link_text;
}

}  // namespace

MemberReader::MemberReader(fs::FileSystem& fs, fs::Fd archive, Sha256* archive_hash)
    : gzip_(fs, archive, kChunkBytes + kTarHeadersMaxBytes), archive_hash_(archive_hash) {}

Status MemberReader::read(const ArchiveMember& member, const Sink& sink) {
  if (member.length > UINT64_MAX - member.offset) return corrupt("its place is not in the archive");
  seek(member.offset, member.offset + member.length);
  ASSIGN_OR_RETURN(const bool found, begin());
  if (!found || !have_equal_headers(member_, member))
    return corrupt("another file, or other attributes, stand in its place in the archive");
  RETURN_IF_ERROR(finish(sink));
  if (!at_end()) return corrupt("more stands in its place in the archive");
  if (member_.sha256 != member.sha256) return corrupt("its content is not what was stored");
  return {};
}

Result<bool> MemberReader::begin() {
  member_ = {};
  const uint64_t offset = gzip_.offset();
  ASSIGN_OR_RETURN(const auto bytes, next_gzip_member());
  if (is_end_mark(bytes)) return false;
  ASSIGN_OR_RETURN(TarHeaders headers, parse_tar_headers(bytes));
  member_ = std::move(headers.member);
  member_.offset = offset;
  rest_ = bytes.subspan(headers.size_bytes);
  return true;
}

Status MemberReader::finish(const Sink& sink) {
  if (member_.type == fs::NodeType::kFile) {
    Sha256 hash;
    if (member_.size_bytes <= kChunkBytes) {
      RETURN_IF_ERROR(take_content(rest_, member_.size_bytes, hash, sink));
    } else {
      if (!rest_.empty()) return corrupt("data stands where only headers belong");
      for (uint64_t left = member_.size_bytes; left > 0;) {
        ASSIGN_OR_RETURN(const auto bytes, next_gzip_member());
        const uint64_t size_bytes = std::min(left, kChunkBytes);
        RETURN_IF_ERROR(take_content(bytes, size_bytes, hash, sink));
        left -= size_bytes;
      }
    }
    member_.sha256 = hash.finish();
  } else if (!rest_.empty()) {
    return corrupt("data stands where only headers belong");
  }
  member_.length = gzip_.offset() - member_.offset;
  return {};
}

Result<std::span<const std::byte>> MemberReader::next_gzip_member() {
  if (at_end()) return corrupt("the archive is cut short");
  auto bytes = gzip_.next();
  if (bytes && archive_hash_ != nullptr) archive_hash_->update(gzip_.compressed());
  return bytes;
}

Status MemberReader::take_content(std::span<const std::byte> padded, uint64_t size_bytes,
                                  Sha256& hash, const Sink& sink) {
  if (padded.size() != size_bytes + tar_padding(size_bytes))
    return corrupt("more or less data than the header says");
  const auto content = padded.first(size_bytes);
  hash.update(content);
  return content.empty() ? Status() : sink(content);
}

}  // namespace stravinsky::codec
