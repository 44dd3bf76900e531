#include "codec/tar_gz.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <algorithm>

#include "base/units.h"
#include "testing/archive_fixture.h"
#include "testing/forwarding_fs.h"

namespace stravinsky::codec {
namespace {

using testing::ArchiveFixture;
using testing::must;
using testing::noise;

class TarGz : public ::testing::Test {
 protected:
  // A bit of everything; contents by path.
  void fill_tree() {
    tree.dir("hooks");
    tree.dir("hooks/empty", 0700);
    file("hooks/x.py", "print('x')\n", 0755);
    file("hooks/ a\nb", "");
    file("hooks/-dash", "\r\n\xEF\xBB\xBF", 0444);
    file("hooks/" + std::string(249, 'n'), "long");
    file("hooks/\xFF\xC3\x28", std::string(600, '\0'));
    tree.link("hooks/link", "x.py");
    tree.link("hooks/dangling", std::string(300, 'z'));
    file("one_chunk", noise(kChunkBytes), 0600);
    file("more", noise(kChunkBytes + 1));
    file("padded", noise(2 * kChunkBytes + 511));
    for (uint64_t i = 0; i < 40; ++i) file("many" + std::to_string(i), noise(100, 1 + i));
  }
  void file(const std::string& path, const std::string& bytes, uint32_t mode = 0644) {
    tree.file(path, bytes, mode);
    contents[path] = bytes;
  }
  static WriteOptions with_threads(int threads) {
    WriteOptions options;
    options.threads = threads;
    return options;
  }

