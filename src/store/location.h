// Location: where a managed path really lies, once the user's own links are resolved.
//
// settings.json, hooks/ and skills/ are often symlinks, chains too, into a
// dotfiles repository. A change is written through to the final directory and the
// links stay. Every link on the way is followed; the last component itself only
// when it is the top of a component (a path of one component): a link deeper in
// the tree is a managed thing of its own.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/change_plan.h"

namespace stravinsky::store {

using LinkHop = model::LinkCheck;

struct Location {
  std::string directory;        // absolute, no link in it, exists
  fs::RelPath path;             // beneath it; may be absent, no link on the way
  std::vector<LinkHop> hops{};  // the links that led here, in order
  // Links led to a directory beneath none of the allowed roots: needs consent.
  bool outside = false;

  std::string absolute() const { return directory + "/" + path.str(); }
};

inline constexpr int kLinkHopsMax = 40;

// root is absolute and canonical; when it is absent the directory is the deepest
// one above it that exists. More than kLinkHopsMax links, a loop for instance, and
// a link that leads through a file are kWrongType.
Result<Location> locate(fs::FileSystem& fs, const std::string& root, const fs::RelPath& path,
                        std::span<const std::string> allowed_roots);

// The absolute path without links; of an absent path, what is there of it is
// resolved. kWrongType when a link on the way leads to nothing.
Result<std::string> real_path(fs::FileSystem& fs, const std::string& absolute);

// The directory of an absolute path; "/" is its own.
std::string parent_of(const std::string& absolute);

// Equal to directory or beneath it. Both absolute and canonical.
bool is_beneath(std::string_view path, std::string_view directory);

}  // namespace stravinsky::store
