// inspect: what stands at a name now, as an Image with its hash.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "codec/tar_gz.h"
#include "fs/file.h"
#include "model/image.h"

namespace stravinsky::txn {

// Reads and hashes whatever stands at name beneath dir; a directory with all
// that is in it. kWrongType for a device, socket or FIFO; kChanged when a file
// changed while it was read.
Result<model::Image> inspect(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name);

// The same, handing the bytes of each file to see(inner_path, bytes) as they are
// hashed; inner_path is "" for the node itself.
using SeeBytes = std::function<Status(const std::string& inner_path, std::span<const std::byte>)>;
Result<model::Image> inspect(fs::FileSystem& fs, fs::Fd dir, const fs::RelPath& name,
                             const SeeBytes& see);

}  // namespace stravinsky::txn
