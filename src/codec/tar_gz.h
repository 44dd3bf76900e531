// The seekable archive: an ordinary .tar.gz that any tool reads, in which each
// file can be read by itself.
//
// Every tar member (header block, extension headers, data, padding) is written
// as its own run of gzip members, and the two zero blocks at the end as one more.
// A file larger than kChunkBytes is a run of several gzip members: the first
// holds the headers, each further one at most kChunkBytes of data. Concatenated
// gzip members are one valid gzip stream (RFC 1952, 2.2).
// Tar is POSIX pax (ustar header; a pax header for a path or link over the ustar
// limits, for sizes over 8 GiB and ids over 2,097,151; tar_header.h). Times are whole
// seconds, user and group names empty. Deterministic: the same members in the same order at
// the same level give the same bytes, whether they were compressed or copied.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/sha256.h"
#include "fs/file.h"
#include "fs/file_system.h"

namespace stravinsky::codec {

inline constexpr uint64_t kChunkBytes = 1U << 20U;

// One member as it lies in an archive.
struct ArchiveMember {
  std::string path;                         // "hooks/x.py"; directories without a trailing slash
  fs::NodeType type = fs::NodeType::kFile;  // file, directory or symlink
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_ns = 0;
  uint64_t size_bytes = 0;  // of a file's content, else 0
  Digest sha256;            // of a file's content, else all zero
  std::string link_text;    // of a symlink
  uint64_t offset = 0;      // of its first gzip member in the archive
  uint64_t length = 0;      // of its gzip members together
  bool unstable = false;    // a file kept changing while it was read, three times
};

struct Archive {
  std::vector<ArchiveMember> members;
  uint64_t size_bytes = 0;  // of the whole .tar.gz
  Digest sha256;            // of the whole .tar.gz
};

struct WriteOptions {
  // 1 to 12 (libdeflate). Of text, level 3 is 3.5 % smaller and takes 1.5 times as long.
  int level = 1;
  int threads = 2;
  // An earlier archive, whose bytes the caller has hashed, and its members: a
  // file whose header and content are equal is copied without compressing again.
  const fs::File* previous = nullptr;
  std::span<const ArchiveMember> previous_members;
};

// Opens the content of members[i]; called from several threads at once.
using OpenContent = std::function<Result<fs::File>(size_t index)>;

// Writes members (path, type and, for links and directories, every attribute
// must be set) to the empty file out; does not sync it. A file is opened, looked
// at, read and looked at again: its mode, owner, mtime, size and hash in the
// answer are those of the bytes that were stored. Reading and compressing run in
// parallel, writing is in order, memory is bounded by threads and kChunkBytes
// (files up to 4 * kChunkBytes are held whole; a larger one that shrinks each of
// three times that it is read is kChanged). The error of the first member in order
// that cannot be stored is returned, with its path; out then holds a part.
Result<Archive> write_tar_gz(fs::FileSystem& fs, fs::Fd out, std::span<const ArchiveMember> members,
                             const OpenContent& open_content, const WriteOptions& options);

// Receives the content of a file piece by piece.
using Sink = std::function<Status(std::span<const std::byte>)>;

// Reads one file's content, only its own bytes of the archive, and demands that
// its headers, size and hash are those of member: kCorrupt otherwise. The sink
// may have received bytes before the damage was found.
Status read_member(fs::FileSystem& fs, fs::Fd archive, const ArchiveMember& member,
                   const Sink& sink);

struct MemberProblem {
  std::string path;
  std::string message;
};
// Reads every member, in parallel, and carries on past damage; empty: all good.
Result<std::vector<MemberProblem>> verify_members(fs::FileSystem& fs, fs::Fd archive,
                                                  std::span<const ArchiveMember> members,
                                                  int threads);

// SHA-256 of size bytes of a file from the start, read in pieces.
Result<Digest> hash_file(fs::FileSystem& fs, fs::Fd file);

struct IndexLimits {
  uint64_t members_max = 1'000'000;
  uint64_t content_max_bytes = 64ULL << 30U;
};
// The members of one of our archives from its bytes alone. Hostile input:
// refuses absolute and dot-dot paths, duplicates, devices and FIFOs, hard links,
// bad checksums, cut files and whatever goes over the limits, with kCorrupt.
Result<Archive> read_index(fs::FileSystem& fs, fs::Fd archive, const IndexLimits& limits);

}  // namespace stravinsky::codec
