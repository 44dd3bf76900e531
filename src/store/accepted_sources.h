// AcceptedSources: recovery/accepted.list, the scripts that a parser has accepted.
//
// Derived, and believed only where nothing depends on it: a script that an update does
// not touch is not parsed again just to warn of what was wrong before. A line is the
// SHA-256 of the parser, its version and the script, in hexadecimal; the oldest first.
// What is no such line counts for nothing, so that no damage of the file is an error.
#pragma once

#include <set>
#include <vector>

#include "base/error.h"
#include "codec/sha256.h"
#include "fs/file_system.h"

namespace stravinsky::store {

inline constexpr size_t kAcceptedSourcesMax = 4096;

class AcceptedSources {
 public:
  // Empty when there is no such file, or none that can be read.
  static AcceptedSources load(fs::FileSystem& fs, fs::Fd store);

  bool contains(const codec::Digest& digest) const { return known_.contains(digest); }
  void add(const codec::Digest& digest);
  // Replaces the file when something was added since. The store's lock is held.
  Status save(fs::FileSystem& fs, fs::Fd store);

 private:
  std::vector<codec::Digest> in_order_;
  std::set<codec::Digest> known_;
  bool is_changed_ = false;
};

}  // namespace stravinsky::store
