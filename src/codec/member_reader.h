// MemberReader: reads the members of an archive, by their place in it or one after
// the other. Keeps its buffers, so one of them reads many. Input is hostile.
#pragma once

#include <span>

#include "base/error.h"
#include "codec/gzip_member.h"
#include "codec/sha256.h"
#include "codec/tar_gz.h"

namespace stravinsky::codec {

class MemberReader {
 public:
  // All bytes of the archive that are read also go to archive_hash, if there is one.
  MemberReader(fs::FileSystem& fs, fs::Fd archive, Sha256* archive_hash = nullptr);

  // As codec::read_member.
  Status read(const ArchiveMember& member, const Sink& sink);

  // --- one after the other: seek, then begin and finish in turn
  void seek(uint64_t begin, uint64_t end) { gzip_.seek(begin, end); }
  bool at_end() const { return gzip_.at_end(); }
  // Reads the next member's headers. False: there is none, the end mark was read.
  Result<bool> begin();
  // Without the hash and the length, which finish() sets.
  const ArchiveMember& member() const { return member_; }
  Status finish(const Sink& sink);

 private:
  Result<std::span<const std::byte>> next_gzip_member();
  Status take_content(std::span<const std::byte> padded, uint64_t size_bytes, Sha256& hash,
                      const Sink& sink);

  GzipReader gzip_;
  Sha256* archive_hash_;
  ArchiveMember member_;
  std::span<const std::byte> rest_;  // of the first gzip member, behind the headers
};

}  // namespace stravinsky::codec
