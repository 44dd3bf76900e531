// atomic_file: replaces a whole file so that every reader and every crash sees
// the old bytes or the new ones.
//
// Protocol: create a temporary name beside it, write, fsync, close, rename over,
// fsync the directory. A failed step removes the temporary name and leaves the
// old file. For files of the store only; the user's tree is changed by
// transactions (txn/).
#pragma once

#include <string_view>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::fs {

// The temporary name is ".<name>.partial"; one left by a crash is overwritten.
// The caller holds the store's lock.
Status write_atomically(FileSystem& fs, Fd dir, const RelPath& path, std::string_view bytes,
                        uint32_t mode = 0600);

}  // namespace stravinsky::fs
