#include "codec/member_encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "codec/tar_header.h"

namespace stravinsky::codec {
namespace {

constexpr uint64_t kHeldMaxBytes = 4 * kChunkBytes;
constexpr int kAttempts = 3;
static_assert(kChunkBytes % kTarBlockBytes == 0, "only the last chunk of a file is padded");

void take_attributes(const fs::Stat& stat, ArchiveMember& member) {
  member.mode = stat.mode;
  member.uid = stat.uid;
  member.gid = stat.gid;
  member.mtime_ns = stat.mtime_ns;
  member.size_bytes = stat.size_bytes;
}

// Whether nothing happened to a file between two looks at it.
bool is_unchanged(const fs::Stat& before, const fs::Stat& after) {
  return before.inode == after.inode && before.size_bytes == after.size_bytes &&
         before.mtime_ns == after.mtime_ns && before.ctime_ns == after.ctime_ns;
}

// No compressed member is longer; a previous archive's index that says so is wrong.
uint64_t length_max_bytes(uint64_t size_bytes) {
  return 2 * (size_bytes + kChunkBytes);
}

}  // namespace

WriteJob::WriteJob(fs::FileSystem& fs_in, std::span<const ArchiveMember> members_in,
                   const OpenContent& open_content_in, const WriteOptions& options_in)
    : fs(fs_in), members(members_in), open_content(open_content_in), options(options_in) {
  if (options.previous == nullptr) return;
  previous.reserve(options.previous_members.size());
  for (const ArchiveMember& member : options.previous_members)
    if (member.type == fs::NodeType::kFile) previous.emplace(member.path, &member);
}

Result<std::optional<ArchiveMember>> MemberEncoder::encode(size_t index,
                                                           std::vector<std::byte>& out) {
  ArchiveMember member = job_.members[index];
  RETURN_IF_ERROR(check_archivable(member));
  const size_t begin = out.size();
  member.offset = 0;
  member.sha256 = {};
  member.unstable = false;
  if (member.type == fs::NodeType::kFile) {
    ASSIGN_OR_RETURN(const fs::File file, job_.open_content(index));
    ASSIGN_OR_RETURN(const bool held, encode_file(file.fd(), member, out));
    if (!held) return std::nullopt;
  } else {
    member.size_bytes = 0;
    gzip_.append(as_byte_span(encode_tar_headers(member)), out);
  }
  member.length = out.size() - begin;
  return member;
}

Result<ArchiveMember> MemberEncoder::stream(size_t index, ArchiveOutput& out) {
  ASSIGN_OR_RETURN(const fs::File file, job_.open_content(index));
  ArchiveMember member = job_.members[index];
  member.offset = 0;
  member.unstable = false;
  return stream_file(file.fd(), std::move(member), out);
}

Result<bool> MemberEncoder::encode_file(fs::Fd file, ArchiveMember& member,
                                        std::vector<std::byte>& out) {
  std::string headers;
  bool stable = false;
  for (int attempt = 1; attempt <= kAttempts && !stable; ++attempt) {
    ASSIGN_OR_RETURN(const fs::Stat before, job_.fs.stat_fd(file));
    if (before.size_bytes > kHeldMaxBytes) return false;
    take_attributes(before, member);
    headers = encode_tar_headers(member);
    const size_t whole = headers.size() + before.size_bytes + tar_padding(before.size_bytes);
    if (raw_.size() < whole) raw_.resize(whole);
    size_t got = 0;
    if (before.size_bytes > 0) {
      ASSIGN_OR_RETURN(
          got, job_.fs.read(file, 0, std::span(raw_).subspan(headers.size(), before.size_bytes)));
    }
    ASSIGN_OR_RETURN(const fs::Stat after, job_.fs.stat_fd(file));
    stable = got == before.size_bytes && is_unchanged(before, after);
    member.size_bytes = got;
  }
  member.unstable = !stable;
  if (member.unstable) headers = encode_tar_headers(member);
  const auto content = std::span(raw_).subspan(headers.size(), member.size_bytes);
  member.sha256 = sha256(content);

  const ArchiveMember* previous = with_equal_header(member);
  if (previous != nullptr && previous->sha256 == member.sha256 && copy_previous(*previous, out))
    return true;
  std::ranges::copy(as_byte_span(headers), raw_.begin());
  const size_t content_end = headers.size() + content.size();
  const size_t end = content_end + tar_padding(content.size());
  std::ranges::fill(std::span(raw_).subspan(content_end, end - content_end), std::byte{0});
  auto rest = std::span<const std::byte>(raw_).first(end);
  if (content.size() > kChunkBytes) {
    gzip_.append(rest.first(headers.size()), out);
    rest = rest.subspan(headers.size());
    while (rest.size() > kChunkBytes) {
      gzip_.append(rest.first(kChunkBytes), out);
      rest = rest.subspan(kChunkBytes);
    }
  }
  gzip_.append(rest, out);
  return true;
}

Result<ArchiveMember> MemberEncoder::stream_file(fs::Fd file, ArchiveMember member,
                                                 ArchiveOutput& out) {
  ASSIGN_OR_RETURN(const ArchiveOutput::Mark start, out.mark());
  bool complete = false;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    if (attempt > 1) RETURN_IF_ERROR(out.rewind(start));
    ASSIGN_OR_RETURN(const fs::Stat before, job_.fs.stat_fd(file));
    if (before.size_bytes <= kHeldMaxBytes) {  // it shrank meanwhile
      std::vector<std::byte> bytes;
      ASSIGN_OR_RETURN(const bool held, encode_file(file, member, bytes));
      if (!held) continue;
      RETURN_IF_ERROR(out.append(bytes));
      member.length = bytes.size();
      return member;
    }
    take_attributes(before, member);
    ASSIGN_OR_RETURN(complete, stream_content(file, member, out));
    ASSIGN_OR_RETURN(const fs::Stat after, job_.fs.stat_fd(file));
    member.unstable = !complete || !is_unchanged(before, after);
    if (!member.unstable) break;
  }
  // Its header, long written, promises more bytes than there were.
  if (!complete) return make_error(ErrorCode::kChanged, "the file shrank each time it was read");
  member.length = out.size_bytes() - start.size_bytes;
  return member;
}

