// rescue_script: recovery/rescue.sh, the way back without this program.
//
// A plain sh script (rescue.sh in this folder, embedded by the build) which lists,
// verifies and restores the backups of the store that it lies in. It knows the format
// of manifests that this program writes, so every backup writes it again if need be.
#pragma once

#include <string_view>

#include "base/error.h"
#include "store/store_dir.h"

namespace stravinsky::store {

std::string_view rescue_script_text();

// Makes recovery/rescue.sh what it should be, 0700; does no more than read where it is
// that already. The caller holds the store's lock.
Status write_rescue_script(const StoreDir& store);

}  // namespace stravinsky::store
