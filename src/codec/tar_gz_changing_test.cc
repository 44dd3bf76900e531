// Files that change while they are read.
#include <gtest/gtest.h>

#include <functional>

#include "codec/tar_gz.h"
#include "testing/archive_fixture.h"
#include "testing/forwarding_fs.h"

namespace stravinsky::codec {
namespace {

using testing::ArchiveFixture;
using testing::must;
using testing::noise;

constexpr uint64_t kLarge = 5 * kChunkBytes;  // is streamed

// Calls on_read before each first read of a file of the tree.
class ChangingFs : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Result<size_t> read(fs::Fd fd, uint64_t offset, std::span<std::byte> out) override {
    if (offset == 0) {
      ++reads;
      on_read();
    }
    return ForwardingFs::read(fd, offset, out);
  }
  std::function<void()> on_read = [] {};
  int reads = 0;
};

class TarGzChanging : public ::testing::TestWithParam<uint64_t> {
 protected:
  TarGzChanging() {
    tree.file("before", "b");
    tree.file("x", noise(GetParam()));
    tree.file("after", "a");
    options.threads = 1;
    // Only x is of interest: the others are read once each.
    changing.on_read = [this] {
      if (changing.reads >= 2 && on_x_read) on_x_read(changing.reads - 1);
    };
  }
  void append(const std::string& text) { set(*fs.contents("/w/tree/x") + text); }
  void set(const std::string& bytes) { fs.write_file("/w/tree/x", bytes); }

  Archive write() { return must(tree.try_write("a.tar.gz", options, &changing)); }
  std::string stored(const Archive& archive) {
    const fs::File file = tree.open_archive("a.tar.gz");
    EXPECT_TRUE(must(verify_members(fs, file.fd(), archive.members, 1)).empty());
    const Archive index = must(read_index(fs, file.fd(), {}));
    EXPECT_EQ(index.sha256, archive.sha256);
    EXPECT_EQ(sha256(tree.bytes("a.tar.gz")), archive.sha256);
    return must(tree.content(file.fd(), archive.members[1]));
  }

  testing::MemFs fs;
  ArchiveFixture tree = [this] {
    fs.make_dirs("/w");
    return ArchiveFixture(fs, "/w");
  }();
  ChangingFs changing{fs};
  WriteOptions options;
  std::function<void(int attempt)> on_x_read;
};

TEST_P(TarGzChanging, AQuietFileIsReadOnce) {
  const Archive archive = write();
  EXPECT_FALSE(archive.members[1].unstable);
  EXPECT_EQ(changing.reads, 3);
  EXPECT_EQ(stored(archive), noise(GetParam()));
}

TEST_P(TarGzChanging, AFileThatChangesOnceIsReadAgain) {
  const std::string longer = noise(GetParam()) + "more";
  on_x_read = [&](int attempt) {
    if (attempt == 1) set(longer);
  };
  const Archive archive = write();
  EXPECT_FALSE(archive.members[1].unstable);
  EXPECT_FALSE(archive.members[2].unstable);
  EXPECT_EQ(changing.reads, 4);
  EXPECT_EQ(stored(archive), longer);
}

TEST_P(TarGzChanging, AChangeOfTheSameSizeIsNoticed) {
  on_x_read = [&](int attempt) {
    if (attempt == 1) set(noise(GetParam(), 5));
  };
  EXPECT_EQ(stored(write()), noise(GetParam(), 5));
  EXPECT_EQ(changing.reads, 4);
}

TEST_P(TarGzChanging, AFileThatKeepsGrowingIsMarkedUnstable) {
  on_x_read = [&](int attempt) {
    if (attempt <= 3) append("more");
  };
  const Archive archive = write();
  EXPECT_TRUE(archive.members[1].unstable);
  EXPECT_FALSE(archive.members[2].unstable);
  EXPECT_EQ(changing.reads, 5);
  // As long as it was when it was looked at for the third time.
  const std::string content = stored(archive);
  EXPECT_EQ(content.size(), GetParam() + 8);
  EXPECT_EQ(sha256(content), archive.members[1].sha256);
}

TEST_P(TarGzChanging, AFileThatShrinksOnceIsReadAgain) {
  on_x_read = [&](int attempt) {
    if (attempt == 1) set("short");
  };
  const Archive archive = write();
  EXPECT_FALSE(archive.members[1].unstable);
  EXPECT_EQ(stored(archive), "short");
}

INSTANTIATE_TEST_SUITE_P(HeldAndStreamed, TarGzChanging, ::testing::Values(1000, kLarge));

using TarGzShrinking = TarGzChanging;

TEST_P(TarGzShrinking, AFileThatKeepsShrinking) {
  on_x_read = [&](int attempt) { set(noise(GetParam() - static_cast<uint64_t>(attempt))); };
  const auto archive = tree.try_write("a.tar.gz", options, &changing);
  if (GetParam() == kLarge) {
    ASSERT_FALSE(archive);
    EXPECT_EQ(archive.error().code, ErrorCode::kChanged);
  } else {
    EXPECT_TRUE(archive->members[1].unstable);
    EXPECT_EQ(stored(*archive), noise(GetParam() - 3));
  }
}

INSTANTIATE_TEST_SUITE_P(HeldAndStreamed, TarGzShrinking, ::testing::Values(1000, kLarge));

}  // namespace
}  // namespace stravinsky::codec
