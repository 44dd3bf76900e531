// Transaction: changes a tree so that it is the old one or the new one at every
// instant from which anybody could look back.
//
//   prepare   preflight; before-images; BEGIN; stage everything, synced
//   apply     APPLYING; one rename a change, nothing else; sync the directories
//   verify    every target is its after-image, every displaced node its before-image
//   commit    COMMIT, the only decision point
//   finish    remove what was displaced; END; the journal moves to done/
//
// or, from anywhere before commit, roll_back and then finish. The process may
// stop at any instant: recovery (recovery.h) does the rest from the journal. So a
// destructor does nothing.
//
// Refused: a redo log, because rolling forward after a crash would publish an
// update whose health check never ran; and exchanging whole directories, because
// it loses what others save in them meanwhile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "model/change_plan.h"
#include "txn/before_images.h"
#include "txn/content.h"
#include "txn/context.h"
#include "txn/journal.h"
#include "txn/preflight.h"
#include "txn/targets.h"

namespace stravinsky::txn {

class Transaction {
 public:
  // The plan is ordered (model::order_plan); the caller holds the store's lock and
  // those of the roots. On failure nothing has changed and nothing is left behind
  // that the next recovery would not remove.
  static Result<Transaction> prepare(const TransactionContext& context, model::ChangePlan plan,
                                     const Content& content);

  // After a failure the tree is a mix: roll_back must follow.
  Status apply();
  Status verify();
  // On success the transaction has happened. On kRecoveryRequired it is not known
  // whether it has: nothing may be touched, the next recovery reads it from the
  // disk. After any other failure roll_back must follow.
  Status commit();
  // On success every target is as before. On failure: recovery has to go on.
  Result<std::vector<Kept>> roll_back();
  // After commit or roll_back. Failure costs nothing but the files left over, which
  // the next recovery removes.
  Result<std::vector<Kept>> finish();

  // The bytes of changes[change].before, as txn/before_images.h.
  Status read_before(size_t change, const std::string& inner_path, const codec::Sink& sink) const;
  // Names a step in the journal; best effort.
  void note_phase(std::string_view name);

  const model::ChangePlan& plan() const { return plan_; }
  const std::vector<std::string>& warnings() const { return preflight_.warnings; }
  // From the first rename to the last: how long a reader could see a mix.
  int64_t apply_duration_ns() const { return apply_duration_ns_; }

 private:
  Transaction(const TransactionContext& context, model::ChangePlan plan, Targets targets,
              Preflight preflight, fs::File dir, JournalWriter journal)
      : context_(context),
        plan_(std::move(plan)),
        places_(plan_),
        targets_(std::move(targets)),
        preflight_(std::move(preflight)),
        dir_(std::move(dir)),
        journal_(std::move(journal)) {}

  enum class Outcome {
    kUntouched,   // no target was touched
    kOpen,        // any mix
    kRolledBack,  // ABORTED is durable
    kCommitted,   // COMMIT is durable
    kUnknown,     // COMMIT may be on the disk or not: nothing may be touched
  };

  Status stage_all(const Content& content);
  Status check_displaced(size_t change);

  TransactionContext context_;
  model::ChangePlan plan_;
  BeforePlaces places_;
  Targets targets_;
  Preflight preflight_;
  fs::File dir_;  // recovery/tx/<txid>
  JournalWriter journal_;
  Outcome outcome_ = Outcome::kUntouched;
  int64_t apply_duration_ns_ = 0;
};

}  // namespace stravinsky::txn
