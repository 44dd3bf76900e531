// tree_difference: what leads from one known tree to another.
#pragma once

#include <vector>

#include "engine/operation_result.h"
#include "engine/tree_edit.h"

namespace stravinsky::engine {

// Takes out what the backup has no bytes of, though it was there: whether it is another
// now is not known, and it could not be brought back.
void forget_skipped(KnownTree& tree, const model::Manifest& backup);

// Directories too. The bytes are asked for by who needs them.
Edits differences(const KnownTree& from, const KnownTree& to);

// The same for people, files and links alone.
std::vector<FileReport> difference_reports(const Edits& edits, const KnownTree& from);

}  // namespace stravinsky::engine
