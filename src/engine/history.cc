#include "engine/history.h"

#include <algorithm>

#include "model/version.h"
#include "txn/archive.h"

namespace stravinsky::engine {

using model::TransactionKind;

void record_commit(store::Latest& latest, const model::TransactionFacts& facts) {
  if (latest.last_transaction == facts.id) return;
  latest.last_transaction = facts.id;
  latest.trees[facts.tree] = {.version = facts.to_version, .bundle = facts.to_bundle};
  latest.transaction_sequence = std::max(latest.transaction_sequence, facts.sequence);
  switch (facts.kind) {
    case TransactionKind::kUndo:
      std::erase(latest.undo, facts.inverts);
      latest.redo.push_back(facts.id);
      break;
    case TransactionKind::kRedo:
      std::erase(latest.redo, facts.inverts);
      latest.undo.push_back(facts.id);
      break;
    case TransactionKind::kAutoRollback:  // as if what it takes back had never been
      break;
    case TransactionKind::kUpdate:
    case TransactionKind::kRollback:
    case TransactionKind::kRecovery:
    case TransactionKind::kDisarm:
    case TransactionKind::kArm:
      latest.undo.push_back(facts.id);
      latest.redo.clear();
      break;
  }
}

namespace {

// The kind of what a redo does again: it inverts an undo, which inverts that. An undo
// whose record is gone leaves the redo what it is.
TransactionKind kind_repeated(fs::FileSystem& fs, fs::Fd store, model::TransactionFacts facts) {
  const auto facts_of = [&](const std::string& id) -> std::optional<model::TransactionFacts> {
    const auto dir = txn::open_transaction(fs, store, txn::Shelf::kDone, id);
    if (!dir) return std::nullopt;
    const auto journal = txn::read_journal(fs, dir->fd());
    return journal ? std::optional(journal->plan.facts) : std::nullopt;
  };
  // Each step leads to an earlier transaction; a hostile record may lead in a circle.
  constexpr int kStepsMax = 1000;
  for (int step = 0; step < kStepsMax; ++step) {
    const bool repeats =
        facts.kind == TransactionKind::kRedo || facts.kind == TransactionKind::kUndo;
    if (!repeats) return facts.kind;
    auto inverted = facts_of(facts.inverts);
    if (!inverted) return facts.kind;
    facts = std::move(*inverted);
  }
  return facts.kind;
}

}  // namespace

Result<std::vector<std::string>> bundles_in_force(fs::FileSystem& fs, fs::Fd store,
                                                  const store::Latest& latest,
                                                  const std::string& tree) {
  std::vector<std::string> bundles;
  for (auto id = latest.undo.rbegin(); id != latest.undo.rend(); ++id) {
    const auto dir = txn::open_transaction(fs, store, txn::Shelf::kDone, *id);
    if (!dir && is_not_found(dir.error())) continue;
    if (!dir) return Error(dir.error());
    ASSIGN_OR_RETURN(const txn::JournalContent journal, txn::read_journal(fs, dir->fd()));
    const model::TransactionFacts& facts = journal.plan.facts;
    if (!journal.committed || facts.tree != tree) continue;
    // A redo does again what it repeats.
    const TransactionKind kind = kind_repeated(fs, store, facts);
    if (kind == TransactionKind::kRollback) break;
    if (kind == TransactionKind::kUpdate && !facts.to_bundle.empty())
      bundles.push_back(facts.to_bundle);
  }
  return bundles;
}

Result<std::vector<txn::JournalContent>> committed_transactions(fs::FileSystem& fs, fs::Fd store,
                                                                std::vector<std::string>* damaged) {
  std::vector<txn::JournalContent> committed;
  ASSIGN_OR_RETURN(const auto ids, txn::list_transactions(fs, store, txn::Shelf::kDone));
  for (const std::string& id : ids) {
    // A damaged old journal cannot be undone; it says nothing about the others. Nor does one
    // that is not even a file.
    const auto dir = txn::open_transaction(fs, store, txn::Shelf::kDone, id);
    auto read = dir ? txn::read_journal(fs, dir->fd()) : Result<txn::JournalContent>(dir.error());
    if (!read && read.error().code != ErrorCode::kWrongType && !is_not_found(read.error()))
      return std::move(read).error();
    txn::JournalContent journal = read ? std::move(*read) : txn::JournalContent();
    if (journal.committed && journal.state == txn::TransactionState::kEnded) {
      committed.push_back(std::move(journal));
    } else if (damaged != nullptr && journal.state != txn::TransactionState::kEnded) {
      damaged->push_back(id);
    }
  }
  std::sort(committed.begin(), committed.end(), [](const auto& a, const auto& b) {
    return a.plan.facts.sequence < b.plan.facts.sequence;
  });
  return committed;
}

Result<store::Latest> load_latest(fs::FileSystem& fs, fs::Fd store) {
  auto found = store::read_latest(fs, store);
  if (!found && found.error().code != ErrorCode::kCorrupt) return std::move(found).error();
  if (found && *found) return std::move(**found);
  store::Latest latest;
  latest.was_damaged = !found;
  ASSIGN_OR_RETURN(const auto committed, committed_transactions(fs, store));
  for (const txn::JournalContent& journal : committed) record_commit(latest, journal.plan.facts);
  return latest;
}

bool is_here(const store::Roots& roots, const model::ChangePlan& plan) {
  return std::ranges::all_of(plan.changes, [&](const model::Change& change) {
    const store::Root* root = roots.of(change.logical.scope);
    const std::string& worked_in = change.logical.scope == model::Scope::kUser
                                       ? plan.facts.user_root
                                       : plan.facts.project_root;
    return root != nullptr && root->path == worked_in;
  });
}

std::string version_at(const store::Latest& latest, const store::Root& root) {
  const std::string text = latest.at(root.path).version;
  const auto version = model::Version::parse(text);
  return version ? version->display() : text;
}

namespace {

Result<txn::JournalContent> read_done(fs::FileSystem& fs, fs::Fd store, const std::string& id) {
  ASSIGN_OR_RETURN_WHILE(const fs::File dir,
                         txn::open_transaction(fs, store, txn::Shelf::kDone, id),
                         "while opening the record of transaction " + id);
  return txn::read_journal(fs, dir.fd());
}

}  // namespace

StepsHere steps_here(fs::FileSystem& fs, fs::Fd store, const store::Roots& roots,
                     const store::Latest& latest) {
  StepsHere steps;
  const auto count = [&](const std::vector<std::string>& stack) {
    size_t found = 0;
    for (auto id = stack.rbegin(); id != stack.rend(); ++id) {
      auto journal = read_done(fs, store, *id);
      if (!journal) {
        steps.unreadable.push_back(std::move(journal).error());
        break;
      }
      if (!journal->committed || journal->state != txn::TransactionState::kEnded) {
        steps.unreadable.push_back(
            make_error(ErrorCode::kCorrupt, "the record of the transaction is damaged", *id));
        break;
      }
      if (is_here(roots, journal->plan)) ++found;
    }
    return found;
  };
  steps.undo = count(latest.undo);
  steps.redo = count(latest.redo);
  return steps;
}

Result<std::optional<txn::JournalContent>> last_transaction_here(fs::FileSystem& fs, fs::Fd store,
                                                                 const store::Roots& roots,
                                                                 const store::Latest& latest) {
  std::optional<txn::JournalContent> none;
  if (latest.last_transaction.empty()) return none;
  auto last = read_done(fs, store, latest.last_transaction);
  if (!last && is_not_found(last.error())) return none;
  if (!last) return std::move(last).error();
  if (is_here(roots, last->plan)) return std::optional(std::move(*last));
  ASSIGN_OR_RETURN(auto committed, committed_transactions(fs, store));
  for (auto at = committed.rbegin(); at != committed.rend(); ++at)
    if (is_here(roots, at->plan)) return std::optional(std::move(*at));
  return none;
}

}  // namespace stravinsky::engine
