// The contract suite: what fs/file_system.h promises, checked for every
// implementation. The tests are in contract_*_test.cc; contract_test.cc holds
// the list of implementations.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "fs/file.h"
#include "fs/file_system.h"
#include "testing/outcome.h"

namespace stravinsky::testing {

// One fresh file system. The destructor removes what it made.
struct FsUnderTest {
  FsUnderTest() = default;
  FsUnderTest(const FsUnderTest&) = delete;
  FsUnderTest& operator=(const FsUnderTest&) = delete;
  virtual ~FsUnderTest() = default;
  virtual fs::FileSystem& fs() = 0;
  virtual std::string root() = 0;  // absolute, without links; an empty directory
};

struct FsFactory {
  std::string name;  // letters and digits only
  std::function<std::unique_ptr<FsUnderTest>()> make;
};

inline fs::RelPath rel(std::string_view text) {
  return fs::RelPath::of(text);
}

class FileSystemContract : public ::testing::TestWithParam<FsFactory> {
 protected:
  void SetUp() override {
    // Every mode the contract speaks of is exact, whatever the mask is.
    mask_before_ = umask(077);
    under_test_ = GetParam().make();
    auto root = fs::File::open_root(fs(), under_test_->root());
    ASSERT_TRUE(root) << root.error().to_string();
    root_ = std::move(*root);
  }
  void TearDown() override {
    root_ = {};
    under_test_.reset();
    umask(mask_before_);
  }

  fs::FileSystem& fs() { return under_test_->fs(); }
  fs::Fd dir() const { return root_.fd(); }
  std::string root_path() { return under_test_->root(); }

  // Each reports its own failure to the test.
  fs::File open(std::string_view path, fs::OpenMode how, uint32_t mode = 0600) {
    auto file = fs::File::open(fs(), dir(), rel(path), how, mode);
    EXPECT_TRUE(file) << file.error().to_string();
    return file ? std::move(*file) : fs::File();
  }
  void put(std::string_view path, std::string_view bytes, uint32_t mode = 0600) {
    const fs::File file = open(path, fs::OpenMode::kCreateExclusive, mode);
    EXPECT_EQ(outcome(fs().write(file.fd(), 0, as_byte_span(bytes))), "ok");
  }
  void put_dir(std::string_view path, uint32_t mode = 0700) {
    EXPECT_EQ(outcome(fs().make_dir(dir(), rel(path), mode)), "ok");
  }
  void put_link(std::string_view path, const std::string& text) {
    EXPECT_EQ(outcome(fs().make_symlink(text, dir(), rel(path))), "ok");
  }
  // The bytes of a file, or the error's code in angle brackets.
  std::string get(std::string_view path) {
    auto bytes = fs::read_file(fs(), dir(), rel(path), 1U << 24U);
    return bytes ? *bytes : "<" + std::string(outcome(bytes)) + ">";
  }
  fs::Stat stat(std::string_view path) {
    auto found = fs().stat(dir(), rel(path));
    EXPECT_TRUE(found) << found.error().to_string();
    return found ? *found : fs::Stat{};
  }
  bool is_absent(std::string_view path) {
    return outcome(fs().stat(dir(), rel(path))) == "not_found";
  }

 private:
  mode_t mask_before_ = 0;
  std::unique_ptr<FsUnderTest> under_test_;
  fs::File root_;
};

}  // namespace stravinsky::testing
