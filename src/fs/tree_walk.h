// tree_walk: lists what lies beneath a directory, following no link.
//
// The order is that of the full paths' bytes and does not depend on the file
// system. A name that vanishes while the walk goes on is left out; a directory
// that cannot be read is an error, never an empty one, unless the caller wants to
// know of it and go on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::fs {

struct WalkEntry {
  RelPath path;  // relative to the directory that the walk was given
  Stat stat;
  std::string link_text;  // of a symlink, else empty
  // A directory whose names are not in the walk: you may not read it, or it lies, or
  // holds names, too deep. Only with Unreadable::kMark.
  bool unlisted = false;
  bool too_deep = false;  // which of the two
};

enum class Unreadable { kFail, kMark };

// True: leave this name out, with all that is beneath it. Empty: nothing is left out.
using WalkFilter = std::function<bool(const RelPath& path, NodeType type)>;

// start itself and, when it is a directory, everything beneath it; nothing when
// it is absent. More than 256 levels are an error that names the path.
Result<std::vector<WalkEntry>> walk_tree(FileSystem& fs, Fd dir, const RelPath& start,
                                         const WalkFilter& skip,
                                         Unreadable unreadable = Unreadable::kFail);
// Everything beneath dir, without dir itself; that dir cannot be listed is an error.
Result<std::vector<WalkEntry>> walk_all(FileSystem& fs, Fd dir, const WalkFilter& skip,
                                        Unreadable unreadable = Unreadable::kFail);

}  // namespace stravinsky::fs
