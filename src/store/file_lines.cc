#include "store/file_lines.h"

#include <algorithm>
#include <span>

namespace stravinsky::store {
namespace {

constexpr size_t kForwardBlockBytes = 256U << 10U;
constexpr size_t kBackwardBlockBytes = 64U << 10U;

Status read_exactly(fs::FileSystem& fs, fs::Fd fd, uint64_t offset, std::span<char> out) {
  ASSIGN_OR_RETURN(const size_t got, fs.read(fd, offset, std::as_writable_bytes(out)));
  if (got == out.size()) return {};
  return make_error(ErrorCode::kChanged, "the file became shorter while it was read");
}

}  // namespace

Status ForwardLines::read_more() {
  buffer_.erase(0, used_);
  buffer_begin_ += used_;
  used_ = 0;
  const size_t old_size = buffer_.size();
  const uint64_t offset = buffer_begin_ + old_size;
  const size_t length = std::min<uint64_t>(kForwardBlockBytes, size_bytes_ - offset);
  buffer_.resize(old_size + length);
  return read_exactly(fs_, fd_, offset, std::span(buffer_).subspan(old_size));
}

Result<std::optional<FileLine>> ForwardLines::next() {
  FileLine line{.text = {}, .begin = buffer_begin_ + used_, .terminated = false};
  bool too_long = false;
  size_t searched = used_;
  while (true) {
    const size_t newline = buffer_.find('\n', searched);
    const bool at_end = buffer_begin_ + buffer_.size() == size_bytes_;
    if (newline != std::string::npos || at_end) {
      line.terminated = newline != std::string::npos;
      const size_t end = line.terminated ? newline : buffer_.size();
      too_long = too_long || end - used_ > line_max_bytes_;
      if (!too_long) line.text = std::string_view(buffer_).substr(used_, end - used_);
      used_ = line.terminated ? end + 1 : end;
      if (line.begin == size_bytes_) return std::nullopt;
      return line;
    }
    if (buffer_.size() - used_ > line_max_bytes_) {  // forget what cannot be given out
      too_long = true;
      used_ = buffer_.size();
    }
    searched = buffer_.size() - used_;
    RETURN_IF_ERROR(read_more());
  }
}

Status BackwardLines::read_more() {
  const size_t length = std::min<uint64_t>(kBackwardBlockBytes, begin_);
  std::string block(length, '\0');
  RETURN_IF_ERROR(read_exactly(fs_, fd_, begin_ - length, block));
  begin_ -= length;
  buffer_.insert(0, block);
  return {};
}

Result<std::optional<FileLine>> BackwardLines::next() {
  if (buffer_.empty() && begin_ == 0) return std::nullopt;
  if (buffer_.empty()) RETURN_IF_ERROR(read_more());
  FileLine line;
  line.terminated = buffer_.ends_with('\n');
  if (line.terminated) buffer_.pop_back();
  bool too_long = false;
  while (true) {
    const size_t newline = buffer_.rfind('\n');
    if (newline != std::string::npos || begin_ == 0) {
      const size_t start = newline == std::string::npos ? 0 : newline + 1;
      line.begin = begin_ + start;
      line_.assign(buffer_, start);
      too_long = too_long || line_.size() > line_max_bytes_;
      if (!too_long) line.text = line_;
      buffer_.resize(start);
      return line;
    }
    if (buffer_.size() > line_max_bytes_) {
      too_long = true;
      buffer_.clear();
    }
    RETURN_IF_ERROR(read_more());
  }
}

}  // namespace stravinsky::store
