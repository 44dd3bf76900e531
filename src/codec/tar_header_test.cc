#include "codec/tar_header.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "base/units.h"

namespace stravinsky::codec {
namespace {

ArchiveMember file(std::string path) {
  ArchiveMember member;
  member.path = std::move(path);
  member.mode = 0644;
  member.uid = 1000;
  member.gid = 100;
  member.mtime_ns = 1'767'886'462 * kNanosPerSecond;
  member.size_bytes = 5;
  return member;
}

ArchiveMember directory(std::string path) {
  ArchiveMember member = file(std::move(path));
  member.type = fs::NodeType::kDirectory;
  member.size_bytes = 0;
  return member;
}

ArchiveMember symlink(std::string path, std::string text) {
  ArchiveMember member = file(std::move(path));
  member.type = fs::NodeType::kSymlink;
  member.size_bytes = 0;
  member.link_text = std::move(text);
  return member;
}

void expect_round_trip(const ArchiveMember& member, size_t blocks) {
  ASSERT_TRUE(check_archivable(member)) << member.path;
  const std::string headers = encode_tar_headers(member);
  EXPECT_EQ(headers.size(), blocks * kTarBlockBytes) << member.path;
  const auto parsed = parse_tar_headers(as_byte_span(headers + "data"));
  ASSERT_TRUE(parsed) << member.path << parsed.error().message;
  EXPECT_EQ(parsed->size_bytes, headers.size());
  EXPECT_EQ(parsed->member.path, member.path);
  EXPECT_EQ(parsed->member.type, member.type);
  EXPECT_EQ(parsed->member.mode, member.mode);
  EXPECT_EQ(parsed->member.uid, member.uid);
  EXPECT_EQ(parsed->member.gid, member.gid);
  EXPECT_EQ(parsed->member.size_bytes, member.size_bytes);
  EXPECT_EQ(parsed->member.link_text, member.link_text);
  EXPECT_EQ(parsed->member.mtime_ns, whole_seconds(member.mtime_ns) * kNanosPerSecond);
}

// A header whose field was replaced and whose checksum was mended.
std::string forged(std::string block, size_t at, std::string_view text) {
  block.replace(at, text.size(), text);
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block.substr(0, kTarBlockBytes)) sum += static_cast<unsigned char>(c);
  char digits[8];
  snprintf(digits, sizeof digits, "%06o", sum);
  block.replace(148, 8, std::string(digits) + std::string("\0 ", 2));
  return block;
}

std::string header_refusal(std::string_view headers) {
  const auto parsed = parse_tar_headers(as_byte_span(headers));
  if (parsed) return "parsed " + parsed->member.path;
  EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  return parsed.error().message;
}

// The headers of a file with these pax records, or a GNU name, before it.
std::string extended(char type, std::string data, const std::string& name = "a") {
  const std::string block = encode_tar_headers(file(name));
  char size[12];
  snprintf(size, sizeof size, "%011zo", data.size());
  const std::string header = forged(forged(block, 156, {&type, 1}), 124, {size, sizeof size});
  data.append(tar_padding(data.size()), '\0');
  return header + data + block;
}

TEST(TarHeader, RoundTrip) {
  expect_round_trip(file("hooks/x.py"), 1);
  expect_round_trip(directory("hooks"), 1);
  expect_round_trip(symlink("settings.json", "../dotfiles/settings.json"), 1);
  expect_round_trip(file(" leading space\nnewline/-dash"), 1);
  expect_round_trip(file("hooks/\xFF\xFE not utf-8"), 1);
  ArchiveMember odd = file("odd");
  odd.mode = 07777;
  odd.size_bytes = 0;
  odd.mtime_ns = 1;
  expect_round_trip(odd, 1);
}

TEST(TarHeader, LongPathsTakeThePrefixThenAnExtension) {
  expect_round_trip(file(std::string(100, 'n')), 1);
  expect_round_trip(file(std::string(101, 'n')), 3);
  expect_round_trip(directory(std::string(99, 'n')), 1);
  expect_round_trip(directory(std::string(100, 'n')), 3);
  expect_round_trip(file(std::string(155, 'p') + "/" + std::string(100, 'n')), 1);
  expect_round_trip(file(std::string(156, 'p') + "/" + std::string(100, 'n')), 3);
  expect_round_trip(file(std::string(155, 'p') + "/" + std::string(101, 'n')), 3);
  expect_round_trip(file("d/" + std::string(255, '\xE9')), 3);
  std::string deep;
  for (int i = 0; i < 15; ++i) deep += std::string(250, 'd') + "/";
  expect_round_trip(file(deep + "x"), 10);
  expect_round_trip(file(deep + "\xFF"), 10);
  expect_round_trip(symlink(deep + "\xFF", std::string(4095, '\xFF')), 19);
}

TEST(TarHeader, EveryPathLength) {
  for (const char letter : {'a', '\xC3'}) {
    for (size_t size = 1; size <= 255; ++size) {
      const ArchiveMember member = file("dir/" + std::string(size, letter));
      const auto parsed = parse_tar_headers(as_byte_span(encode_tar_headers(member)));
      ASSERT_TRUE(parsed) << size;
      EXPECT_EQ(parsed->member.path, member.path);
    }
  }
}

TEST(TarHeader, LongLinks) {
  expect_round_trip(symlink("l", std::string(100, 't')), 1);
  expect_round_trip(symlink("l", std::string(101, 't')), 3);
  expect_round_trip(symlink("l", std::string(101, '\xE9')), 3);
  expect_round_trip(symlink(std::string(200, 'n'), std::string(101, '\xE9')), 5);
}

TEST(TarHeader, NumbersOverTheLimitsOfTheirFields) {
  ArchiveMember member = file("big");
  member.size_bytes = (8ULL << 30U) - 1;
  member.uid = 2'097'151;
  expect_round_trip(member, 1);
  member.size_bytes = 8ULL << 30U;
  expect_round_trip(member, 3);
  member.uid = 2'097'152;
  member.gid = UINT32_MAX;
  expect_round_trip(member, 3);
}

TEST(TarHeader, TimesBefore1970AndFarAwayAreRoundedDown) {
  EXPECT_EQ(whole_seconds(1'999'999'999), 1);
  EXPECT_EQ(whole_seconds(-1), -1);
  EXPECT_EQ(whole_seconds(-kNanosPerSecond), -1);
  ArchiveMember member = file("old");
  member.mtime_ns = -1;
  expect_round_trip(member, 3);
  member.mtime_ns = 8'589'934'592 * kNanosPerSecond;
  expect_round_trip(member, 3);
}

TEST(TarHeader, RefusesToArchiveWhatCannotBe) {
  EXPECT_FALSE(check_archivable(file("../x")));
  EXPECT_FALSE(check_archivable(file("/x")));
  EXPECT_FALSE(check_archivable(symlink("l", "")));
  EXPECT_FALSE(check_archivable(symlink("l", std::string(4096, 'x'))));
  EXPECT_FALSE(check_archivable(symlink("l", std::string("a\0b", 3))));
  ArchiveMember other = file("fifo");
  other.type = fs::NodeType::kOther;
  EXPECT_FALSE(check_archivable(other));
}

TEST(TarHeader, EveryBitFlipIsNoticed) {
  const std::string headers = encode_tar_headers(file("hooks/x.py"));
  for (size_t bit = 0; bit < headers.size() * 8; ++bit) {
    std::string bad = headers;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(header_refusal(bad), "parsed hooks/x.py") << bit;
  }
}

TEST(TarHeader, EveryCutIsRefused) {
  const std::string headers = encode_tar_headers(file(std::string(300, 'a').replace(200, 1, "/")));
  for (size_t size = 0; size < headers.size(); ++size)
    EXPECT_FALSE(header_refusal(headers.substr(0, size)).starts_with("parsed")) << size;
}

TEST(TarHeader, RefusesDevicesFifosHardLinksAndTheUnknown) {
  const std::string block = encode_tar_headers(file("a"));
  for (const char type : {'1', '3', '4', '6', '7', 'g', 'S', 'D', 'M', 'V', 'X', '\0'}) {
    EXPECT_EQ(header_refusal(forged(block, 156, {&type, 1})),
              "bad tar header: neither a file nor a directory nor a symlink")
        << type;
  }
}

TEST(TarHeader, RefusesPathsThatLeadElsewhere) {
  const std::string block = encode_tar_headers(file("aaaaaaaa"));
  for (const std::string_view path : {"/etc/xxx", "../aaaaa", "a/../../", "a//aaaaa", "./aaaaaa",
                                      "aaaaaa/.", "aaaaa/..", "aaaaaaa/"}) {
    EXPECT_EQ(header_refusal(forged(block, 0, path)), "bad tar header: a path that leads elsewhere")
        << path;
  }
  EXPECT_EQ(header_refusal(forged(block, 0, std::string(8, '\0'))),
            "bad tar header: a path that leads elsewhere");
  // The prefix, and both kinds of extension.
  EXPECT_EQ(header_refusal(forged(block, 345, "..")),
            "bad tar header: a path that leads elsewhere");
  EXPECT_EQ(header_refusal(forged(block, 345, "/")), "bad tar header: a path that leads elsewhere");
  EXPECT_EQ(header_refusal(extended('x', "13 path=../x\n")),
            "bad tar header: a path that leads elsewhere");
  EXPECT_EQ(header_refusal(extended('L', std::string("/x\0", 3))),
            "bad tar header: a path that leads elsewhere");
  EXPECT_EQ(header_refusal(extended('L', std::string("x\0y\0", 4))),
            "bad tar header: a path that leads elsewhere");
}

TEST(TarHeader, RefusesBadExtensions) {
  EXPECT_EQ(header_refusal(extended('x', "10 path=b\n")), "parsed b");
  EXPECT_EQ(header_refusal(extended('x', "10 path=b\n10 path=c\n")),
            "bad tar header: an extension given twice");
  EXPECT_EQ(header_refusal(extended('x', "11 path=b\n")),
            "bad tar header: a pax record of the wrong length");
  EXPECT_EQ(header_refusal(extended('x', "8 path=b\n")),
            "bad tar header: a pax record of the wrong length");
  EXPECT_EQ(header_refusal(extended('x', "0 path=b\n")),
            "bad tar header: a pax record of the wrong length");
  EXPECT_EQ(header_refusal(extended('x', "path")), "bad tar header: a pax record without a length");
  EXPECT_EQ(header_refusal(extended('x', "7 path\n")),
            "bad tar header: a pax record without a value");
  EXPECT_EQ(header_refusal(extended('x', "99999999999999999999 path=b\n")),
            "bad tar header: not a number");
  EXPECT_EQ(header_refusal(extended('x', "10 evil=1\n")), "bad tar header: an unknown pax record");
  EXPECT_EQ(header_refusal(extended('x', "11 size=-1\n")), "bad tar header: not a number");
  EXPECT_EQ(header_refusal(extended('x', "18 uid=4294967296\n")),
            "bad tar header: an owner out of range");
  EXPECT_EQ(header_refusal(extended('x', "29 mtime=9223372036854775807\n")),
            "bad tar header: a time out of range");
  EXPECT_EQ(header_refusal(extended('L', "name")), "bad tar header: a long name without an end");
  EXPECT_EQ(header_refusal(extended('L', std::string(20'000, 'x'))),
            "bad tar header: an extension that is too long");
}

TEST(TarHeader, RefusesDataWhereNoneCanBe) {
  const std::string link = encode_tar_headers(symlink("l", "t"));
  EXPECT_EQ(header_refusal(forged(link, 124, "00000000001")),
            "bad tar header: data where none can be");
  EXPECT_EQ(header_refusal(forged(link, 157, std::string(1, '\0'))),
            "bad tar header: a link text out of place");
  EXPECT_EQ(header_refusal(forged(encode_tar_headers(file("a")), 157, "t")),
            "bad tar header: a link text out of place");
  EXPECT_EQ(header_refusal(forged(encode_tar_headers(directory("d")), 0, std::string("d\0", 2))),
            "bad tar header: a directory without a slash");
}

}  // namespace
}  // namespace stravinsky::codec
