// ArchiveOutput: the growing file of an archive, written in large pieces and
// hashed on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "codec/sha256.h"
#include "fs/file_system.h"

namespace stravinsky::codec {

class ArchiveOutput {
 public:
  // file is empty and stays open.
  ArchiveOutput(fs::FileSystem& fs, fs::Fd file);

  Status append(std::span<const std::byte> data);
  uint64_t size_bytes() const { return written_bytes_ + buffer_.size(); }

  // A place to come back to: rewind forgets whatever was appended since.
  struct Mark {
    uint64_t size_bytes;
    Sha256 hash;
  };
  Result<Mark> mark();
  Status rewind(const Mark& mark);

  // Writes what is still buffered; nothing may be appended afterwards.
  Result<Digest> finish();

 private:
  Status flush();

  fs::FileSystem& fs_;
  fs::Fd file_;
  Sha256 hash_;  // of what was written
  uint64_t written_bytes_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace stravinsky::codec
