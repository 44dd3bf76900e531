// TempDir: an empty private directory under /tmp on the real disk, removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <string_view>

#include "base/strings.h"
#include "fs/file.h"
#include "fs/posix_fs.h"

namespace stravinsky::testing {

class TempDir {
 public:
  explicit TempDir(fs::PathResolution resolution = fs::PathResolution::kKernel) : fs_(resolution) {
    std::string path = "/tmp/stravinsky-test-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    auto opened = fs::File::open_root(fs_, path);
    EXPECT_TRUE(opened) << opened.error().to_string();
    root_ = std::move(*opened);
    path_ = *fs_.path_of(root_.fd());  // /tmp may itself be a link
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    const size_t slash = path_.rfind('/');
    const auto parent = fs::File::open_root(fs_, path_.substr(0, slash));
    const auto name = fs::RelPath::of(path_.substr(slash + 1));
    EXPECT_TRUE(fs::remove_tree(fs_, parent->fd(), name));
  }

  fs::PosixFs& fs() { return fs_; }
  fs::Fd dir() const { return root_.fd(); }
  const std::string& path() const { return path_; }

  // Each reports its own failure to the test.
  void put(std::string_view path, std::string_view bytes, uint32_t mode = 0600) {
    const auto file =
        fs::File::open(fs_, dir(), fs::RelPath::of(path), fs::OpenMode::kCreateExclusive, mode);
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_TRUE(fs_.write(file->fd(), 0, as_byte_span(bytes)));
  }
  void put_dir(std::string_view path, uint32_t mode = 0700) {
    EXPECT_TRUE(fs_.make_dir(dir(), fs::RelPath::of(path), mode)) << path;
  }
  void put_link(std::string_view path, const std::string& text) {
    EXPECT_TRUE(fs_.make_symlink(text, dir(), fs::RelPath::of(path))) << path;
  }
  // The bytes of a file, or the error's code in angle brackets.
  std::string get(std::string_view path) {
    auto bytes = fs::read_file(fs_, dir(), fs::RelPath::of(path), 1U << 24U);
    return bytes ? *bytes : "<" + std::string(code_name(bytes.error().code)) + ">";
  }

 private:
  fs::PosixFs fs_;
  fs::File root_;
  std::string path_;
};

}  // namespace stravinsky::testing
