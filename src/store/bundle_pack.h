// pack_bundle: a bundle as one .tar.gz that is the same bytes whenever it is packed.
//
// Holds the files of the tree, its metadata and the manifest of all their hashes
// (store/bundle_manifest.h), as they lie in the package; secrets and what is never
// managed stay out. Members are sorted, times 0, owners 0, modes 0755 or 0644.
#pragma once

#include <string>

#include "base/error.h"
#include "store/bundle.h"

namespace stravinsky::store {

// The bundle must have been opened with Sources::kKeep. kUsage for a path that no
// archive can hold.
Result<std::string> pack_bundle(const Bundle& bundle);

}  // namespace stravinsky::store
