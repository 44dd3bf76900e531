#include "txn/swap.h"

#include "base/mutant.h"
#include "txn/inspect.h"
#include "txn/stage.h"

namespace stravinsky::txn {
namespace {

using fs::RelPath;
using fs::RenameMode;
using model::Change;
using model::ChangePlan;
using model::Image;

bool unsupported(const Status& status) {
  return !status && status.error().code == ErrorCode::kUnsupported;
}

Result<bool> is_directory(fs::FileSystem& fs, fs::Fd dir, const RelPath& name) {
  ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs, dir, name));
  return found && found->type == fs::NodeType::kDirectory;
}

// One node under two names: a crash came between a link and what was to follow it.
Result<bool> same_node(fs::FileSystem& fs, fs::Fd dir, const RelPath& a, const RelPath& b) {
  ASSIGN_OR_RETURN(const auto first, fs::stat_if_present(fs, dir, a));
  ASSIGN_OR_RETURN(const auto second, fs::stat_if_present(fs, dir, b));
  return first && second && first->device == second->device && first->inode == second->inode;
}

// A second, durable name: whatever takes the first one away comes after it. A
// sync is not for its bytes but for those that somebody may have saved into it.
Status link_durably(fs::FileSystem& fs, fs::Fd dir, const RelPath& from, const RelPath& to) {
  Status linked = fs.hard_link(dir, from, dir, to);
  if (!linked && linked.error().code == ErrorCode::kAlreadyExists) {
    ASSIGN_OR_RETURN(const bool is_done, same_node(fs, dir, from, to));
    if (is_done) linked = {};
  }
  RETURN_IF_ERROR(std::move(linked));
  return MUTANT(swap_without_link_sync) ? Status() : fs.sync(dir, fs::SyncKind::kFull);
}

// The first name is about to go. Whoever saves by rename after this look is not
// noticed: without the flags of renameat2 there is no way to.
Status look_again(fs::FileSystem& fs, fs::Fd dir, const RelPath& name, const RelPath& linked) {
  ASSIGN_OR_RETURN(const bool is_unchanged, same_node(fs, dir, name, linked));
  if (is_unchanged || MUTANT(swap_without_last_look)) return {};
  return make_error(ErrorCode::kChanged, "was saved by somebody else meanwhile", name.str());
}

// Moves a node to a name that must be free.
Status move_to_free_name(fs::FileSystem& fs, fs::Fd dir, const RelPath& from, const RelPath& to) {
  Status moved = fs.rename(dir, from, dir, to, RenameMode::kNoReplace);
  if (!unsupported(moved)) return moved;
  ASSIGN_OR_RETURN(const bool moves_directory, is_directory(fs, dir, from));
  if (moves_directory) {  // cannot be linked; and would replace nothing but an empty directory
    ASSIGN_OR_RETURN(const auto taken, fs::stat_if_present(fs, dir, to));
    if (taken) return make_error(ErrorCode::kAlreadyExists, "the name is taken", to.str());
    return fs.rename(dir, from, dir, to, RenameMode::kReplace);
  }
  RETURN_IF_ERROR(link_durably(fs, dir, from, to));
  RETURN_IF_ERROR(look_again(fs, dir, from, to));
  return fs.unlink(dir, from);
}

// Swaps what stands at leaf and at other; afterwards other may be free instead,
// and the old node of leaf at stash.
Status swap_names(fs::FileSystem& fs, fs::Fd dir, const RelPath& leaf, const RelPath& other,
                  const RelPath& stash) {
  Status swapped = fs.rename(dir, leaf, dir, other, RenameMode::kExchange);
  if (!unsupported(swapped)) return swapped;
  ASSIGN_OR_RETURN(const bool leaf_is_directory, is_directory(fs, dir, leaf));
  ASSIGN_OR_RETURN(const bool other_is_directory, is_directory(fs, dir, other));
  if (leaf_is_directory || other_is_directory) {
    // Neither linked nor replaced by a rename: here alone the name is absent for a moment.
    RETURN_IF_ERROR(move_to_free_name(fs, dir, leaf, stash));
    return move_to_free_name(fs, dir, other, leaf);
  }
  // The old node must keep a durable name before the rename takes its only one.
  RETURN_IF_ERROR(link_durably(fs, dir, leaf, stash));
  RETURN_IF_ERROR(look_again(fs, dir, leaf, stash));
  return fs.rename(dir, other, dir, leaf, RenameMode::kReplace);
}

Status changed_meanwhile(const Change& change) {
  return make_error(ErrorCode::kChanged, "was changed by somebody else meanwhile", change.display);
}

}  // namespace

Status put_in_place(fs::FileSystem& fs, const Targets& targets, const ChangePlan& plan,
                    size_t change) {
  const Change& it = plan.changes[change];
  const fs::Fd dir = targets.dir(change);
  const RelPath& leaf = targets.leaf(change);
  const RelPath& stage = targets.stage(change);
  Status done;
  if (it.before.is_absent()) {
    done = move_to_free_name(fs, dir, stage, leaf);
    if (!done && done.error().code == ErrorCode::kAlreadyExists) return changed_meanwhile(it);
  } else if (it.after.is_absent()) {
    done = move_to_free_name(fs, dir, leaf, stage);
  } else {
    done = swap_names(fs, dir, leaf, stage, targets.stash(change));
  }
  if (!done && is_not_found(done.error())) return changed_meanwhile(it);
  return done;
}

