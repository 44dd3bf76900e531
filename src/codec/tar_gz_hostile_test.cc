// Archives made to hurt. Each is built from good pieces by another hand.
#include <gtest/gtest.h>

#include "codec/gzip_member.h"
#include "codec/tar_gz.h"
#include "codec/tar_header.h"
#include "testing/archive_fixture.h"

namespace stravinsky::codec {
namespace {

using testing::ArchiveFixture;

class TarGzHostile : public ::testing::Test {
 protected:
  static std::string gzip(std::string_view data) {
    GzipCompressor compressor(1);
    std::vector<std::byte> out;
    compressor.append(as_byte_span(data), out);
    return std::string(as_text(out));
  }
  static std::string end() { return gzip(std::string(1024, '\0')); }
  static std::string node(const std::string& path, fs::NodeType type = fs::NodeType::kFile,
                          std::string_view content = "") {
    ArchiveMember member;
    member.path = path;
    member.type = type;
    member.size_bytes = content.size();
    if (type == fs::NodeType::kSymlink) member.link_text = "/etc";
    std::string bytes = encode_tar_headers(member);
    bytes += content;
    bytes.append(tar_padding(content.size()), '\0');
    return gzip(bytes);
  }
  // "read", or why not.
  std::string outcome(std::string_view bytes, const IndexLimits& limits = {}) {
    const auto index = read_index(fs, tree.put("hostile", bytes).fd(), limits);
    if (index) return "read";
    EXPECT_EQ(index.error().code, ErrorCode::kCorrupt);
    return index.error().to_string();
  }

  testing::MemFs fs;
  ArchiveFixture tree = [this] {
    fs.make_dirs("/w");
    return ArchiveFixture(fs, "/w");
  }();
};

TEST_F(TarGzHostile, GoodPiecesAreRead) {
  EXPECT_EQ(outcome(node("a") + node("b", fs::NodeType::kFile, "text") + end()), "read");
}

TEST_F(TarGzHostile, NoArchiveAtAll) {
  EXPECT_EQ(outcome(""), "the archive is cut short");
  EXPECT_EQ(outcome("PK\3\4"), "not a gzip member of ours");
  EXPECT_EQ(outcome(std::string(5000, '\0')), "not a gzip member of ours");
}

TEST_F(TarGzHostile, DuplicatePaths) {
  EXPECT_EQ(outcome(node("a") + node("a") + end()), "a: the archive has this path twice");
  EXPECT_EQ(
      outcome(node("a", fs::NodeType::kDirectory) + node("a", fs::NodeType::kSymlink) + end()),
      "a: the archive has this path twice");
}

TEST_F(TarGzHostile, PathsBeneathALinkOrAFileInEitherOrder) {
  const std::string link = node("a", fs::NodeType::kSymlink);
  const std::string inside = node("a/passwd");
  const std::string why =
      "a/passwd: the archive has this path beneath something else than a directory";
  EXPECT_EQ(outcome(link + inside + end()), why);
  EXPECT_EQ(outcome(inside + link + end()), why);
  EXPECT_EQ(outcome(node("a") + inside + end()), why);
  EXPECT_EQ(outcome(node("a", fs::NodeType::kDirectory) + inside + end()), "read");
}

TEST_F(TarGzHostile, PathsThatLeadOut) {
  for (const char* path : {"../x", "/etc/passwd", "a/../../x", "a/./b"})
    EXPECT_EQ(outcome(node(path) + end()), "bad tar header: a path that leads elsewhere") << path;
}

TEST_F(TarGzHostile, AGzipMemberThatExpandsToMoreThanAllowed) {
  EXPECT_EQ(outcome(gzip(std::string(64U << 20U, '\0'))),
            "a gzip member expands to more than is allowed");
  EXPECT_EQ(outcome(node("a", fs::NodeType::kFile, std::string(2U << 20U, 'x')) + end()),
            "a gzip member expands to more than is allowed");
}

TEST_F(TarGzHostile, LimitsOfCountAndSize) {
  const std::string bytes =
      node("a", fs::NodeType::kFile, "12345") + node("b", fs::NodeType::kFile, "12345") + end();
  EXPECT_EQ(outcome(bytes, {.members_max = 2, .content_max_bytes = 10}), "read");
  EXPECT_EQ(outcome(bytes, {.members_max = 1}), "b: the archive has too many members");
  EXPECT_EQ(outcome(bytes, {.content_max_bytes = 9}),
            "b: the archive expands to more than is allowed");
  // A promise alone is enough to be refused.
  ArchiveMember huge;
  huge.path = "huge";
  huge.size_bytes = UINT64_MAX;
  EXPECT_EQ(outcome(gzip(encode_tar_headers(huge))),
            "huge: the archive expands to more than is allowed");
}

TEST_F(TarGzHostile, DataThatDoesNotFitTheHeader) {
  ArchiveMember member;
  member.path = "a";
  member.size_bytes = 5;
  const std::string headers = encode_tar_headers(member);
  const std::string why = "more or less data than the header says";
  EXPECT_EQ(outcome(gzip(headers) + end()), why);
  EXPECT_EQ(outcome(gzip(headers + "12345") + end()), why);
  EXPECT_EQ(outcome(gzip(headers + std::string(1024, 'x')) + end()), why);
  member.size_bytes = 0;
  member.type = fs::NodeType::kDirectory;
  EXPECT_EQ(outcome(gzip(encode_tar_headers(member) + std::string(512, 'x')) + end()),
            "data stands where only headers belong");
  member.type = fs::NodeType::kFile;
  member.size_bytes = kChunkBytes + 1;
  const std::string large = encode_tar_headers(member);
  EXPECT_EQ(outcome(gzip(large + std::string(512, 'x')) + end()),
            "data stands where only headers belong");
  EXPECT_EQ(outcome(gzip(large) + gzip(std::string(kChunkBytes, 'x')) + end()), why);
  EXPECT_EQ(outcome(gzip(large) + gzip(std::string(kChunkBytes, 'x'))), "the archive is cut short");
  EXPECT_EQ(outcome(gzip(large) + gzip(std::string(kChunkBytes, 'x')) +
                    gzip(std::string(512, 'x')) + end()),
            "read");
}

TEST_F(TarGzHostile, TheEndMark) {
  EXPECT_EQ(outcome(node("a")), "the archive is cut short");
  EXPECT_EQ(outcome(node("a") + end() + end()), "bytes follow the end of the archive");
  EXPECT_EQ(outcome(node("a") + end() + "x"), "bytes follow the end of the archive");
  EXPECT_EQ(outcome(node("a") + end() + node("b")), "bytes follow the end of the archive");
  EXPECT_EQ(outcome(node("a") + gzip(std::string(512, '\0'))),
            "bad tar header: not a ustar header");
  EXPECT_EQ(outcome(node("a") + gzip("") + end()), "bad tar header: cut short");
}

TEST_F(TarGzHostile, GzipHeadersWithExtraFields) {
  std::string named = node("a");
  named[3] = 8;  // FNAME
  named.insert(10, std::string("evil\0", 5));
  EXPECT_EQ(outcome(named + end()), "not a gzip member of ours");
}

}  // namespace
}  // namespace stravinsky::codec
