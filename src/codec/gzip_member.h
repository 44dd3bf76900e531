// Gzip members (RFC 1952), whole ones in memory, by libdeflate.
//
// A member's header is always the same ten bytes: no name, time 0, system 255
// (unknown), so that equal data at an equal level give equal bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"

struct libdeflate_compressor;
struct libdeflate_decompressor;

namespace stravinsky::codec {

class GzipCompressor {
 public:
  explicit GzipCompressor(int level);  // 1 to 12
  // Appends data to out as one gzip member.
  void append(std::span<const std::byte> data, std::vector<std::byte>& out);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
};

// Whether bytes are whole gzip members with the right checksums and lengths, from first
// to last, of content_bytes together. NUL bytes may follow: some writers fill the last
// block. Memory: content_bytes.
Status check_gzip(std::span<const std::byte> bytes, size_t content_bytes);

// The most bytes that a gzip member of size_bytes of data takes.
uint64_t gzip_bound(uint64_t size_bytes);

// Whether other headers than those that this program writes are taken.
enum class GzipOrigin { kOurs, kForeign };

// Reads one after the other the gzip members in a range of a file. Each may
// expand to content_max_bytes; input is hostile. Memory: about twice that.
class GzipReader {
 public:
  GzipReader(fs::FileSystem& fs, fs::Fd file, size_t content_max_bytes,
             GzipOrigin origin = GzipOrigin::kOurs);

  // Next comes the member at offset begin; reads nothing at or behind end.
  void seek(uint64_t begin, uint64_t end);
  uint64_t offset() const { return begin_; }  // of the next member
  bool at_end() const { return begin_ == end_; }
  // The content of the next member, valid until the next call. kCorrupt when it is
  // bad, cut, or larger than allowed.
  Result<std::span<const std::byte>> next();
  // The member's own bytes, valid until the next call of next().
  std::span<const std::byte> compressed() const { return compressed_; }

 private:
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  Status fill();

  fs::FileSystem& fs_;
  fs::Fd file_;
  size_t content_max_bytes_;
  GzipOrigin origin_;
  std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
  std::vector<std::byte> input_;  // input_[input_at_, input_size_) is the file from begin_ on
  std::unique_ptr<std::byte[]> output_;
  std::span<const std::byte> compressed_;
  size_t input_at_ = 0;
  size_t input_size_ = 0;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
};

}  // namespace stravinsky::codec
