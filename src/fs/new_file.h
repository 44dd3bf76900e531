// new_file: a file made where the user wants one, outside of any managed tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fs/file_system.h"

namespace stravinsky::fs {

// Durable when it succeeds, absent when it fails. kAlreadyExists: nothing that stands
// there is ever replaced.
Status write_new_file(FileSystem& fs, const std::string& absolute, std::string_view bytes,
                      uint32_t mode);

// The errors of that which can be known before: something stands there, or its directory
// does not.
Status check_new_file(FileSystem& fs, const std::string& absolute);

}  // namespace stravinsky::fs
