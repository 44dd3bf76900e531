// ConflictCopies: versions of files that an operation leaves no place for in the tree.
//
// Each is kept in the store, in recovery/conflicts/<txid>/, under its name and with its
// mode, durably, before the first target changes. Only the user deletes them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "engine/session.h"
#include "engine/tree_edit.h"
#include "model/merge3.h"
#include "txn/context.h"

namespace stravinsky::engine {

struct SetAside {
  model::LogicalPath path;
  model::Side whose = model::Side::kMine;
  uint32_t mode = 0;
  Bytes bytes;  // of theirs; mine is read from the tree
};

// Adds to kept what was copied and where it is. facts name the transaction, and the
// backup that holds the text of a link.
Status keep_conflict_copies(Session& session, const store::Snapshot& snapshot,
                            const std::vector<SetAside>& set_aside,
                            const model::TransactionFacts& facts, std::vector<txn::Kept>& kept);

}  // namespace stravinsky::engine
