// Recovery: finishes whatever an earlier process left, by its journal alone.
//
//   last valid record          meaning                     action
//   none, or a torn BEGIN      nothing staged or touched   remove the transaction's directory
//   BEGIN                      stages may exist            remove the stage names only
//   APPLYING                   any mix                     roll back
//   COMMIT                     all is durable              clean up; never touch a target
//   ABORTED                    all is as before            clean up
//   END                        over                        archive
//   a bad record before a good not a crash                 keep it, ask for a human
//   (root missing)             cannot judge                keep it, refuse this root
//
// Idempotent. It needs the journal and plain files only: no archive, no JSON
// library, no configuration. Attempts are counted; after the configured number the
// transaction is labelled INCONSISTENT and set aside with instructions, so that
// one failure cannot block every later command.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/change_plan.h"
#include "txn/context.h"
#include "txn/targets.h"

namespace stravinsky::txn {

enum class RecoveryAction {
  kDiscarded,   // nothing had been touched
  kRolledBack,  // the old tree is back
  kCompleted,   // it had been committed; only leftovers were removed
  kPostponed,   // could not be done now: error says why; tried again next time
  kSetAside,    // INCONSISTENT: out of the way, with instructions
  kDamaged,     // the journal was altered: left alone, a human must look
};
std::string_view recovery_action_name(RecoveryAction action);

struct Recovered {
  model::TransactionFacts facts;  // only the id when the journal does not tell more
  RecoveryAction action = RecoveryAction::kDiscarded;
  std::vector<Kept> kept;
  std::optional<Error> error;
  std::vector<std::string> changed;  // displays of the plan's changes
  model::ChangePlan plan;            // empty when the journal does not tell it
};

struct RecoveryOptions {
  uint32_t attempts_max = 3;
  ReplacedRoot replaced_root = ReplacedRoot::kRefuse;
  // Called when an outcome is durable and before the journal is archived, so that
  // the trail and latest.json learn of it; may be called again for the same
  // transaction after a crash. A failure postpones the archiving.
  std::function<Status(const Recovered&)> on_outcome = {};
};

// The caller holds the store's lock. Fails only when the list of transactions
// cannot be read; what happened to each is in the answer.
Result<std::vector<Recovered>> recover_all(const TransactionContext& context,
                                           const RecoveryOptions& options);

// True when there is something for recover_all to do; takes no lock, writes nothing.
Result<bool> needs_recovery(fs::FileSystem& fs, fs::Fd store);

// Puts a transaction that was set aside back in the queue, its attempts forgotten.
Status requeue(const TransactionContext& context, const std::string& id);

}  // namespace stravinsky::txn
