// GNU tar and bsdtar must list and unpack our archives to the same tree, without
// a word on standard error.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "codec/tar_gz.h"
#include "fs/posix_fs.h"
#include "fs/tree_walk.h"
#include "testing/archive_fixture.h"

namespace stravinsky::codec {
namespace {

using testing::ArchiveFixture;
using testing::must;
using testing::noise;

struct TempDir {
  TempDir() { EXPECT_NE(mkdtemp(path.data()), nullptr); }
  ~TempDir() {
    const fs::File tmp = must(fs::File::open_root(fs, "/tmp"));
    EXPECT_TRUE(fs::remove_tree(fs, tmp.fd(), fs::RelPath::of(path.substr(5))));
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  fs::PosixFs fs;
  std::string path = "/tmp/tar_gz_tools.XXXXXX";
};

// Tool and locale: names must survive where the locale is not UTF-8, too.
using Param = std::pair<const char*, const char*>;

class TarGzTools : public ::testing::TestWithParam<Param> {
 protected:
  void SetUp() override {
    const std::string tool = GetParam().first;
    if (run("command -v " + tool + " >found") != 0) GTEST_SKIP() << tool << " is not installed";
  }

  void fill_tree() {
    tree.dir("hooks");
    tree.dir("hooks/empty dir", 0700);
    tree.dir("hooks/" + std::string(100, 'd'));
    tree.file("hooks/run.py", "#!/usr/bin/env python3\n", 0755);
    tree.file("hooks/read only", "r", 0444);
    tree.file("hooks/private", "p", 0600);
    tree.file("hooks/empty", "");
    tree.file("hooks/new\nline", "n");
    tree.file("-dash", "d");
    tree.file("hooks/back\\slash", "b");
    tree.file("hooks/Case", "1");
    tree.file("hooks/case", "2");
    tree.file("hooks/" + std::string(255, 'n'), "255 bytes");
    tree.file("hooks/\xFF\xFE\xC3\x28", "not utf-8");
    tree.file("hooks/" + std::string(250, '\xFF'), "long and not utf-8");
    tree.file("hooks/\xC3\xA9t\xC3\xA9", "utf-8");
    std::string accents;
    for (int i = 0; i < 120; ++i) accents += "\xC3\xA9";
    tree.file("hooks/" + accents, "long and utf-8");
    std::string deep = "deep";
    tree.dir(deep);
    for (int i = 0; i < 5; ++i) {
      deep += "/" + std::string(60, static_cast<char>('a' + i));
      tree.dir(deep);
    }
    tree.file(deep + "/file", "far down");
    tree.file(deep + "/\xE9", "far down and not utf-8");
    tree.file("two_mib", noise(2U << 20U));
    tree.file("one_mib", noise(1U << 20U));
    tree.file("six_mib", noise(6U << 20U) + "x");
    tree.link("hooks/link", "run.py");
    tree.link("hooks/dangling", "nowhere/at all");
    tree.link("hooks/far", std::string(200, 't'));
    tree.link("hooks/far \xFF", std::string(200, '\xFF'));
  }

  // Runs in the temporary directory, in the parameter's locale.
  int run(const std::string& command) const {
    return std::system(
        ("cd " + dir.path + " && LC_ALL=" + GetParam().second + " && export LC_ALL && " + command)
            .c_str());
  }
  std::string output(const std::string& name) {
    const fs::File root = must(fs::File::open_root(dir.fs, dir.path));
    return must(fs::read_file(dir.fs, root.fd(), fs::RelPath::of(name), 1U << 20U));
  }
  // Path to type, mode, time, link text and content.
  std::map<std::string, std::string> described(const std::string& name) {
    const fs::File root = must(fs::File::open_root(dir.fs, dir.path + "/" + name));
    std::map<std::string, std::string> nodes;
    for (const fs::WalkEntry& entry : must(fs::walk_all(dir.fs, root.fd(), {}))) {
      std::string& text = nodes[entry.path.str()];
      text = std::to_string(static_cast<int>(entry.stat.type)) + " " +
             std::to_string(entry.stat.mode) + " " + entry.link_text;
      if (entry.stat.type != fs::NodeType::kFile) continue;
      text += " " + std::to_string(entry.stat.mtime_ns / 1'000'000'000) + " ";
      text += sha256(must(fs::read_file(dir.fs, root.fd(), entry.path, 1U << 24U))).hex();
    }
    return nodes;
  }

  TempDir dir;
  ArchiveFixture tree{dir.fs, dir.path};
};

TEST_P(TarGzTools, ListsAndUnpacksToTheSameTree) {
  fill_tree();
  (void)tree.write("a.tar.gz");
  const std::string tool = GetParam().first;
  EXPECT_EQ(run(tool + " -tzf a.tar.gz >list 2>list_errors"), 0);
  EXPECT_EQ(output("list_errors"), "");
  const std::string list = output("list");
  EXPECT_EQ(static_cast<size_t>(std::count(list.begin(), list.end(), '\n')), tree.members().size());
  EXPECT_EQ(run("mkdir out && " + tool + " -xzpf a.tar.gz -C out >/dev/null 2>errors"), 0);
  EXPECT_EQ(output("errors"), "");
  EXPECT_EQ(described("out"), described("tree"));
}

TEST_P(TarGzTools, UnpacksOneDirectory) {
  fill_tree();
  (void)tree.write("a.tar.gz");
  EXPECT_EQ(run("mkdir out && " + std::string(GetParam().first) +
                " -xzpf a.tar.gz -C out hooks 2>errors && rm -r tree/deep tree/*mib tree/-dash"),
            0);
  EXPECT_EQ(output("errors"), "");
  EXPECT_EQ(described("out"), described("tree"));
}

TEST_P(TarGzTools, AnArchiveOfNothing) {
  (void)tree.write("a.tar.gz");
  EXPECT_EQ(run(std::string(GetParam().first) + " -tzf a.tar.gz >list 2>errors"), 0);
  EXPECT_EQ(output("list") + output("errors"), "");
}

INSTANTIATE_TEST_SUITE_P(Tools, TarGzTools,
                         ::testing::Values(Param("tar", "C"), Param("tar", "C.UTF-8"),
                                           Param("bsdtar", "C"), Param("bsdtar", "C.UTF-8")),
                         [](const auto& tool) {
                           return std::string(tool.param.first) +
                                  (tool.param.second == std::string("C") ? "_c" : "_utf8");
                         });

}  // namespace
}  // namespace stravinsky::codec
