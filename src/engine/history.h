// history: which transactions were committed, and which of them undo and redo lead to.
//
// A new transaction (update, rollback, recovery) is pushed on the undo stack and
// empties the redo stack. An undo inverts the top of the undo stack and is pushed
// on the redo stack; a redo inverts the top of that and is pushed back. So repeated
// undo walks back and redo walks forward, and every step is the inverse of one
// recorded transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/change_plan.h"
#include "store/latest.h"
#include "store/roots.h"
#include "txn/journal.h"

namespace stravinsky::engine {

// Enters a committed transaction; entering it twice changes nothing.
void record_commit(store::Latest& latest, const model::TransactionFacts& facts);

// latest.json; worked out again from the journals in done/ when it is missing or
// damaged. newest_backup stays empty then.
Result<store::Latest> load_latest(fs::FileSystem& fs, fs::Fd store);

// The bundles that updates of a tree brought and nothing took back, the newest first,
// up to the last rollback to a version: what was in force before that is not known
// package by package.
Result<std::vector<std::string>> bundles_in_force(fs::FileSystem& fs, fs::Fd store,
                                                  const store::Latest& latest,
                                                  const std::string& tree);

// The committed transactions in done/, oldest first. One whose record is damaged is left
// out, and named to who asks.
Result<std::vector<txn::JournalContent>> committed_transactions(
    fs::FileSystem& fs, fs::Fd store, std::vector<std::string>* damaged = nullptr);

// Every tree that the plan changes is one of these. One store serves many trees, and
// only the transactions of those at hand can be undone, or looked for in them.
bool is_here(const store::Roots& roots, const model::ChangePlan& plan);

// What is installed in a root, as displayed: "v0.3.8", "unknown".
std::string version_at(const store::Latest& latest, const store::Root& root);

// How often undo and redo would find something in these trees.
struct StepsHere {
  size_t undo = 0;
  size_t redo = 0;
  // A record that cannot be read ends the way: undo and redo stop at it, too.
  std::vector<Error> unreadable{};
};
StepsHere steps_here(fs::FileSystem& fs, fs::Fd store, const store::Roots& roots,
                     const store::Latest& latest);

// The record of what was last committed in these trees; nullopt when there is none, or
// when the very last transaction of all is not finished, so that whose it is is not known.
Result<std::optional<txn::JournalContent>> last_transaction_here(fs::FileSystem& fs, fs::Fd store,
                                                                 const store::Roots& roots,
                                                                 const store::Latest& latest);

}  // namespace stravinsky::engine
