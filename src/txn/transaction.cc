#include "txn/transaction.h"

#include "base/mutant.h"
#include "model/store_layout.h"
#include "txn/archive.h"
#include "txn/before_images.h"
#include "txn/inspect.h"
#include "txn/leftovers.h"
#include "txn/public_name.h"
#include "txn/roll_back.h"
#include "txn/stage.h"
#include "txn/swap.h"

namespace stravinsky::txn {

namespace layout = model::layout;
using fs::RelPath;
using model::Change;
using model::ChangePlan;
using model::Image;

Result<Transaction> Transaction::prepare(const TransactionContext& context, ChangePlan plan,
                                         const Content& content) {
  fs::FileSystem& fs = context.fs;
  ASSIGN_OR_RETURN(Targets targets, Targets::open(fs, plan, ReplacedRoot::kRefuse));
  ASSIGN_OR_RETURN(Preflight preflight, run_preflight(context, plan, targets));

  const std::string id = plan.facts.id;
  const auto discard = [&](Error error) {
    (void)fs::remove_tree(fs, context.store, layout::transaction(id));
    return error;
  };
  ASSIGN_OR_RETURN(fs::File dir, make_transaction_dir(context, id));
  const fs::Fd tx_dir = dir.fd();
  if (auto saved = write_before_images(fs, tx_dir, plan, targets); !saved)
    return discard(std::move(saved).error());
  auto journal = JournalWriter::create(fs, tx_dir);
  if (!journal) return discard(std::move(journal).error());
  Status begun = journal->append(Tag::kBegin, encode_plan(plan),
                                 MUTANT(begin_without_sync) ? Durable::kNo : Durable::kYes);
  if (begun && !MUTANT(begin_without_directory_sync)) begun = fs.sync(tx_dir, fs::SyncKind::kFull);
  if (begun && !MUTANT(begin_without_parent_sync))
    begun = fs::sync_path(fs, context.store, layout::transactions());
  if (!begun) return discard(std::move(begun).error());

  Transaction transaction(context, std::move(plan), std::move(targets), std::move(preflight),
                          std::move(dir), std::move(*journal));
  if (auto staged = transaction.stage_all(content); !staged) {
    // Nothing was touched: taking the stages away is all there is to roll back.
    Error error = std::move(staged).error();
    if (auto cleaned = transaction.finish(); !cleaned)
      error.context.push_back("stages are left for the next recovery: " +
                              cleaned.error().to_string());
    return error;
  }
  return transaction;
}

Status Transaction::stage_all(const Content& content) {
  fs::FileSystem& fs = context_.fs;
  const int64_t now_ns = context_.clock.now_ns();
  for (size_t i = 0; i < plan_.changes.size(); ++i) {
    const Change& change = plan_.changes[i];
    if (change.after.is_absent()) continue;
    if (context_.interrupted()) return make_error(ErrorCode::kInterrupted, "interrupted");
    const StageRequest request{.image = &change.after, .change = i, .mtime_ns = now_ns};
    RETURN_IF_ERROR_WHILE(
        with_public_name(build_stage(fs, targets_.dir(i), targets_.stage(i), request, content),
                         change),
        "while staging " + change.display);
  }
  for (size_t i = 0; i < plan_.changes.size(); ++i) {
    const Change& change = plan_.changes[i];
    if (change.after.is_absent()) continue;
    RETURN_IF_ERROR_WHILE(
        with_public_name(sync_stage(fs, targets_.dir(i), targets_.stage(i), change.after), change),
        "while staging " + change.display);
  }
  // Their names too: what a user saves into a new file right after the exchange must
  // have a name on the disk, even if the exchange itself is not there yet.
  if (MUTANT(stage_without_name_sync)) return {};
  for (const fs::File& directory : targets_.directories())
    RETURN_IF_ERROR(fs.sync(directory.fd(), fs::SyncKind::kFull));
  return {};
}

Status Transaction::check_displaced(size_t change) {
  const Change& it = plan_.changes[change];
  if (it.before.is_absent()) return {};
  fs::FileSystem& fs = context_.fs;
  const fs::Fd dir = targets_.dir(change);
  ASSIGN_OR_RETURN(const auto stashed, fs::stat_if_present(fs, dir, targets_.stash(change)));
  const RelPath& name = stashed ? targets_.stash(change) : targets_.stage(change);
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat(dir, name));
  ASSIGN_OR_RETURN(const Image displaced, inspect(fs, dir, name));
  if (stat.inode != preflight_.inodes[change] || !displaced.same_as(it.before))
    return make_error(ErrorCode::kChanged, "was saved by somebody else meanwhile", it.display);
  return {};
}

