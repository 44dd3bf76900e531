#include "engine/old_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "base/units.h"
#include "engine/present_tree.h"
#include "engine/tree_difference.h"

namespace stravinsky::engine {
namespace {

using model::Entry;
using model::Image;
using model::ImageKind;
using model::LogicalPath;

bool is_top(const LogicalPath& path) {
  return !path.path.has_parent();
}

bool lies_at_or_in(const LogicalPath& path, const LogicalPath& top) {
  return path.scope == top.scope && path.path.starts_with(top.path);
}

// Nothing is known behind it.
void make_link(KnownTree& tree, const LogicalPath& top, const std::string& text) {
  std::erase_if(tree, [&](const auto& item) { return lies_at_or_in(item.first, top); });
  constexpr uint32_t kLinkMode = 0777;
  Image link;
  link.kind = ImageKind::kSymlink;
  link.mode = kLinkMode;
  link.link_text = text;
  tree.emplace(top, std::move(link));
}

// A component is listed by what its link leads to. Where a link is new, or gone, or another
// one, the link itself is what differs.
struct TreesWithLinks {
  KnownTree now;
  KnownTree then;
  std::set<LogicalPath> replaced;  // in now a link, in then none
  std::set<LogicalPath> relinked;  // in then a link, in now none or another
};

TreesWithLinks with_links(const store::Snapshot& snapshot, const KnownTree& known,
                          const model::Manifest& manifest) {
  TreesWithLinks trees{.now = known, .then = known_tree(manifest), .replaced = {}, .relinked = {}};
  forget_skipped(trees.now, manifest);
  for (const store::TreeEntry& top : snapshot.entries) {
    if (!is_top(top.path)) continue;
    const bool is_link = !top.via_link.empty();
    const Entry* then = manifest.find(top.path);
    const std::string link_then = then != nullptr && then->is_stored() ? then->via_link : "";
    // One that leads nowhere any more is known as a link, with its text.
    if (top.via_link == link_then || (!is_link && top.link_text == link_then)) continue;
    if (is_link) make_link(trees.now, top.path, top.via_link);
    if (!link_then.empty()) {
      make_link(trees.then, top.path, link_then);
      trees.relinked.insert(top.path);
    }
  }
  for (const auto& [path, image] : trees.now) {
    const auto then = trees.then.find(path);
    if (is_top(path) && image.kind == ImageKind::kSymlink && then != trees.then.end() &&
        then->second.kind != ImageKind::kSymlink && manifest.find(path)->via_link.empty())
      trees.replaced.insert(path);
  }
  return trees;
}

std::string place_for_a_shell(const store::Roots& roots, const LogicalPath& path) {
  const store::Root* root = roots.of(path.scope);
  return (root == nullptr ? std::string() : root->path + "/") + path.path.str();
}

}  // namespace

Status OldTree::refuse_unreadable(const store::Snapshot& snapshot) const {
  const model::Manifest& manifest = backup_->manifest();
  for (const store::Omission& omission : snapshot.omissions) {
    if (omission.reason != store::OmissionReason::kUnreadable) continue;
    const Entry* then = manifest.find(omission.path);
    const store::TreeEntry* now = snapshot.find(omission.path);
    const bool was_so =
        then != nullptr && (then->state == model::EntryState::kSkipped ||
                            (then->type == fs::NodeType::kSymlink && now != nullptr &&
                             then->is_stored() && then->link_text == now->link_text));
    if (was_so) continue;
    // What settings name somewhere else: nothing of it is to come back.
    if (then == nullptr && now == nullptr) continue;
    const std::string what = omission.leads_to.empty()
                                 ? place_for_a_shell(session_.roots(), omission.path)
                                 : omission.leads_to;
    return make_error(ErrorCode::kPermission,
                      "you may not read what the installer left there, so it can be neither "
                      "checked nor taken back",
                      omission.path.display())
        .with_untouched("Nothing was changed; the update to " + escape(begun_.version) +
                        " is still begun.")
        .with_remedy("Make it readable (its owner: ls -ld): chmod -R u+rwX " + shell_quote(what) +
                     "; then go back with: stravinsky update finish " +
                     shell_quote(begun_.version) + " --failed, or without --failed to keep it.");
  }
  return {};
}

Result<Proposal> OldTree::propose(const Present& present, const Tops* only) {
  const model::Manifest& manifest = backup_->manifest();
  TreesWithLinks trees = with_links(present.snapshot, present.known, manifest);
  relinked_ = trees.relinked;
  Proposal proposal;
  proposal.to_version = begun_.from_version;
  proposal.to_bundle = begun_.from_bundle;
  proposal.edits = differences(trees.now, trees.then);
  if (only != nullptr)
    std::erase_if(proposal.edits, [&](const auto& edit) {
      return std::ranges::none_of(*only,
                                  [&](const auto& top) { return lies_at_or_in(edit.first, top); });
    });
  for (auto& [path, edit] : proposal.edits) {
    if (edit.after.kind == ImageKind::kFile)
      edit = edit_of_entry(backup_, *manifest.find(path), edit.after);
    edit.takes_links_place = trees.replaced.contains(path);
  }
  proposal.files = difference_reports(proposal.edits, trees.now);
  add_commands(proposal.files, present.backup_id);
  proposal.known = std::move(trees.now);
  return proposal;
}

Result<OperationResult> OldTree::run_until_done(const Tops* only) {
  OperationRequest operation;
  operation.kind = model::TransactionKind::kAutoRollback;
  operation.backup_kind = model::BackupKind::kPreRollback;
  operation.checks = CheckPolicy::kHashesOnly;
  operation.asked_for = begun_.from_version;
  operation.open = [&](const store::Snapshot& snapshot) -> Result<Subject> {
    RETURN_IF_ERROR(refuse_unreadable(snapshot));
    return Subject{.tree = begun_.tree, .to_version = begun_.from_version, .touches = {}};
  };
  operation.propose = [&](const Present& present) -> Result<Proposal> {
    RETURN_IF_ERROR(refuse_unreadable(present.snapshot));
    return propose(present, only);
  };
  const model::Config& config = session_.config();
  Clock& clock = session_.environment().clock;
  const int64_t delay_ms =
      config.integer("recovery.recovery_retry_delay_seconds") * kMillisPerSecond;
  const int64_t give_up_ns =
      clock.monotonic_ns() +
      config.integer("update.auto_rollback_timeout_seconds") * kNanosPerSecond;
  for (int64_t left = config.integer("recovery.max_recovery_attempts");; --left) {
    auto back = run_operation(session_, operation);
    const bool may_pass = back && back->outcome == Outcome::kRolledBack &&
                          back->failure->code != ErrorCode::kInterrupted;
    if (!may_pass || left <= 1 || session_.environment().interrupted()) return back;
    constexpr int64_t kNanosPerMilli = 1'000'000;
    if (clock.monotonic_ns() + delay_ms * kNanosPerMilli >= give_up_ns) return back;
    clock.sleep_ms(delay_ms);
  }
}

Result<OperationResult> OldTree::bring_back() {
  ASSIGN_OR_RETURN(OperationResult back, run_until_done(nullptr));
  if (back.outcome == Outcome::kRolledBack) back.files.clear();  // nothing became of it
  if (back.outcome != Outcome::kDone && back.outcome != Outcome::kNothingToDo) return back;
  if (const Tops links = relinked_; !links.empty()) {
    auto behind = bring_back_behind(links);
    if (behind && behind->outcome == Outcome::kRollbackFailed) return behind;
    if (behind && behind->failure) {
      back.failure = std::move(behind->failure);
    } else if (behind) {
      std::ranges::move(behind->files, std::back_inserter(back.files));
    } else {
      back.failure = std::move(behind).error();
    }
  }
  if (Status modes = bring_modes_back(); !modes && !back.failure)
    back.failure = std::move(modes).error();
  if (back.failure) back.outcome = Outcome::kRolledBack;
  return back;
}

Result<OperationResult> OldTree::bring_back_behind(const Tops& links) {
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session_.list_tree());
  ASSIGN_OR_RETURN(KnownTree now, hash_tree(session_.fs(), snapshot));
  forget_skipped(now, backup_->manifest());
  const Edits left = differences(now, known_tree(backup_->manifest()));
  const bool is_needed = std::ranges::any_of(left, [&](const auto& edit) {
    return std::ranges::any_of(links,
                               [&](const auto& top) { return lies_at_or_in(edit.first, top); });
  });
  if (!is_needed) return OperationResult();
  return run_until_done(&links);
}

