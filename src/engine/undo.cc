// undo and redo: the inverse of one recorded transaction.

#include <algorithm>
#include <memory>

#include "engine/history.h"
#include "engine/inverse.h"
#include "engine/operation.h"
#include "engine/rollback.h"
#include "txn/archive.h"
#include "txn/before_images.h"
#include "txn/journal.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::TransactionKind;

struct Recorded {
  fs::File dir;
  txn::JournalContent journal;
};

Result<std::shared_ptr<Recorded>> open_recorded(Session& session, const std::string& id) {
  auto recorded = std::make_shared<Recorded>();
  ASSIGN_OR_RETURN_WHILE(
      recorded->dir,
      txn::open_transaction(session.fs(), session.store().fd(), txn::Shelf::kDone, id),
      "while opening the record of transaction " + id);
  ASSIGN_OR_RETURN(recorded->journal, txn::read_journal(session.fs(), recorded->dir.fd()));
  if (!recorded->journal.committed || recorded->journal.state != txn::TransactionState::kEnded)
    return make_error(ErrorCode::kCorrupt, "the record of the transaction is damaged", id)
        .with_untouched("Nothing was changed.")
        .with_remedy(
            "Go back by its backup instead: stravinsky rollback to BACKUP "
            "(stravinsky backup list shows them).");
  return recorded;
}

// Decides one path: what to do, given what stands there now.
class Inverter {
 public:
  Inverter(const Present& present, Proposal& proposal) : present_(present), proposal_(proposal) {}

  void invert(const PathChange& one, Edit edit) {
    const Image now = image_now(one.path);
    // Directories come and go with what is in them: one that is not empty stays.
    if (one.before.kind == ImageKind::kDirectory && now.kind == ImageKind::kDirectory) return;
    if (now.kind == ImageKind::kDirectory || now.same_as(one.after))
      return restore(one, now, std::move(edit));
    if (one.after.kind == ImageKind::kDirectory && one.before.is_absent() && now.is_absent()) {
      // Of no component, so not listed: it goes if nothing but what is undone is in it.
      proposal_.edits.emplace(one.path, std::move(edit));
      return;
    }
    if (now.same_as(one.before)) return;
    if (one.before.is_absent()) {
      report(FileAction::kKeepMine, one, now,
             "added by what is undone and changed since: it stays");
      return;
    }
    if (!now.is_absent()) {
      proposal_.set_aside.push_back(
          {.path = one.path, .whose = model::Side::kMine, .mode = now.mode, .bytes = {}});
      report(FileAction::kSetAside, one, now, "changed since: your version is set aside");
      proposal_.edits.emplace(one.path, std::move(edit));
      return;
    }
    restore(one, now, std::move(edit));
  }

 private:
  Image image_now(const model::LogicalPath& path) const {
    const auto known = present_.known.find(path);
    return known == present_.known.end() ? Image() : known->second;
  }

  void restore(const PathChange& one, const Image& now, Edit edit) {
    if (one.before.kind != ImageKind::kDirectory && now.kind != ImageKind::kDirectory)
      report(one.before.is_absent() ? FileAction::kDelete
             : now.is_absent()      ? FileAction::kAdd
                                    : FileAction::kChange,
             one, now, "");
    proposal_.edits.emplace(one.path, std::move(edit));
  }

  void report(FileAction action, const PathChange& one, const Image& now, std::string note) {
    const auto hash = [](const Image& image) {
      return image.kind == ImageKind::kFile ? image.sha256.hex() : std::string();
    };
    const bool stays = action == FileAction::kKeepMine;
    proposal_.files.push_back({.action = action,
                               .path = one.path.display(),
                               .note = std::move(note),
                               .command = {},
                               .old_hash = hash(now),
                               .new_hash = stays ? hash(now) : hash(one.before)});
  }

  const Present& present_;
  Proposal& proposal_;
};