namespace {

// One change: its names, and what stands at them now.
struct Sight {
  fs::FileSystem& fs;
  const Change& it;
  fs::Fd dir;
  const RelPath& leaf;
  const RelPath& stage;
  const RelPath& stash;
  const RelPath& rebuilt;
  Image now{};
  Image staged{};
  Image stashed{};

  bool is_users(const Image& image) const {
    return !image.is_absent() && !image.same_as(it.before) && !image.same_as(it.after);
  }
};

// before is absent: what stands at the leaf was added by us, or is somebody's.
Result<TakenBack> take_back_added(const Sight& at) {
  if (!at.now.same_as(at.it.after) && !MUTANT(take_back_removes_edited)) return TakenBack::kLeft;
  if (!at.staged.is_absent()) {
    // Linked to its place but not yet unlinked from the stage: one node, two names.
    // Two nodes: ours never got there.
    ASSIGN_OR_RETURN(const bool is_ours, same_node(at.fs, at.dir, at.leaf, at.stage));
    if (!is_ours && !MUTANT(take_back_removes_equal)) return TakenBack::kLeft;
    RETURN_IF_ERROR(at.fs.unlink(at.dir, at.leaf));
    return TakenBack::kRestored;
  }
  RETURN_IF_ERROR(move_to_free_name(at.fs, at.dir, at.leaf, at.stage));
  ASSIGN_OR_RETURN(const Image moved, inspect(at.fs, at.dir, at.stage));
  if (moved.same_as(at.it.after) || MUTANT(take_back_removes_edited)) return TakenBack::kRestored;
  RETURN_IF_ERROR(move_to_free_name(at.fs, at.dir, at.stage, at.leaf));
  return TakenBack::kLeft;
}

// The displaced node is gone: puts one like it at the stage name.
Status rebuild(const Sight& at, const TakeBackRequest& request) {
  RETURN_IF_ERROR(remove_stage(at.fs, at.dir, at.rebuilt));  // of an earlier attempt
  const StageRequest stage{
      .image = &at.it.before, .change = request.change, .mtime_ns = request.mtime_ns};
  RETURN_IF_ERROR(build_stage(at.fs, at.dir, at.rebuilt, stage, *request.before_content));
  if (!MUTANT(rebuild_without_sync))
    RETURN_IF_ERROR(sync_stage(at.fs, at.dir, at.rebuilt, at.it.before));
  // What is there is nothing but a copy of our own content.
  if (!at.staged.is_absent()) RETURN_IF_ERROR(remove_stage(at.fs, at.dir, at.stage));
  return move_to_free_name(at.fs, at.dir, at.rebuilt, at.stage);
}

}  // namespace

Result<TakenBack> take_back(fs::FileSystem& fs, const Targets& targets, const ChangePlan& plan,
                            const TakeBackRequest& request) {
  const size_t i = request.change;
  Sight at{.fs = fs,
           .it = plan.changes[i],
           .dir = targets.dir(i),
           .leaf = targets.leaf(i),
           .stage = targets.stage(i),
           .stash = targets.stash(i),
           .rebuilt = targets.rebuilt(i)};
  ASSIGN_OR_RETURN(at.now, inspect(fs, at.dir, at.leaf));
  if (at.now.same_as(at.it.before)) return TakenBack::kRestored;
  ASSIGN_OR_RETURN(at.staged, inspect(fs, at.dir, at.stage));
  if (at.it.before.is_absent()) return take_back_added(at);
  ASSIGN_OR_RETURN(at.stashed, inspect(fs, at.dir, at.stash));

  const bool between_two_renames = at.now.is_absent() && !at.stashed.is_absent();
  if (at.staged.same_as(at.it.after) && !at.now.same_as(at.it.after) && !between_two_renames)
    return TakenBack::kLeft;

  bool at_stash = false;
  TakenBack answer = TakenBack::kRestored;
  if (at.stashed.same_as(at.it.before)) {
    at_stash = true;
  } else if (!at.staged.same_as(at.it.before)) {
    if (!at.is_users(at.stashed) && !at.is_users(at.staged)) {
      RETURN_IF_ERROR(rebuild(at, request));
    } else if (at.is_users(at.now)) {
      return TakenBack::kLeft;  // saved twice: the later one stays, the other is set aside
    } else {
      at_stash = at.is_users(at.stashed);
      answer = TakenBack::kTheirEdit;
    }
  }
  const RelPath& displaced = at_stash ? at.stash : at.stage;
  if (at.now.is_absent()) {
    RETURN_IF_ERROR(move_to_free_name(fs, at.dir, displaced, at.leaf));
    return answer;
  }
  // Of a swap back that was cut off: the leaf's own node, or a copy of it.
  if (at_stash && !at.staged.is_absent() && at.staged.same_as(at.it.after))
    RETURN_IF_ERROR(remove_stage(fs, at.dir, at.stage));
  RETURN_IF_ERROR(swap_names(fs, at.dir, at.leaf, displaced, at_stash ? at.stage : at.stash));
  return answer;
}

}  // namespace stravinsky::txn
