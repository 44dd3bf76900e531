// update: a bundle's files over the tree, or nothing at all.
//
//   PREPARE       space, permissions and lock; the verified backup; the plan
//   VALIDATE      the tree as it would be is checked before anything changes
//   SWAP          the transaction: staged, put in place, durable
//   VERIFY        hashes in place, and the checks on the live tree
//   AUTOROLLBACK  only when something failed after the first change
//
// What becomes of each file: engine/update_proposer.h.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "engine/downgrade.h"
#include "engine/merge_policy.h"
#include "engine/operation_result.h"
#include "engine/session.h"
#include "model/component.h"

namespace stravinsky::engine {

struct UpdateRequest {
  std::optional<std::string> version{};  // empty: the bundle's own
  std::string source;                    // as open_source takes it
  model::Scope scope = model::Scope::kUser;
  // kReport: for `check`, which wants all findings and does not go on; dry runs only.
  OnBlocking on_blocking = OnBlocking::kRefuse;
  std::optional<MergePolicy> conflict{};      // else update.conflict
  std::optional<MergePolicy> unknown_base{};  // else update.unknown_base
  AskSide ask{};                              // empty: there is nobody to ask
  std::optional<std::string> subdir{};        // where in the bundle its tree is
  std::optional<std::string> sha256{};        // of the archive
  Downgrade downgrade = Downgrade::kRefuse;
};

// Errors: nothing was changed (exit codes as in product.md), but for
// kRecoveryRequired. A failure after the first change is a result: kRolledBack.
Result<OperationResult> update(Session& session, const UpdateRequest& request);

}  // namespace stravinsky::engine
