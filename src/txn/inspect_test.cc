#include "txn/inspect.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "base/strings.h"
#include "testing/forwarding_fs.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::txn {
namespace {

using fs::RelPath;
using model::Image;
using model::ImageKind;
using testing::MemFs;
using testing::outcome;

struct Looked {
  MemFs disk;
  fs::File root;
  Looked() {
    disk.make_dirs("/t");
    root = *fs::File::open_root(disk, "/t");
  }
  Result<Image> at(const char* name) { return inspect(disk, root.fd(), RelPath::of(name)); }
};

TEST(Inspect, SeesAFileWithItsHashAndMode) {
  Looked l;
  l.disk.write_file("/t/f", "abc", 0755);
  const auto image = l.at("f");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->kind, ImageKind::kFile);
  EXPECT_EQ(image->mode, 0755U);
  EXPECT_EQ(image->size_bytes, 3U);
  EXPECT_EQ(image->sha256.hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Inspect, AnAbsentNameIsAnImageAndOtherFailuresAreNot) {
  Looked l;
  EXPECT_TRUE(l.at("nothing")->is_absent());
  l.disk.write_file("/t/secret", "x", 0000);
  EXPECT_EQ(outcome(l.at("secret")), "permission");
  l.disk.make_dirs("/t/closed", 0000);
  EXPECT_EQ(outcome(l.at("closed")), "permission");
}

TEST(Inspect, FollowsNoLink) {
  Looked l;
  l.disk.symlink("/etc/passwd", "/t/l");
  const auto image = l.at("l");
  ASSERT_TRUE(image);
  EXPECT_EQ(image->kind, ImageKind::kSymlink);
  EXPECT_EQ(image->link_text, "/etc/passwd");
}

TEST(Inspect, SeesATreeWithItsEmptyDirectories) {
  Looked l;
  l.disk.write_file("/t/d/x", "1");
  l.disk.write_file("/t/d/sub/y", "22");
  l.disk.make_dirs("/t/d/empty", 0700);
  std::map<std::string, std::string> seen;
  const auto image =
      inspect(l.disk, l.root.fd(), RelPath::of("d"),
              [&](const std::string& path, std::span<const std::byte> bytes) -> Status {
                seen[path] += as_text(bytes);
                return {};
              });
  ASSERT_TRUE(image);
  ASSERT_EQ(image->children.size(), 3U);
  EXPECT_EQ(image->children[0].name, "empty");
  EXPECT_EQ(image->children[0].image.mode, 0700U);
  EXPECT_TRUE(image->children[0].image.children.empty());
  EXPECT_EQ(seen, (std::map<std::string, std::string>{{"x", "1"}, {"sub/y", "22"}}));
}

TEST(Inspect, RefusesAFifo) {
  testing::TempDir temp;
  ASSERT_EQ(mkfifo((temp.path() + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(outcome(inspect(temp.fs(), temp.dir(), RelPath::of("pipe"))), "wrong_type");
}

// Somebody writes while the file is read.
class Writing final : public testing::ForwardingFs {
 public:
  explicit Writing(MemFs& disk) : ForwardingFs(disk), disk_(disk) {}
  Result<size_t> read(fs::Fd fd, uint64_t offset, std::span<std::byte> out) override {
    auto got = disk_.read(fd, offset, out);
    disk_.write_file("/t/f", "xyz");
    return got;
  }

 private:
  MemFs& disk_;
};

TEST(Inspect, AFileThatChangesWhileItIsReadIsNoAnswer) {
  Looked l;
  l.disk.write_file("/t/f", "abc");
  Writing writing(l.disk);
  EXPECT_EQ(outcome(inspect(writing, l.root.fd(), RelPath::of("f"))), "changed");
}

TEST(Inspect, AFailingReaderOfTheBytesStopsIt) {
  Looked l;
  l.disk.write_file("/t/f", "abc");
  EXPECT_EQ(outcome(inspect(l.disk, l.root.fd(), RelPath::of("f"),
                            [](const std::string&, std::span<const std::byte>) -> Status {
                              return make_error(ErrorCode::kNoSpace, "full");
                            })),
            "no_space");
}

}  // namespace
}  // namespace stravinsky::txn