Status Transaction::apply() {
  fs::FileSystem& fs = context_.fs;
  if (context_.interrupted()) return make_error(ErrorCode::kInterrupted, "interrupted");
  Status begun =
      MUTANT(applying_without_record)
          ? Status()
          : journal_.append(Tag::kApplying, "",
                            MUTANT(applying_without_sync) ? Durable::kNo : Durable::kYes);
  // Nothing is touched yet if it failed; but a record that may be on the disk asks
  // for an ABORTED behind it.
  if (begun || journal_.in_doubt()) outcome_ = Outcome::kOpen;
  RETURN_IF_ERROR(std::move(begun));
  const int64_t start_ns = context_.clock.monotonic_ns();
  Status applied;
  for (size_t i = 0; i < plan_.changes.size() && applied; ++i) {
    const size_t change = MUTANT(apply_in_reverse) ? plan_.changes.size() - 1 - i : i;
    applied = put_in_place(fs, targets_, plan_, change);
    if (!applied)
      applied =
          Error(with_public_name(std::move(applied).error(), plan_.changes[change])
                    .with_context("while putting " + plan_.changes[change].display + " in place"));
  }
  apply_duration_ns_ = context_.clock.monotonic_ns() - start_ns;
  RETURN_IF_ERROR(std::move(applied));
  if (MUTANT(apply_without_sync)) return {};
  return targets_.sync(fs);
}

Status Transaction::verify() {
  RETURN_IF_ERROR(check_links(context_.fs, plan_));
  for (size_t i = 0; i < plan_.changes.size(); ++i) {
    const Change& change = plan_.changes[i];
    const auto now = inspect(context_.fs, targets_.dir(i), targets_.leaf(i));
    if (!now) return with_public_name(now.error(), change);
    if (!now->same_as(change.after) && !MUTANT(verify_without_target_check))
      return make_error(ErrorCode::kChanged, "is not what was put in place", change.display);
    if (!MUTANT(verify_without_displaced_check))
      RETURN_IF_ERROR(with_public_name(check_displaced(i), change));
  }
  return {};
}

Status Transaction::commit() {
  if (MUTANT(commit_without_record)) {
    outcome_ = Outcome::kCommitted;
    return {};
  }
  Status committed =
      journal_.append(Tag::kCommit, "", MUTANT(commit_without_sync) ? Durable::kNo : Durable::kYes);
  if (committed) {
    outcome_ = Outcome::kCommitted;
    return {};
  }
  // The record may be on the disk although the sync failed. Only a journal that
  // certainly lacks it allows a roll back; one that could not be written does.
  if (!journal_.in_doubt() || MUTANT(commit_failure_without_replace)) return committed;
  Status replaced = journal_.replace();
  if (replaced) return committed;
  outcome_ = Outcome::kUnknown;
  Error error = std::move(committed).error();
  error.code = ErrorCode::kRecoveryRequired;
  error.context.push_back("and the journal could not be rewritten: " +
                          replaced.error().to_string());
  return error;
}

Result<std::vector<Kept>> Transaction::roll_back() {
  if (outcome_ == Outcome::kUnknown)
    return make_error(ErrorCode::kRecoveryRequired,
                      "whether the transaction has happened is not known yet");
  ASSIGN_OR_RETURN(std::vector<Kept> kept, txn::roll_back(context_, dir_.fd(), plan_, targets_));
  // A full disk may refuse the record. The tree is right all the same; finish then
  // leaves the transaction to the next recovery, which finds nothing to take back.
  if (MUTANT(abort_without_record) || journal_.append(Tag::kAborted, "", Durable::kYes))
    outcome_ = Outcome::kRolledBack;
  return kept;
}

Result<std::vector<Kept>> Transaction::finish() {
  if (outcome_ == Outcome::kOpen || outcome_ == Outcome::kUnknown)
    return make_error(ErrorCode::kIo, "the outcome could not be recorded yet");
  ASSIGN_OR_RETURN(std::vector<Kept> kept,
                   remove_leftovers(context_, plan_, targets_,
                                    outcome_ == Outcome::kUntouched ? LeftoverKind::kOnlyStages
                                                                    : LeftoverKind::kDisplaced));
  if (!MUTANT(end_without_record)) RETURN_IF_ERROR(journal_.append(Tag::kEnd, "", Durable::kYes));
  RETURN_IF_ERROR(journal_.close());
  RETURN_IF_ERROR(archive_transaction(context_, plan_.facts.id));
  return kept;
}

Status Transaction::read_before(size_t change, const std::string& inner_path,
                                const codec::Sink& sink) const {
  return read_before_image(context_.fs, dir_.fd(), places_, change, inner_path, sink);
}

void Transaction::note_phase(std::string_view name) {
  (void)journal_.append(Tag::kPhase, name, Durable::kNo);
}

}  // namespace stravinsky::txn