  testing::MemFs fs;
  std::map<std::string, std::string> contents;
  ArchiveFixture tree = [this] {
    fs.make_dirs("/w");
    return ArchiveFixture(fs, "/w");
  }();
};

void expect_equal(const ArchiveMember& a, const ArchiveMember& b) {
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.type, b.type) << a.path;
  EXPECT_EQ(a.mode, b.mode) << a.path;
  EXPECT_EQ(a.uid, b.uid) << a.path;
  EXPECT_EQ(a.gid, b.gid) << a.path;
  EXPECT_EQ(a.mtime_ns / kNanosPerSecond, b.mtime_ns / kNanosPerSecond) << a.path;
  EXPECT_EQ(a.size_bytes, b.size_bytes) << a.path;
  EXPECT_EQ(a.sha256, b.sha256) << a.path;
  EXPECT_EQ(a.link_text, b.link_text) << a.path;
  EXPECT_EQ(a.offset, b.offset) << a.path;
  EXPECT_EQ(a.length, b.length) << a.path;
}

TEST_F(TarGz, EveryFileComesBackByItself) {
  fill_tree();
  const Archive archive = tree.write("a.tar.gz");
  const fs::File file = tree.open_archive("a.tar.gz");
  ASSERT_EQ(archive.members.size(), tree.members().size());
  size_t files = 0;
  for (const ArchiveMember& member : archive.members) {
    EXPECT_FALSE(member.unstable);
    const bool is_file = member.type == fs::NodeType::kFile;
    EXPECT_EQ(must(tree.content(file.fd(), member)), is_file ? contents.at(member.path) : "");
    if (!is_file) continue;
    ++files;
    EXPECT_EQ(member.sha256, sha256(contents.at(member.path)));
    const fs::Stat stat = must(fs.stat_fd(tree.open(member.path).fd()));
    EXPECT_EQ(member.mode, stat.mode);
    EXPECT_EQ(member.mtime_ns, stat.mtime_ns);
    EXPECT_EQ(member.uid, stat.uid);
  }
  EXPECT_EQ(files, contents.size());
}

TEST_F(TarGz, TheIndexIsRebuiltFromTheArchive) {
  fill_tree();
  const Archive archive = tree.write("a.tar.gz");
  const Archive index = must(read_index(fs, tree.open_archive("a.tar.gz").fd(), {}));
  EXPECT_EQ(index.sha256, archive.sha256);
  EXPECT_EQ(index.size_bytes, archive.size_bytes);
  ASSERT_EQ(index.members.size(), archive.members.size());
  for (size_t i = 0; i < index.members.size(); ++i)
    expect_equal(index.members[i], archive.members[i]);
}

TEST_F(TarGz, TheAnswerDescribesTheArchive) {
  fill_tree();
  const Archive archive = tree.write("a.tar.gz");
  const std::string bytes = tree.bytes("a.tar.gz");
  EXPECT_EQ(archive.size_bytes, bytes.size());
  EXPECT_EQ(archive.sha256, sha256(bytes));
  EXPECT_EQ(must(hash_file(fs, tree.open_archive("a.tar.gz").fd())), archive.sha256);
  uint64_t offset = 0;
  for (const ArchiveMember& member : archive.members) {
    EXPECT_EQ(member.offset, offset);
    offset += member.length;
  }
  EXPECT_LT(offset, archive.size_bytes);  // the end mark
}

TEST_F(TarGz, AnArchiveOfNothing) {
  const Archive archive = tree.write("a.tar.gz");
  EXPECT_TRUE(archive.members.empty());
  EXPECT_TRUE(must(read_index(fs, tree.open_archive("a.tar.gz").fd(), {})).members.empty());
}

TEST_F(TarGz, SameBytesForAnyNumberOfThreadsAndWithReuse) {
  fill_tree();
  const Archive one = tree.write("1.tar.gz", with_threads(1));
  EXPECT_EQ(tree.write("4.tar.gz", with_threads(4)).sha256, one.sha256);
  const fs::File previous = tree.open_archive("1.tar.gz");
  for (const int threads : {1, 3}) {
    WriteOptions options = with_threads(threads);
    options.previous = &previous;
    options.previous_members = one.members;
    const Archive again = tree.write("again" + std::to_string(threads), options);
    EXPECT_EQ(again.sha256, one.sha256);
    for (size_t i = 0; i < one.members.size(); ++i) expect_equal(again.members[i], one.members[i]);
  }
}

TEST_F(TarGz, TheBytesAreThoseOfTheFormat) {
  tree.dir("d");
  tree.members()[0].mtime_ns = 0;
  (void)tree.write("a.tar.gz");
  // A directory and the end mark, each a gzip member with the constant header.
  const std::string bytes = tree.bytes("a.tar.gz");
  const std::string header("\x1F\x8B\x08\0\0\0\0\0\x04\xFF", 10);
  EXPECT_TRUE(bytes.starts_with(header));
  EXPECT_NE(bytes.find(header, 1), std::string::npos);
}

// What is copied and what is not shows in the reads of the previous archive.
class ReadsOf : public testing::ForwardingFs {
 public:
  ReadsOf(fs::FileSystem& inner, fs::Fd file) : ForwardingFs(inner), file_(file) {}
  Result<size_t> read(fs::Fd fd, uint64_t offset, std::span<std::byte> out) override {
    if (fd == file_) ranges.emplace_back(offset, offset + out.size());
    return ForwardingFs::read(fd, offset, out);
  }
  std::vector<std::pair<uint64_t, uint64_t>> ranges;

