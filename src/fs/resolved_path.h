// ResolvedPath: a path turned into (descriptor of the parent, last name), with
// no symlink followed on the way.
//
// The alternative, checking each prefix with lstat and then using the whole
// path, is refused: a symlink planted between the check and the use would be
// followed out of the root.
#pragma once

#include <atomic>
#include <string>

#include "base/error.h"
#include "fs/rel_path.h"

namespace stravinsky::fs {

enum class PathResolution {
  kKernel,  // openat2, and the walk where openat2 is missing or refused
  kWalk,    // component by component, always
};

class ResolvedPath {
 public:
  // Borrows dir; owns it when owned_dir says so (it is then the same number).
  ResolvedPath(int dir, int owned_dir, std::string name)
      : dir_(dir), owned_dir_(owned_dir), name_(std::move(name)) {}
  ResolvedPath(ResolvedPath&& other) noexcept
      : dir_(other.dir_),
        owned_dir_(std::exchange(other.owned_dir_, -1)),
        name_(std::move(other.name_)) {}
  ResolvedPath(const ResolvedPath&) = delete;
  ResolvedPath& operator=(const ResolvedPath&) = delete;
  ResolvedPath& operator=(ResolvedPath&&) = delete;
  ~ResolvedPath();

  int dir() const { return dir_; }
  const char* name() const { return name_.c_str(); }

 private:
  int dir_;
  int owned_dir_;
  std::string name_;
};

// Safe to use from several threads.
class PathResolver {
 public:
  explicit PathResolver(PathResolution resolution)
      : kernel_resolves_(resolution == PathResolution::kKernel) {}

  // kNotFound when a parent is absent, kWrongType when one is a symlink or no directory.
  Result<ResolvedPath> resolve(int dir, const RelPath& path);

 private:
  Result<int> open_parent(int dir, const RelPath& parent);

  // Turns false for good at the first answer that says openat2 cannot be used here.
  std::atomic<bool> kernel_resolves_;
};

}  // namespace stravinsky::fs
