#include "store/file_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fs/file.h"
#include "testing/mem_fs.h"

namespace stravinsky::store {
namespace {

constexpr size_t kLineMaxBytes = 400'000;

struct Seen {
  std::string text;
  uint64_t begin = 0;
  bool terminated = false;
  bool operator==(const Seen&) const = default;
};

// The definition, on text in memory.
std::vector<Seen> split_lines(std::string_view text) {
  std::vector<Seen> lines;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t newline = text.find('\n', begin);
    const bool terminated = newline != std::string_view::npos;
    const size_t end = terminated ? newline : text.size();
    const size_t length = end - begin;
    lines.push_back(
        {length > kLineMaxBytes ? "" : std::string(text.substr(begin, length)), begin, terminated});
    begin = end + 1;
  }
  return lines;
}

template <typename Lines>
std::vector<Seen> read_lines(std::string_view text, uint64_t size_bytes) {
  testing::MemFs fs;
  fs.write_file("/log", text);
  const auto root = fs::File::open_root(fs, "/");
  const auto file = fs::File::open(fs, root->fd(), fs::RelPath::of("log"), fs::OpenMode::kRead);
  Lines lines(fs, file->fd(), size_bytes, kLineMaxBytes);
  std::vector<Seen> seen;
  while (true) {
    const auto line = lines.next();
    EXPECT_TRUE(line) << line.error().to_string();
    if (!line || !*line) return seen;
    seen.push_back({std::string((*line)->text), (*line)->begin, (*line)->terminated});
  }
}

std::vector<std::string> examples() {
  const std::string block(256U << 10U, 'x');
  const std::string half(32U << 10U, 'y');
  return {"",
          "\n",
          "a",
          "a\n",
          "\n\n",
          "a\nb",
          "a\n\nb\n",
          block,
          block + "\n",
          block.substr(1) + "\n" + "b\n",
          half + half.substr(1) + "\nb\n" + half + "\n" + half + half + half + "\nend",
          "a\n" + block + block + "\nb\n",  // longer than the limit
          block + block + "\n",
          block + block,
          "a\n" + block + block};
}

TEST(ForwardLines, GivesEveryLineInOrder) {
  for (const std::string& text : examples()) {
    EXPECT_TRUE(read_lines<ForwardLines>(text, text.size()) == split_lines(text)) << text.size();
  }
}

TEST(BackwardLines, GivesEveryLineInReverse) {
  for (const std::string& text : examples()) {
    auto expected = split_lines(text);
    std::ranges::reverse(expected);
    EXPECT_TRUE(read_lines<BackwardLines>(text, text.size()) == expected) << text.size();
  }
}

TEST(FileLines, BytesBehindTheGivenSizeAreNotRead) {
  EXPECT_EQ(read_lines<ForwardLines>("ab\ncd\nef\n", 5).size(), 2U);
  EXPECT_EQ(read_lines<BackwardLines>("ab\ncd\nef\n", 5).front().text, "cd");
}

TEST(FileLines, FileThatShrankIsAnError) {
  testing::MemFs fs;
  fs.write_file("/log", "a\n");
  const auto root = fs::File::open_root(fs, "/");
  const auto file = fs::File::open(fs, root->fd(), fs::RelPath::of("log"), fs::OpenMode::kRead);
  ForwardLines forward(fs, file->fd(), 10, kLineMaxBytes);
  BackwardLines backward(fs, file->fd(), 10, kLineMaxBytes);
  EXPECT_EQ(forward.next().error().code, ErrorCode::kChanged);
  EXPECT_EQ(backward.next().error().code, ErrorCode::kChanged);
}

}  // namespace
}  // namespace stravinsky::store
