#include "codec/gzip_member.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::codec {
namespace {

constexpr size_t kGzipHeaderBytes = 10;
constexpr size_t kExtraFlagsAt = 8;
constexpr std::string_view kHeaderFront{"\x1F\x8B\x08\0\0\0\0\0", 8};
constexpr std::byte kUnknownSystem{255};

// Extra flags say how hard the compressor tried: 0, 2 or 4.
bool is_our_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kGzipHeaderBytes || !as_text(bytes).starts_with(kHeaderFront)) return false;
  const auto extra_flags = std::to_integer<unsigned>(bytes[kExtraFlagsAt]);
  return (extra_flags == 0 || extra_flags == 2 || extra_flags == 4) &&
         bytes[kExtraFlagsAt + 1] == kUnknownSystem;
}

}  // namespace

void GzipCompressor::Free::operator()(libdeflate_compressor* compressor) const {
  libdeflate_free_compressor(compressor);
}

GzipCompressor::GzipCompressor(int level) : compressor_(libdeflate_alloc_compressor(level)) {
  CHECK(level >= 1 && compressor_ != nullptr);
}

void GzipCompressor::append(std::span<const std::byte> data, std::vector<std::byte>& out) {
  const size_t before = out.size();
  out.resize(before + libdeflate_gzip_compress_bound(compressor_.get(), data.size()));
  const size_t size = libdeflate_gzip_compress(compressor_.get(), data.data(), data.size(),
                                               out.data() + before, out.size() - before);
  CHECK(size > 0);
  out.resize(before + size);
}

uint64_t gzip_bound(uint64_t size_bytes) {
  return libdeflate_gzip_compress_bound(nullptr, size_bytes);
}

Status check_gzip(std::span<const std::byte> bytes, size_t content_bytes) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>
      decompressor(libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  CHECK(decompressor != nullptr);
  const auto content = std::make_unique_for_overwrite<std::byte[]>(content_bytes);
  size_t left = content_bytes;
  for (bool is_first = true; !bytes.empty(); is_first = false) {
    const bool is_padding =
        std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
    if (is_padding && !is_first) break;
    size_t consumed = 0;
    size_t produced = 0;
    if (libdeflate_gzip_decompress_ex(decompressor.get(), bytes.data(), bytes.size(), content.get(),
                                      left, &consumed, &produced) != LIBDEFLATE_SUCCESS)
      return make_error(ErrorCode::kCorrupt, "a gzip member is damaged");
    left -= produced;
    bytes = bytes.subspan(consumed);
  }
  if (left == 0) return {};
  return make_error(ErrorCode::kCorrupt, "a gzip member is missing");
}

void GzipReader::Free::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

GzipReader::GzipReader(fs::FileSystem& fs, fs::Fd file, size_t content_max_bytes, GzipOrigin origin)
    : fs_(fs),
      file_(file),
      content_max_bytes_(content_max_bytes),
      origin_(origin),
      decompressor_(libdeflate_alloc_decompressor()),
      output_(std::make_unique_for_overwrite<std::byte[]>(content_max_bytes)) {
  CHECK(decompressor_ != nullptr);
}

void GzipReader::seek(uint64_t begin, uint64_t end) {
  CHECK(begin <= end);
  begin_ = begin;
  end_ = end;
  input_at_ = 0;
  input_size_ = 0;
}

// Makes sure that the next member is whole in input_, if it is whole in the file.
Status GzipReader::fill() {
  const uint64_t member_max_bytes = gzip_bound(content_max_bytes_);
  const size_t held = input_size_ - input_at_;
  const uint64_t left = end_ - begin_;
  if (held == left || held >= member_max_bytes) return {};
  std::copy(input_.begin() + static_cast<ptrdiff_t>(input_at_),
            input_.begin() + static_cast<ptrdiff_t>(input_size_), input_.begin());
  input_at_ = 0;
  const auto wanted = static_cast<size_t>(std::min(left, 2 * member_max_bytes));
  if (input_.size() < wanted) input_.resize(wanted);
  ASSIGN_OR_RETURN(const size_t got,
                   fs_.read(file_, begin_ + held, std::span(input_).subspan(held, wanted - held)));
  input_size_ = held + got;
  if (input_size_ < wanted) return make_error(ErrorCode::kCorrupt, "the archive is cut short");
  return {};
}

Result<std::span<const std::byte>> GzipReader::next() {
  RETURN_IF_ERROR(fill());
  const auto input = std::span<const std::byte>(input_).subspan(input_at_, input_size_ - input_at_);
  if (origin_ == GzipOrigin::kOurs && !is_our_header(input))
    return make_error(ErrorCode::kCorrupt, "not a gzip member of ours");
  size_t consumed = 0;
  size_t produced = 0;
  switch (libdeflate_gzip_decompress_ex(decompressor_.get(), input.data(), input.size(),
                                        output_.get(), content_max_bytes_, &consumed, &produced)) {
    case LIBDEFLATE_SUCCESS:
      break;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
      return make_error(ErrorCode::kCorrupt, "a gzip member expands to more than is allowed");
    default:
      return make_error(ErrorCode::kCorrupt, "a gzip member is damaged");
  }
  compressed_ = input.first(consumed);
  input_at_ += consumed;
  begin_ += consumed;
  return std::span<const std::byte>(output_.get(), produced);
}

}  // namespace stravinsky::codec
