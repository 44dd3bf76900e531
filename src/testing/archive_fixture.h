// ArchiveFixture: a tree in "tree/", archives beside it, and what lies between.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "codec/tar_gz.h"
#include "fs/file.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {

// Bytes that do not compress, the same for the same seed.
inline std::string noise(size_t size, uint64_t seed = 1) {
  std::string bytes;
  for (uint64_t state = seed * 0x9E3779B97F4A7C15; bytes.size() < size;) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    bytes += static_cast<char>(state >> 32U);
  }
  return bytes;
}

template <typename T>
T must(Result<T> result) {
  if (!result) ADD_FAILURE() << result.error().to_string();
  return std::move(result).value();
}

inline void must(const Status& status) {
  EXPECT_TRUE(status) << (status ? "" : status.error().to_string());
}

class ArchiveFixture {
 public:
  // Everything lies beneath root, an existing directory of fs.
  ArchiveFixture(fs::FileSystem& fs, const std::string& root)
      : fs_(fs), root_(must(fs::File::open_root(fs, root))) {
    must(fs_.make_dir(root_.fd(), fs::RelPath::of("tree"), 0755));
    tree_ =
        must(fs::File::open(fs_, root_.fd(), fs::RelPath::of("tree"), fs::OpenMode::kDirectory));
  }

  fs::FileSystem& fs() { return fs_; }
  std::vector<codec::ArchiveMember>& members() { return members_; }

  // --- the tree; each call adds a member
  void dir(std::string_view path, uint32_t mode = 0755) {
    must(fs_.make_dir(tree_.fd(), fs::RelPath::of(path), mode));
    add(path);
  }
  void file(std::string_view path, std::string_view bytes, uint32_t mode = 0644) {
    write(path, bytes, mode);
    add(path);
  }
  void link(std::string_view path, const std::string& text) {
    must(fs_.make_symlink(text, tree_.fd(), fs::RelPath::of(path)));
    add(path);
    members_.back().link_text = text;
  }
  // A new file in place of the old one, which keeps its member.
  void rewrite(std::string_view path, std::string_view bytes, uint32_t mode = 0644) {
    must(fs_.unlink(tree_.fd(), fs::RelPath::of(path)));
    write(path, bytes, mode);
  }
  void set_mtime(std::string_view path, int64_t mtime_ns) {
    const fs::File file = open(path);
    must(fs_.set_attributes(file.fd(), {.mode = {}, .owner = {}, .mtime_ns = mtime_ns}));
  }
  fs::File open(std::string_view path) {
    return must(fs::File::open(fs_, tree_.fd(), fs::RelPath::of(path), fs::OpenMode::kRead));
  }

  // --- archives
  // Through another file system, a decorator of this one, if given.
  Result<codec::Archive> try_write(const std::string& name, const codec::WriteOptions& options = {},
                                   fs::FileSystem* through = nullptr) {
    fs::FileSystem& fs = through != nullptr ? *through : fs_;
    const fs::File out = must(
        fs::File::open(fs_, root_.fd(), fs::RelPath::of(name), fs::OpenMode::kCreateExclusive));
    const codec::OpenContent open_content = [&](size_t index) {
      return fs::File::open(fs, tree_.fd(), fs::RelPath::of(members_[index].path),
                            fs::OpenMode::kRead);
    };
    return codec::write_tar_gz(fs, out.fd(), members_, open_content, options);
  }
  codec::Archive write(const std::string& name, const codec::WriteOptions& options = {}) {
    return must(try_write(name, options));
  }
  fs::File open_archive(const std::string& name) {
    return must(fs::File::open(fs_, root_.fd(), fs::RelPath::of(name), fs::OpenMode::kRead));
  }
  std::string bytes(const std::string& name) {
    return must(fs::read_file(fs_, root_.fd(), fs::RelPath::of(name), 1U << 30U));
  }
  // An archive of any bytes.
  fs::File put(const std::string& name, std::string_view archive) {
    if (fs_.stat(root_.fd(), fs::RelPath::of(name)))
      must(fs_.unlink(root_.fd(), fs::RelPath::of(name)));
    fs::File file = must(
        fs::File::open(fs_, root_.fd(), fs::RelPath::of(name), fs::OpenMode::kCreateExclusive));
    must(fs_.write(file.fd(), 0, as_byte_span(archive)));
    return file;
  }
  Result<std::string> content(fs::Fd archive, const codec::ArchiveMember& member) {
    std::string all;
    const Status read =
        codec::read_member(fs_, archive, member, [&](std::span<const std::byte> piece) {
          all += as_text(piece);
          return Status();
        });
    if (!read) return read.error();
    return all;
  }

 private:
  void write(std::string_view path, std::string_view bytes, uint32_t mode) {
    const fs::File file = must(fs::File::open(fs_, tree_.fd(), fs::RelPath::of(path),
                                              fs::OpenMode::kCreateExclusive, mode));
    must(fs_.write(file.fd(), 0, as_byte_span(bytes)));
  }
  void add(std::string_view path) {
    const fs::Stat stat = must(fs_.stat(tree_.fd(), fs::RelPath::of(path)));
    codec::ArchiveMember member;
    member.path = path;
    member.type = stat.type;
    if (stat.type != fs::NodeType::kFile) {
      member.mode = stat.mode;
      member.uid = stat.uid;
      member.gid = stat.gid;
      member.mtime_ns = stat.mtime_ns;
    }
    members_.push_back(member);
  }

  fs::FileSystem& fs_;
  fs::File root_;
  fs::File tree_;
  std::vector<codec::ArchiveMember> members_;
};

}  // namespace stravinsky::testing