Status OldTree::complete(const model::ChangePlan& committed) {
  Tops links;
  for (const model::Change& change : committed.changes) {
    const Entry* then = backup_->manifest().find(change.logical);
    if (is_top(change.logical) && change.after.kind == ImageKind::kSymlink && then != nullptr &&
        then->via_link == change.after.link_text)
      links.insert(change.logical);
  }
  if (!links.empty()) {
    ASSIGN_OR_RETURN(OperationResult behind, bring_back_behind(links));
    if (behind.failure) return std::move(*behind.failure);
  }
  return bring_modes_back();
}

Result<bool> OldTree::is_back() const {
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session_.list_tree());
  ASSIGN_OR_RETURN(const KnownTree now, hash_tree(session_.fs(), snapshot));
  const TreesWithLinks trees = with_links(snapshot, now, backup_->manifest());
  return differences(trees.now, trees.then).empty();
}

Status OldTree::bring_modes_back() const {
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session_.list_tree());
  for (const Entry& then : backup_->manifest().entries) {
    if (!then.is_stored() || then.type != fs::NodeType::kDirectory) continue;
    const store::TreeEntry* now = snapshot.find(then.path);
    if (now == nullptr || now->state == model::EntryState::kAbsent ||
        now->stat.type != fs::NodeType::kDirectory || now->stat.mode == then.mode)
      continue;
    fs::FileSystem& fs = session_.fs();
    const fs::Fd base = snapshot.directories[now->directory].file.fd();
    ASSIGN_OR_RETURN_WHILE(const fs::File directory,
                           fs::File::open(fs, base, now->beneath, fs::OpenMode::kDirectory),
                           "while putting the mode back of " + then.path.display());
    fs::Attributes attributes;
    attributes.mode = then.mode;
    RETURN_IF_ERROR_WHILE(fs.set_attributes(directory.fd(), attributes),
                          "while putting the mode back of " + then.path.display());
    RETURN_IF_ERROR(fs.sync(directory.fd(), fs::SyncKind::kFull));
  }
  return {};
}

void add_commands(std::vector<FileReport>& files, const std::string& backup_id) {
  if (backup_id.empty()) return;
  for (FileReport& file : files)
    if (file.action != FileAction::kAdd)
      file.command = "stravinsky recovery file " + shell_quote(file.path) + " " + backup_id;
}

}  // namespace stravinsky::engine
