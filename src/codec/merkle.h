// MerkleFrontier: the tree hash of an append-only list, kept in O(log n) space.
//
// The hash tree is that of RFC 6962, section 2.1: a leaf is SHA-256(0x00, data),
// an inner node SHA-256(0x01, left, right), and a list of n entries is split at
// the largest power of two below n. The frontier holds the roots of the perfect
// subtrees, largest first: one for each bit that is set in the size.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/sha256.h"

namespace stravinsky::codec {

class MerkleFrontier {
 public:
  MerkleFrontier() = default;
  // nullopt unless there are as many hashes as bits set in size.
  static std::optional<MerkleFrontier> restore(uint64_t size, std::vector<Digest> hashes);

  void append(std::span<const std::byte> leaf_data);

  uint64_t size() const { return size_; }
  const std::vector<Digest>& hashes() const { return hashes_; }
  Digest root() const;  // of no entries: SHA-256 of nothing

  bool operator==(const MerkleFrontier&) const = default;

 private:
  uint64_t size_ = 0;
  std::vector<Digest> hashes_;  // invariant: size() is the number of bits set in size_
};

}  // namespace stravinsky::codec
