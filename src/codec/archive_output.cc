#include "codec/archive_output.h"

#include <utility>

namespace stravinsky::codec {
namespace {

constexpr size_t kWriteBytes = 1U << 20U;

}  // namespace

ArchiveOutput::ArchiveOutput(fs::FileSystem& fs, fs::Fd file) : fs_(fs), file_(file) {
  buffer_.reserve(kWriteBytes);
}

Status ArchiveOutput::append(std::span<const std::byte> data) {
  if (buffer_.size() + data.size() > kWriteBytes) RETURN_IF_ERROR(flush());
  buffer_.insert(buffer_.end(), data.begin(), data.end());
  return {};
}

Status ArchiveOutput::flush() {
  if (buffer_.empty()) return {};
  hash_.update(buffer_);
  RETURN_IF_ERROR(fs_.write(file_, written_bytes_, buffer_));
  written_bytes_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<ArchiveOutput::Mark> ArchiveOutput::mark() {
  RETURN_IF_ERROR(flush());
  return Mark{.size_bytes = written_bytes_, .hash = hash_.clone()};
}

Status ArchiveOutput::rewind(const Mark& mark) {
  buffer_.clear();
  hash_ = mark.hash.clone();
  written_bytes_ = mark.size_bytes;
  // A shorter second try must not leave the end of the first one behind it.
  return fs_.truncate(file_, written_bytes_);
}

Result<Digest> ArchiveOutput::finish() {
  RETURN_IF_ERROR(flush());
  return hash_.finish();
}

}  // namespace stravinsky::codec
