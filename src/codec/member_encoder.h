// MemberEncoder: turns one member into its gzip members. One a thread.
//
// A file is looked at, read, and looked at again; when it changed meanwhile it is
// read again, three times in all, and then stored as it was read last and marked
// unstable. What is stored is in every case consistent with its own header.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "codec/archive_output.h"
#include "codec/gzip_member.h"
#include "codec/tar_gz.h"

namespace stravinsky::codec {

// What write_tar_gz was asked for, and the previous archive's members by path.
struct WriteJob {
  WriteJob(fs::FileSystem& fs_in, std::span<const ArchiveMember> members_in,
           const OpenContent& open_content_in, const WriteOptions& options_in);

  fs::FileSystem& fs;
  std::span<const ArchiveMember> members;
  const OpenContent& open_content;
  const WriteOptions& options;
  std::unordered_map<std::string_view, const ArchiveMember*> previous;
};

class MemberEncoder {
 public:
  explicit MemberEncoder(const WriteJob& job) : job_(job), gzip_(job.options.level) {}

  // Appends the gzip members of members[index] to out and sets length in the
  // answer, not offset. nullopt, and nothing appended: the file is too large to be
  // held, stream() it.
  Result<std::optional<ArchiveMember>> encode(size_t index, std::vector<std::byte>& out);

  // The same for a file of any size, piece by piece.
  Result<ArchiveMember> stream(size_t index, ArchiveOutput& out);

 private:
  // False: the file is too large to be held.
  Result<bool> encode_file(fs::Fd file, ArchiveMember& member, std::vector<std::byte>& out);
  Result<ArchiveMember> stream_file(fs::Fd file, ArchiveMember member, ArchiveOutput& out);
  // Whether the file had as many bytes as member says.
  Result<bool> stream_content(fs::Fd file, ArchiveMember& member, ArchiveOutput& out);

  // The member of the previous archive with an equal header, or null.
  const ArchiveMember* with_equal_header(const ArchiveMember& member) const;
  bool copy_previous(const ArchiveMember& previous, std::vector<std::byte>& out) const;
  Status stream_previous(const ArchiveMember& previous, ArchiveOutput& out);

  const WriteJob& job_;
  GzipCompressor gzip_;
  std::vector<std::byte> raw_;    // headers, content and padding of the file at hand
  std::vector<std::byte> piece_;  // gzip members of a streamed file
};

}  // namespace stravinsky::codec
