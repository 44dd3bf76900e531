// tree_difference: what leads from one known tree to another.
#pragma once

#include <vector>

#include "engine/operation_result.h"
#include "engine/tree_edit.h"

namespace stravinsky::engine {

// Directories too. The bytes are asked for by who needs them.
Edits differences(const KnownTree& from, const KnownTree& to);

// The same for people, files and links alone.
std::vector<FileReport> difference_reports(const Edits& edits, const KnownTree& from);

}  // namespace stravinsky::engine
