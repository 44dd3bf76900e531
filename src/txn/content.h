// Content: where the bytes of a change's images come from.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/error.h"
#include "codec/tar_gz.h"

namespace stravinsky::txn {

// Hands the bytes of one file of changes[change].after to the sink; inner_path is
// "" for the changed name itself, else the place beneath it.
using Content =
    std::function<Status(size_t change, const std::string& inner_path, const codec::Sink& sink)>;

}  // namespace stravinsky::txn
