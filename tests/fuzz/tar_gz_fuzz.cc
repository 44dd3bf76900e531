// One of our own archives, as it could have been made to mislead: its gzip members, each
// a part of the input, are packed here with right checksums, which no fuzzer guesses.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/strings.h"
#include "codec/gzip_member.h"
#include "codec/tar_gz.h"
#include "codec/tar_header.h"
#include "fuzz_target.h"
#include "testing/mem_fs.h"

using namespace stravinsky;

namespace {

constexpr size_t kMagicAt = 257;
constexpr size_t kChecksumAt = 148;
constexpr size_t kChecksumBytes = 8;

// Blocks that pass for headers get the checksum that they should have.
std::string with_checksums(std::string_view tar) {
  std::string out(tar);
  for (size_t at = 0; at + codec::kTarBlockBytes <= out.size(); at += codec::kTarBlockBytes) {
    if (std::string_view(out).substr(at + kMagicAt, 5) != "ustar") continue;
    unsigned sum = 0;
    for (size_t i = 0; i < codec::kTarBlockBytes; ++i) {
      const bool is_sum = i >= kChecksumAt && i < kChecksumAt + kChecksumBytes;
      sum += is_sum ? unsigned{' '} : static_cast<unsigned char>(out[at + i]);
    }
    for (size_t digit = 0; digit < 6; ++digit)
      out[at + kChecksumAt + digit] = static_cast<char>('0' + ((sum >> (3 * (5 - digit))) & 7U));
    out[at + kChecksumAt + 6] = '\0';
    out[at + kChecksumAt + 7] = ' ';
  }
  return out;
}

void read_headers(std::string_view tar) {
  const auto headers = codec::parse_tar_headers(as_byte_span(tar));
  if (!headers) return;
  CHECK(headers->size_bytes <= tar.size());
  CHECK(fs::RelPath::parse(headers->member.path).has_value());
  CHECK(codec::check_archivable(headers->member).has_value());
  const std::string text = codec::encode_tar_headers(headers->member);
  const auto again = codec::parse_tar_headers(as_byte_span(text));
  CHECK(again && again->member.path == headers->member.path &&
        again->member.link_text == headers->member.link_text &&
        again->member.size_bytes == headers->member.size_bytes &&
        again->member.mode == headers->member.mode);
}

}  // namespace

FUZZ_TARGET(tar_gz) {
  std::vector<std::byte> packed;
  codec::GzipCompressor compressor(1);
  for (const std::string_view part : fuzz::parts(input)) {
    const std::string tar = with_checksums(part);
    read_headers(tar);
    compressor.append(as_byte_span(tar), packed);
  }
  stravinsky::testing::MemFs disk;
  disk.write_file("/a.tar.gz", as_text(packed));
  const auto root = fs::File::open_root(disk, "/");
  CHECK(root.has_value());
  const auto file =
      fs::File::open(disk, root->fd(), fs::RelPath::of("a.tar.gz"), fs::OpenMode::kRead);
  CHECK(file.has_value());
  const auto archive = codec::read_index(disk, file->fd(),
                                         {.members_max = 1'000, .content_max_bytes = 16ULL << 20U});
  if (!archive) return;
  CHECK(archive->size_bytes == packed.size());
  for (const codec::ArchiveMember& member : archive->members) {
    CHECK(fs::RelPath::parse(member.path).has_value());
    const auto read = codec::read_member(disk, file->fd(), member,
                                         [](std::span<const std::byte>) -> Status { return {}; });
    CHECK(read.has_value());
  }
}
