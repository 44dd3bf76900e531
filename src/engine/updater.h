// update: a bundle's files over the tree, or nothing at all.
//
//   PREPARE       space, permissions and lock; the verified backup; the plan
//   VALIDATE      the tree as it would be is checked before anything changes
//   SWAP          the transaction: staged, put in place, durable
//   VERIFY        hashes in place, and the checks on the live tree
//   AUTOROLLBACK  only when something failed after the first change
//
// What it does to a file, by what is known of the installed bundle of the same
// package (the base):
//   base known     untouched by the user: replaced, or deleted when the new bundle
//                  lacks it; touched, deleted or made by the user: theirs stays, and
//                  is listed
//   base unknown   the bundle's files replace those of the same name, each listed
//                  with the command that brings the old one back; nothing is deleted
//   settings       entries are added, nothing is removed or changed
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "engine/downgrade.h"
#include "engine/operation_result.h"
#include "engine/session.h"
#include "model/component.h"

namespace stravinsky::engine {

struct UpdateRequest {
  std::optional<std::string> version{};  // empty: the bundle's own
  std::string source;                    // as open_source takes it
  model::Scope scope = model::Scope::kUser;
  std::optional<std::string> subdir{};  // where in the bundle its tree is
  std::optional<std::string> sha256{};  // of the archive
  Downgrade downgrade = Downgrade::kRefuse;
};

// Errors: nothing was changed (exit codes as in product.md), but for
// kRecoveryRequired. A failure after the first change is a result: kRolledBack.
Result<OperationResult> update(Session& session, const UpdateRequest& request);

}  // namespace stravinsky::engine
