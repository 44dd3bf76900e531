#include "txn/recovery.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/strings.h"
#include "fs/atomic_file.h"
#include "model/store_layout.h"
#include "txn/archive.h"
#include "txn/journal.h"
#include "txn/leftovers.h"
#include "txn/roll_back.h"

namespace stravinsky::txn {
namespace {

namespace layout = model::layout;

// A directory in recovery/tx without a readable BEGIN: nothing was staged yet.
Status discard(const TransactionContext& context, const std::string& id) {
  return fs::remove_tree(context.fs, context.store, layout::transaction(id));
}

std::string instructions(const JournalContent& journal, const Error& error) {
  const model::ChangePlan& plan = journal.plan;
  std::string text =
      "Transaction " + plan.facts.id +
      " is INCONSISTENT: recovery gave up on it.\n\nWhy: " + escape(error.to_string()) +
      "\n\nTo try again once the cause is gone:\n    stravinsky recovery resume\n\n";
  const bool undecided = journal.reached == TransactionState::kApplying;
  if (undecided) {
    text +=
        "To finish by hand, bring each file below to its old state. The old content is in\n"
        "the backup " +
        plan.facts.backup_id +
        " and, where it says so, under the reserved name beside the file.\n\n";
  } else {
    text +=
        "The files themselves are complete and need nothing. What is left over stands under\n"
        "the reserved names; look whether an edit of yours is among it, then delete it.\n\n";
  }
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    const model::Change& change = plan.changes[i];
    text += escape(change.display);
    if (undecided) {
      text += "\n    was: " + std::string(model::image_kind_name(change.before.kind));
      if (change.before.kind == model::ImageKind::kFile)
        text += ", SHA-256 " + change.before.sha256.hex();
    }
    text += "\n    reserved name: " + layout::stage_name(plan.facts.id, i) + "\n";
  }
  return text;
}

class Recoverer {
 public:
  Recoverer(const TransactionContext& context, const RecoveryOptions& options)
      : context_(context), options_(options) {}

  Recovered run(const std::string& id) {
    Recovered answer;
    answer.facts.id = id;
    is_aside_ = false;
    if (Status done = recover(id, answer); !done) {
      answer.error = std::move(done).error();
      if (!is_aside_ && answer.action != RecoveryAction::kDamaged)
        answer.action = RecoveryAction::kPostponed;
    }
    return answer;
  }

 private:
  Status recover(const std::string& id, Recovered& answer) {
    fs::FileSystem& fs = context_.fs;
    ASSIGN_OR_RETURN(const fs::File dir, open_transaction(fs, context_.store, Shelf::kOpen, id));
    ASSIGN_OR_RETURN(const JournalContent journal, read_journal(fs, dir.fd()));
    if (journal.state == TransactionState::kNothing) return discard(context_, id);
    if (!journal.plan.facts.id.empty()) answer.facts = journal.plan.facts;
    answer.plan = journal.plan;
    for (const model::Change& change : journal.plan.changes)
      answer.changed.push_back(change.display);
    if (journal.state == TransactionState::kDamaged || journal.plan.facts.id != id) {
      answer.action = RecoveryAction::kDamaged;
      return make_error(ErrorCode::kCorrupt, "the journal was altered after it was written",
                        layout::transaction(id).str())
          .with_untouched("Nothing was changed because of it.")
          .with_remedy(
              "Look at the files it names, then set it aside with: "
              "stravinsky recovery resume --set-aside " +
              id);
    }
    switch (journal.state) {
      case TransactionState::kEnded:
        answer.action = action_of(journal.reached);
        // On a full disk an END that is not on the disk yet costs no more than the word.
        if (auto writer = take_over(journal, dir.fd());
            !writer && writer.error().code != ErrorCode::kNoSpace)
          return std::move(writer).error();
        return archive_transaction(context_, id);
      case TransactionState::kInconsistent:
        return set_aside(
            journal, make_error(ErrorCode::kRecoveryRequired, journal.inconsistent_reason), answer);
      default:
        return finish(journal, dir.fd(), answer);
    }
  }

  static RecoveryAction action_of(TransactionState reached) {
    if (reached == TransactionState::kBegun) return RecoveryAction::kDiscarded;
    return reached == TransactionState::kCommitted ? RecoveryAction::kCompleted
                                                   : RecoveryAction::kRolledBack;
  }

  // What a killed process wrote may not be durable yet, or not be all that is: the
  // disk may still hold a journal that says more. Nothing is built on it before it is.
  Result<JournalWriter> take_over(const JournalContent& journal, fs::Fd dir) {
    auto writer = JournalWriter::reopen(context_.fs, dir, journal.valid, journal.record_count);
    // Rolling back needs no space: on a full disk it goes on without a record, once
    // the journal that says so is the one on the disk.
    if (!writer && writer.error().code == ErrorCode::kNoSpace &&
        journal.state == TransactionState::kApplying && !MUTANT(full_disk_without_name_sync))
      RETURN_IF_ERROR(fs::sync_names(context_.fs, dir));
    return writer;
  }

