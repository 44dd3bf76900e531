// salvage: what damaged backups still hold of a tree.
//
// The newest backup whose manifest can be read says what the tree was. Each of its files
// is taken from any backup that has just those bytes; where none has, and nothing stands
// there now, the newest other state of the path is taken and told.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/operation_result.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct Salvaged {
  OperationResult result;
  std::string base;                  // the backup that says what the tree was
  std::vector<std::string> missing;  // its files of which no right bytes are left
};

// ids: the damaged backups of the tree at hand, the newest first. kNotFound when no
// manifest of them can be read, or nothing in them can be had.
Result<Salvaged> salvage(Session& session, const std::vector<std::string>& ids);

}  // namespace stravinsky::engine