 private:
  fs::Fd file_;
};

TEST_F(TarGz, OnlyWhatIsEqualIsCopied) {
  tree.file("same", noise(500, 1));
  tree.file("content", noise(500, 2));
  tree.file("mode", noise(500, 3));
  tree.file("time", noise(500, 4));
  const Archive before = tree.write("1.tar.gz");
  const int64_t mtime_ns = before.members[1].mtime_ns;
  tree.rewrite("content", noise(500, 9));
  tree.set_mtime("content", mtime_ns);
  tree.rewrite("mode", noise(500, 3), 0600);
  tree.set_mtime("mode", before.members[2].mtime_ns);
  tree.set_mtime("time", before.members[3].mtime_ns + kNanosPerSecond);
  const fs::File previous = tree.open_archive("1.tar.gz");
  ReadsOf watched(fs, previous.fd());
  WriteOptions options = with_threads(1);
  options.previous = &previous;
  options.previous_members = before.members;
  const Archive after = must(tree.try_write("2.tar.gz", options, &watched));
  const ArchiveMember& same = before.members[0];
  EXPECT_EQ(watched.ranges, (std::vector{std::pair(same.offset, same.offset + same.length)}));
  EXPECT_TRUE(
      must(verify_members(fs, tree.open_archive("2.tar.gz").fd(), after.members, 1)).empty());
  EXPECT_EQ(must(tree.content(tree.open_archive("2.tar.gz").fd(), after.members[1])),
            noise(500, 9));
}

TEST_F(TarGz, APreviousArchiveThatIsTooShortIsDoneWithout) {
  tree.file("a", noise(500));
  tree.file("large", noise(5 * kChunkBytes));
  const Archive before = tree.write("1.tar.gz");
  const fs::File cut = tree.put("cut", tree.bytes("1.tar.gz").substr(0, 1000));
  std::vector<ArchiveMember> lying = before.members;
  lying[0].offset = 900;
  lying[1].length = UINT64_MAX;
  for (const auto& index : {before.members, lying}) {
    WriteOptions options;
    options.previous = &cut;
    options.previous_members = index;
    EXPECT_EQ(tree.write("2.tar.gz", options).sha256, before.sha256);
    must(fs.unlink(must(fs::File::open_root(fs, "/w")).fd(), fs::RelPath::of("2.tar.gz")));
  }
}

TEST_F(TarGz, LargeFilesAreStreamedAndReused) {
  file("before", "b");
  file("large", noise(6 * kChunkBytes + 700));
  file("after", "a");
  for (uint64_t i = 0; i < 20; ++i) file("f" + std::to_string(i), noise(50, 1 + i));
  const Archive one = tree.write("1.tar.gz", with_threads(1));
  EXPECT_EQ(tree.write("2.tar.gz", with_threads(2)).sha256, one.sha256);
  const fs::File previous = tree.open_archive("1.tar.gz");
  EXPECT_EQ(must(tree.content(previous.fd(), one.members[1])), contents["large"]);
  WriteOptions options;
  options.previous = &previous;
  options.previous_members = one.members;
  EXPECT_EQ(tree.write("3.tar.gz", options).sha256, one.sha256);
  EXPECT_EQ(must(read_index(fs, previous.fd(), {})).sha256, one.sha256);
}

TEST_F(TarGz, OneFileIsReadFromItsOwnBytesAlone) {
  fill_tree();
  const Archive archive = tree.write("a.tar.gz");
  const fs::File file = tree.open_archive("a.tar.gz");
  for (const ArchiveMember& member : archive.members) {
    ReadsOf watched(fs, file.fd());
    must(read_member(watched, file.fd(), member, [](auto) { return Status(); }));
    EXPECT_EQ(watched.ranges,
              (std::vector{std::pair(member.offset, member.offset + member.length)}));
  }
}

TEST_F(TarGz, ADemandedMemberMustBeWhatLiesThere) {
  fill_tree();
  const Archive archive = tree.write("a.tar.gz");
  const fs::File file = tree.open_archive("a.tar.gz");
  const ArchiveMember& good = archive.members[2];
  ASSERT_EQ(good.path, "hooks/x.py");
  const auto code_for = [&](auto change) {
    ArchiveMember member = good;
    change(member);
    const auto content = tree.content(file.fd(), member);
    return content ? ErrorCode::kIo : content.error().code;
  };
  EXPECT_EQ(code_for([](auto& m) { m.path = "hooks/y.py"; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.mode = 0644; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.uid += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.gid += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.mtime_ns += kNanosPerSecond; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.size_bytes += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.type = fs::NodeType::kDirectory; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.sha256 = sha256("other"); }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.offset += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.length += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.length -= 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.length = 0; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.length = UINT64_MAX; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([](auto& m) { m.offset = uint64_t{1} << 40U; }), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for([&](auto& m) { m.length += archive.members[3].length; }), ErrorCode::kCorrupt);
  EXPECT_EQ(must(tree.content(file.fd(), good)), "print('x')\n");
}

TEST_F(TarGz, TheErrorOfASinkStopsTheRead) {
  tree.file("a", "x");
  const Archive archive = tree.write("a.tar.gz");
  const Status read = read_member(fs, tree.open_archive("a.tar.gz").fd(), archive.members[0],
                                  [](auto) { return make_error(ErrorCode::kNoSpace, "full"); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kNoSpace);
}

// Some bits carry nothing (how hard the compressor tried, fill bits of a deflate
// stream, the end mark); the hash of the archive sees those too. What verify
// passes must be the right content.
TEST_F(TarGz, EveryBitFlipIsNoticed) {
  tree.dir("d");
  file("d/a", "some text, some text, some text");
  tree.link("d/l", "a");
  const Archive archive = tree.write("a.tar.gz");
  const std::string bytes = tree.bytes("a.tar.gz");
  size_t noticed = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const fs::File file = tree.put("bad", bad);
    EXPECT_NE(must(hash_file(fs, file.fd())), archive.sha256);
    if (!must(verify_members(fs, file.fd(), archive.members, 1)).empty()) {
      ++noticed;
      continue;
    }
    EXPECT_EQ(must(tree.content(file.fd(), archive.members[1])), contents["d/a"]) << bit;
  }
  const ArchiveMember& last = archive.members.back();
  EXPECT_GT(noticed, (last.offset + last.length) * 8 * 95 / 100);
}

TEST_F(TarGz, EveryCutIsNoticed) {
  tree.dir("d");
  tree.file("d/a", "some text, some text, some text");
  tree.file("b", "");
  const Archive archive = tree.write("a.tar.gz");
  const std::string bytes = tree.bytes("a.tar.gz");
  for (size_t size = 0; size < bytes.size(); ++size) {
    const fs::File file = tree.put("cut", bytes.substr(0, size));
    const auto index = read_index(fs, file.fd(), {});
    ASSERT_FALSE(index) << size;
    EXPECT_EQ(index.error().code, ErrorCode::kCorrupt);
    std::vector<std::string> wanted;
    for (const ArchiveMember& member : archive.members)
      if (member.offset + member.length > size) wanted.push_back(member.path);
    std::vector<std::string> found;
    for (const auto& problem : must(verify_members(fs, file.fd(), archive.members, 1)))
      found.push_back(problem.path);
    EXPECT_EQ(found, wanted) << size;
  }
}

TEST_F(TarGz, VerifyCarriesOnPastDamageAndListsAllOfIt) {
  fill_tree();
  const Archive archive = tree.write("a.tar.gz");
  std::string bytes = tree.bytes("a.tar.gz");
  std::vector<std::string> wanted;
  for (size_t i = 3; i < archive.members.size(); i += 7) {
    const ArchiveMember& member = archive.members[i];
    bytes[member.offset + member.length / 2] ^= 0x10;
    wanted.push_back(member.path);
  }
  const fs::File file = tree.put("bad", bytes);
  for (const int threads : {1, 3}) {
    std::vector<std::string> found;
    for (const auto& problem : must(verify_members(fs, file.fd(), archive.members, threads))) {
      EXPECT_FALSE(problem.message.empty());
      found.push_back(problem.path);
    }
    EXPECT_EQ(found, wanted);
  }
}

TEST_F(TarGz, AFileThatVanishedIsReportedWithItsPath) {
  fill_tree();
  must(fs.unlink(must(fs::File::open_root(fs, "/w/tree")).fd(), fs::RelPath::of("many7")));
  for (const int threads : {1, 2}) {
    const auto archive = tree.try_write("a" + std::to_string(threads), with_threads(threads));
    ASSERT_FALSE(archive);
    EXPECT_EQ(archive.error().code, ErrorCode::kNotFound);
    EXPECT_NE(archive.error().to_string().find("many7"), std::string::npos);
  }
}

TEST_F(TarGz, TheFirstErrorInOrderIsReported) {
  fill_tree();
  const fs::File root = must(fs::File::open_root(fs, "/w/tree"));
  for (const char* path : {"many3", "many20", "many39"})
    must(fs.unlink(root.fd(), fs::RelPath::of(path)));
  for (int i = 0; i < 20; ++i) {
    const auto archive = tree.try_write("a" + std::to_string(i), with_threads(3));
    ASSERT_FALSE(archive);
    EXPECT_NE(archive.error().to_string().find("many3:"), std::string::npos)
        << archive.error().to_string();
  }
}

TEST_F(TarGz, RefusesAMemberThatNoArchiveCanHold) {
  tree.file("a", "x");
  tree.members()[0].path = "../a";
  const auto archive = tree.try_write("a.tar.gz");
  ASSERT_FALSE(archive);
  EXPECT_EQ(archive.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace stravinsky::codec
