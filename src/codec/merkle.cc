#include "codec/merkle.h"

#include <array>
#include <bit>

namespace stravinsky::codec {
namespace {

constexpr std::array kLeafPrefix = {std::byte{0x00}};
constexpr std::array kNodePrefix = {std::byte{0x01}};

Digest node(const Digest& left, const Digest& right) {
  Sha256 hash;
  hash.update(kNodePrefix);
  hash.update(left.bytes);
  hash.update(right.bytes);
  return hash.finish();
}

}  // namespace

std::optional<MerkleFrontier> MerkleFrontier::restore(uint64_t size, std::vector<Digest> hashes) {
  if (hashes.size() != static_cast<size_t>(std::popcount(size))) return std::nullopt;
  MerkleFrontier frontier;
  frontier.size_ = size;
  frontier.hashes_ = std::move(hashes);
  return frontier;
}

void MerkleFrontier::append(std::span<const std::byte> leaf_data) {
  Sha256 hash;
  hash.update(kLeafPrefix);
  hash.update(leaf_data);
  Digest merged = hash.finish();
  // Like a carry in binary addition: equal subtrees join.
  for (uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
    merged = node(hashes_.back(), merged);
    hashes_.pop_back();
  }
  hashes_.push_back(merged);
  ++size_;
}

Digest MerkleFrontier::root() const {
  if (hashes_.empty()) return sha256(std::span<const std::byte>());
  Digest root = hashes_.back();
  for (size_t i = hashes_.size() - 1; i > 0; --i) root = node(hashes_[i - 1], root);
  return root;
}

}  // namespace stravinsky::codec
