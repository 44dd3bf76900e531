// Tar headers: the blocks in front of one member of an archive.
//
// POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"), preceded where
// its fields are too small by
//   - a pax header (type x) with path, linkpath, size, uid, gid or mtime;
//   - for a long path or link that is not plain ASCII, a GNU long name (type L) or
//     long link (type K) instead: pax text is UTF-8 by definition, and of the two
//     common tars one warns about hdrcharset=BINARY and the other about its absence.
// Times are whole seconds, names of users and groups empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "codec/tar_gz.h"

namespace stravinsky::codec {

inline constexpr size_t kTarBlockBytes = 512;
// Headers are never longer: a path has at most 4,000 bytes, a link text 4,095.
inline constexpr size_t kTarHeadersMaxBytes = 16U << 10U;

constexpr uint64_t tar_padding(uint64_t size_bytes) {
  return (kTarBlockBytes - size_bytes % kTarBlockBytes) % kTarBlockBytes;
}

// Rounded down, also before 1970.
int64_t whole_seconds(int64_t time_ns);

// kUsage for a member that no archive can hold: a path that is not a RelPath, an
// empty or overlong link text, a node that is not a file, directory or symlink.
Status check_archivable(const ArchiveMember& member);

// The header blocks of a member that is archivable.
std::string encode_tar_headers(const ArchiveMember& member);

struct TarHeaders {
  ArchiveMember member;   // without sha256, offset and length; mtime_ns in whole seconds
  size_t size_bytes = 0;  // of the headers; a file's data follows
};

// The headers at the front of bytes, which must hold them whole. kCorrupt for all
// that encode_tar_headers would not write, as far as it could mislead.
Result<TarHeaders> parse_tar_headers(std::span<const std::byte> bytes);

}  // namespace stravinsky::codec
