// file_lines: the lines of a large file, first to last or last to first, in
// memory bounded by the longest line allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::store {

struct FileLine {
  std::string_view text;    // without the newline; empty when the line is too long;
                            // valid until the next call
  uint64_t begin = 0;       // where it starts in the file
  bool terminated = false;  // false only for the last line, when no newline ends it
};

// Reads the first size_bytes of a file, which must not shrink below that (kChanged).
class ForwardLines {
 public:
  ForwardLines(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes, size_t line_max_bytes)
      : fs_(fs), fd_(fd), size_bytes_(size_bytes), line_max_bytes_(line_max_bytes) {}
  // nullopt after the last line.
  Result<std::optional<FileLine>> next();

 private:
  Status read_more();

  fs::FileSystem& fs_;
  fs::Fd fd_;
  uint64_t size_bytes_;
  size_t line_max_bytes_;
  std::string buffer_;
  uint64_t buffer_begin_ = 0;  // place of buffer_[0] in the file
  size_t used_ = 0;            // bytes of buffer_ that were given out
};

class BackwardLines {
 public:
  BackwardLines(fs::FileSystem& fs, fs::Fd fd, uint64_t size_bytes, size_t line_max_bytes)
      : fs_(fs), fd_(fd), begin_(size_bytes), line_max_bytes_(line_max_bytes) {}
  // nullopt before the first line.
  Result<std::optional<FileLine>> next();

 private:
  Status read_more();

  fs::FileSystem& fs_;
  fs::Fd fd_;
  uint64_t begin_;  // place of buffer_[0] in the file
  size_t line_max_bytes_;
  std::string buffer_;  // what was read and not yet given out
  std::string line_;
};

}  // namespace stravinsky::store