Error nothing_there(TransactionKind kind) {
  return make_error(ErrorCode::kNotFound, kind == TransactionKind::kUndo
                                              ? "No previous version available"
                                              : "There is nothing to redo")
      .with_untouched("Nothing was changed.")
      .with_remedy("See what there is with: stravinsky rollback list");
}

// The next transaction to invert in the trees of this session. Those of other
// projects share the stack and stay on it.
Result<std::shared_ptr<Recorded>> find_next(Session& session, TransactionKind kind) {
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  const auto& stack = kind == TransactionKind::kUndo ? latest.undo : latest.redo;
  for (auto id = stack.rbegin(); id != stack.rend(); ++id) {
    ASSIGN_OR_RETURN(auto recorded, open_recorded(session, *id));
    if (is_here(session.roots(), recorded->journal.plan)) return recorded;
  }
  return nothing_there(kind);
}

// Who undoes after a crash means what was interrupted. This very command has taken that
// back: going on would take back the good state before it as well.
bool took_back_just_now(const Session& session) {
  return std::ranges::any_of(session.recovered(), [](const txn::Recovered& one) {
    const bool was_taken_back =
        one.action == txn::RecoveryAction::kRolledBack ||
        (one.action == txn::RecoveryAction::kDiscarded && !one.changed.empty());
    return was_taken_back && one.facts.kind != TransactionKind::kUndo;
  });
}

Result<OperationResult> taken_back(const Session& session) {
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  const auto version = model::Version::parse(latest.at(session.roots().user.path).version);
  OperationResult result;
  result.kind = TransactionKind::kUndo;
  result.outcome = Outcome::kNothingToDo;
  result.from_version = result.to_version = version ? version->display() : "unknown";
  result.warnings.emplace_back(
      "what had been interrupted was taken back just now, and nothing more; to go back further, "
      "run the command again");
  return result;
}

Result<OperationResult> invert(Session& session, TransactionKind kind) {
  if (!session.has_store()) return nothing_there(kind);
  RETURN_IF_ERROR(session.begin_writing());
  if (kind == TransactionKind::kUndo && took_back_just_now(session)) return taken_back(session);
  std::shared_ptr<Recorded> recorded;
  OperationRequest request;
  request.kind = kind;
  request.backup_kind = model::BackupKind::kPreRollback;
  request.checks = CheckPolicy::kHashesOnly;
  request.open = [&](const store::Snapshot&) -> Result<Subject> {
    ASSIGN_OR_RETURN(recorded, find_next(session, kind));
    const model::TransactionFacts& facts = recorded->journal.plan.facts;
    Subject subject{.tree = facts.tree, .to_version = facts.from_version, .touches = {}};
    for (PathChange& one : path_changes(recorded->journal.plan))
      subject.touches.push_back(std::move(one.path));
    return subject;
  };
  request.propose = [&session, &recorded](const Present& present) -> Result<Proposal> {
    const model::ChangePlan& plan = recorded->journal.plan;
    Proposal proposal;
    proposal.to_version = plan.facts.from_version;
    proposal.to_bundle = plan.facts.from_bundle;
    proposal.inverts = plan.facts.id;
    // The closure keeps the record open as long as an edit may ask for bytes.
    const auto places = std::make_shared<const txn::BeforePlaces>(plan);
    const BeforeBytes before_bytes = [recorded = recorded, places, &fs = session.fs()](
                                         size_t change, const std::string& inner_path,
                                         const codec::Sink& sink) {
      return txn::read_before_image(fs, recorded->dir.fd(), *places, change, inner_path, sink);
    };
    Edits edits = inverse_edits(plan, before_bytes);
    Inverter inverter(present, proposal);
    for (const PathChange& one : path_changes(plan)) {
      const auto edit = edits.extract(one.path);
      inverter.invert(one, edit.mapped());
    }
    return proposal;
  };
  return run_operation(session, request);
}

}  // namespace

Result<OperationResult> undo(Session& session) {
  return invert(session, TransactionKind::kUndo);
}
Result<OperationResult> redo(Session& session) {
  return invert(session, TransactionKind::kRedo);
}

}  // namespace stravinsky::engine