Result<bool> MemberEncoder::stream_content(fs::Fd file, ArchiveMember& member, ArchiveOutput& out) {
  if (const ArchiveMember* previous = with_equal_header(member); previous != nullptr) {
    ASSIGN_OR_RETURN(member.sha256, hash_file(job_.fs, file));
    if (previous->sha256 == member.sha256) {
      ASSIGN_OR_RETURN(const ArchiveOutput::Mark start, out.mark());
      if (stream_previous(*previous, out)) return true;
      RETURN_IF_ERROR(out.rewind(start));
    }
  }
  piece_.clear();
  gzip_.append(as_byte_span(encode_tar_headers(member)), piece_);
  Sha256 hash;
  if (raw_.size() < kChunkBytes) raw_.resize(kChunkBytes);
  for (uint64_t at = 0; at < member.size_bytes; at += kChunkBytes) {
    RETURN_IF_ERROR(out.append(piece_));
    piece_.clear();
    const auto wanted = static_cast<size_t>(std::min(kChunkBytes, member.size_bytes - at));
    ASSIGN_OR_RETURN(const size_t got, job_.fs.read(file, at, std::span(raw_).first(wanted)));
    if (got < wanted) return false;
    hash.update(std::span(raw_).first(got));
    const size_t end = got + tar_padding(got);
    std::ranges::fill(std::span(raw_).subspan(got, end - got), std::byte{0});
    gzip_.append(std::span(raw_).first(end), piece_);
  }
  RETURN_IF_ERROR(out.append(piece_));
  member.sha256 = hash.finish();
  return true;
}

const ArchiveMember* MemberEncoder::with_equal_header(const ArchiveMember& member) const {
  const auto found = job_.previous.find(member.path);
  if (found == job_.previous.end()) return nullptr;
  const ArchiveMember& previous = *found->second;
  const bool equal = previous.mode == member.mode && previous.uid == member.uid &&
                     previous.gid == member.gid && previous.size_bytes == member.size_bytes &&
                     whole_seconds(previous.mtime_ns) == whole_seconds(member.mtime_ns);
  return equal && previous.length <= length_max_bytes(member.size_bytes) ? &previous : nullptr;
}

// False when the previous archive cannot give the bytes: they are made anew then.
bool MemberEncoder::copy_previous(const ArchiveMember& previous,
                                  std::vector<std::byte>& out) const {
  const size_t begin = out.size();
  out.resize(begin + previous.length);
  const auto got =
      job_.fs.read(job_.options.previous->fd(), previous.offset, std::span(out).subspan(begin));
  if (got && *got == previous.length && *got > 0) return true;
  out.resize(begin);
  return false;
}

Status MemberEncoder::stream_previous(const ArchiveMember& previous, ArchiveOutput& out) {
  piece_.resize(kChunkBytes);
  for (uint64_t done = 0; done < previous.length;) {
    const auto wanted = static_cast<size_t>(std::min(kChunkBytes, previous.length - done));
    ASSIGN_OR_RETURN(const size_t got,
                     job_.fs.read(job_.options.previous->fd(), previous.offset + done,
                                  std::span(piece_).first(wanted)));
    if (got < wanted) return make_error(ErrorCode::kCorrupt, "the previous archive is cut short");
    RETURN_IF_ERROR(out.append(std::span(piece_).first(got)));
    done += got;
  }
  return {};
}

}  // namespace stravinsky::codec
