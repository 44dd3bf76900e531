// Stage: builds an image complete and durable under a reserved name, so that
// putting it in place is one rename.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "fs/file.h"
#include "model/image.h"
#include "txn/content.h"

namespace stravinsky::txn {

struct StageRequest {
  const model::Image* image = nullptr;  // not absent
  size_t change = 0;                    // handed to content
  int64_t mtime_ns = 0;                 // of every staged file: a restored file must be newer
                                        // than what a package would copy over it "if newer"
};

// Creates name beneath dir. The bytes that content gives must have the image's
// hash: kCorrupt otherwise. Write-back is started, nothing is synced yet. What a
// failure leaves under the name is the caller's to remove.
Status build_stage(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name,
                   const StageRequest& request, const Content& content);

// Syncs every file and directory of what build_stage built. The name itself
// becomes durable with its directory.
Status sync_stage(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name,
                  const model::Image& image);

// Removes what stands under a reserved name, a tree with read-only directories in
// it included; absent is success.
Status remove_stage(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name);

}  // namespace stravinsky::txn