  Status finish(const JournalContent& journal, fs::Fd dir, Recovered& answer) {
    auto targets = Targets::open(context_.fs, journal.plan, options_.replaced_root);
    if (!targets && is_about_root(targets.error())) return refuse_root(std::move(targets).error());
    auto writer = take_over(journal, dir);
    if (!writer && (writer.error().code != ErrorCode::kNoSpace ||
                    journal.state != TransactionState::kApplying))
      return std::move(writer).error();
    if (writer && !MUTANT(attempt_without_record))
      (void)writer->append(Tag::kAttempt, "", Durable::kYes);
    if (!targets) return count_failure(journal, writer, std::move(targets).error(), answer);

    LeftoverKind kind = LeftoverKind::kOnlyStages;
    if (journal.state == TransactionState::kApplying) {
      auto kept = txn::roll_back(context_, dir, journal.plan, *targets);
      if (!kept) return count_failure(journal, writer, std::move(kept).error(), answer);
      answer.kept = std::move(*kept);
      if (!writer) return std::move(writer).error();
      if (!MUTANT(recovery_abort_without_record))
        RETURN_IF_ERROR(writer->append(Tag::kAborted, "", Durable::kYes));
    }
    answer.action = action_of(journal.reached);
    if (answer.action != RecoveryAction::kDiscarded) {
      kind = LeftoverKind::kDisplaced;
      if (options_.on_outcome) RETURN_IF_ERROR(options_.on_outcome(answer));
    }
    auto kept = remove_leftovers(context_, journal.plan, *targets, kind);
    if (!kept) return count_failure(journal, writer, std::move(kept).error(), answer);
    answer.kept.insert(answer.kept.end(), kept->begin(), kept->end());
    if (!MUTANT(recovery_end_without_record))
      RETURN_IF_ERROR(writer->append(Tag::kEnd, "", Durable::kYes));
    RETURN_IF_ERROR(writer->close());
    return archive_transaction(context_, answer.facts.id);
  }

  // The work itself failed, not the journal or the trail: enough of that, and the
  // transaction gets out of the way.
  Status count_failure(const JournalContent& journal, Result<JournalWriter>& writer, Error error,
                       Recovered& answer) {
    if (!writer || journal.attempts + 1 < options_.attempts_max) return error;
    if (!MUTANT(inconsistent_without_record))
      RETURN_IF_ERROR(writer->append(Tag::kInconsistent, error.to_string(), Durable::kYes));
    RETURN_IF_ERROR(writer->close());
    return set_aside(journal, std::move(error), answer);
  }

  Status set_aside(const JournalContent& journal, Error error, Recovered& answer) {
    const std::string& id = journal.plan.facts.id;
    answer.action = RecoveryAction::kSetAside;
    answer.error = error;
    if (options_.on_outcome) RETURN_IF_ERROR(options_.on_outcome(answer));
    (void)fs::write_atomically(context_.fs, context_.store,
                               layout::transaction(id) / fs::RelPath::of("README.txt"),
                               instructions(journal, error));
    RETURN_IF_ERROR(set_transaction_aside(context_, id));
    error.code = ErrorCode::kRecoveryRequired;
    error.remedy = "Read " +
                   (layout::inconsistent_transaction(id) / fs::RelPath::of("README.txt")).str() +
                   " in the store; then: stravinsky recovery resume";
    is_aside_ = true;
    return error;
  }

  static bool is_about_root(const Error& error) {
    return is_not_found(error) || error.code == ErrorCode::kChanged;
  }

  static Error refuse_root(Error error) {
    error.code = ErrorCode::kRecoveryRequired;
    error.context.emplace_back(
        "an interrupted operation worked in this directory and cannot be judged without it");
    error.untouched = "Nothing was changed; the journal is kept.";
    error.remedy =
        "Mount or restore the directory and run any command; or, if the directory was replaced "
        "on purpose: stravinsky recovery resume --accept-root";
    return error;
  }

  const TransactionContext& context_;
  const RecoveryOptions& options_;
  bool is_aside_ = false;
};

}  // namespace

std::string_view recovery_action_name(RecoveryAction action) {
  switch (action) {
    case RecoveryAction::kDiscarded:
      return "discarded";
    case RecoveryAction::kRolledBack:
      return "rolled_back";
    case RecoveryAction::kCompleted:
      return "completed";
    case RecoveryAction::kPostponed:
      return "postponed";
    case RecoveryAction::kSetAside:
      return "set_aside";
    case RecoveryAction::kDamaged:
      return "damaged";
  }
  return "postponed";
}

Result<std::vector<Recovered>> recover_all(const TransactionContext& context,
                                           const RecoveryOptions& options) {
  ASSIGN_OR_RETURN(const auto ids, list_transactions(context.fs, context.store, Shelf::kOpen));
  std::vector<Recovered> answers;
  Recoverer recoverer(context, options);
  answers.reserve(ids.size());
  for (const std::string& id : ids) answers.push_back(recoverer.run(id));
  return answers;
}

Result<bool> needs_recovery(fs::FileSystem& fs, fs::Fd store) {
  ASSIGN_OR_RETURN(const auto ids, list_transactions(fs, store, Shelf::kOpen));
  return !ids.empty();
}

Status requeue(const TransactionContext& context, const std::string& id) {
  fs::FileSystem& fs = context.fs;
  ASSIGN_OR_RETURN(const fs::File dir,
                   open_transaction(fs, context.store, Shelf::kInconsistent, id));
  ASSIGN_OR_RETURN(const JournalContent journal, read_journal(fs, dir.fd()));
  if (journal.plan.facts.id != id || journal.state == TransactionState::kDamaged)
    return make_error(ErrorCode::kCorrupt,
                      "the journal was altered after it was written and cannot be followed", id);
  RETURN_IF_ERROR(JournalWriter::restart(fs, dir.fd(), journal));
  // A directory that is there and not empty is not replaced.
  RETURN_IF_ERROR(fs.rename(context.store, layout::inconsistent_transaction(id), context.store,
                            layout::transaction(id), fs::RenameMode::kReplace));
  for (const fs::RelPath& path : {layout::inconsistent_transactions(), layout::transactions()}) {
    ASSIGN_OR_RETURN(const fs::File shelf,
                     fs::File::open(fs, context.store, path, fs::OpenMode::kDirectory));
    RETURN_IF_ERROR(fs.sync(shelf.fd(), fs::SyncKind::kFull));
  }
  return {};
}

}  // namespace stravinsky::txn
