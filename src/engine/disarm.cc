#include "engine/disarm.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/strings.h"
#include "engine/history.h"
#include "engine/inverse.h"
#include "engine/operation.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "engine/resume.h"
#include "engine/unreadable.h"
#include "model/json_edit.h"
#include "model/json_path.h"
#include "txn/archive.h"
#include "txn/before_images.h"
#include "txn/journal.h"

namespace stravinsky::engine {
namespace {

using model::Image;
using model::ImageKind;
using model::LogicalPath;
using model::TransactionKind;

constexpr std::string_view kHooksKey = "hooks";

Edit edit_with_text(const Image& now, std::string text) {
  Edit edit{.after = now, .bytes = {}};
  edit.after.size_bytes = text.size();
  edit.after.sha256 = codec::sha256(text);
  edit.bytes = [bytes = std::move(text)](const codec::Sink& sink) {
    return sink(as_byte_span(bytes));
  };
  return edit;
}

// Without any member of that name, duplicates included; nullopt when it has none.
std::optional<std::string> without_hooks(const model::JsonText& settings) {
  model::JsonEdit edit(settings, settings);
  if (settings.kind(model::JsonIndex::kRoot) != model::JsonKind::kObject) return std::nullopt;
  for (const model::JsonIndex member : settings.children(model::JsonIndex::kRoot))
    if (settings.key(member) == kHooksKey) edit.remove(model::JsonIndex::kRoot, member);
  const auto edited = edit.apply();
  return edited.is_changed ? std::optional(edited.text) : std::nullopt;
}

bool is_settings_file(const LogicalPath& path) {
  const model::Component* component = model::component_of(path.path);
  return component != nullptr && component->name.starts_with("settings");
}

// Settings that Claude Code may read and we may not would keep their hooks.
Status refuse_hidden_settings(const store::Snapshot& snapshot) {
  for (const store::Omission& omission : snapshot.omissions) {
    if (!is_settings_file(omission.path)) continue;
    if (omission.reason == store::OmissionReason::kOutsideLink)
      return make_error(ErrorCode::kConflict,
                        "is a link to " + escape(omission.leads_to) +
                            ", outside the home and the project, so its hooks are still on",
                        omission.path.display())
          .with_untouched("Nothing was changed.")
          .with_remedy("Write through it: add --follow-outside-links.");
    if (omission.reason == store::OmissionReason::kUnreadable)
      return unreadable(omission.path.display());
  }
  return {};
}

Result<Proposal> propose_disarmed(Session& session, const Present& present) {
  RETURN_IF_ERROR(refuse_hidden_settings(present.snapshot));
  Proposal proposal;
  proposal.to_version = present.state.version;
  proposal.to_bundle = present.state.bundle;
  for (const auto& [path, now] : present.known) {
    if (!is_settings_file(path) || now.kind != ImageKind::kFile) continue;
    ASSIGN_OR_RETURN(const auto text, read_managed_text(session.fs(), present.snapshot, path));
    if (!text) continue;
    const auto settings = model::JsonText::parse(*text);
    if (!settings) {
      proposal.edits.emplace(path, Edit{});
      proposal.files.push_back(file_report(FileAction::kDelete, path, now, Image(),
                                           "is no JSON, so it is taken away as a whole; the "
                                           "backup just taken has it"));
      continue;
    }
    auto disarmed = without_hooks(*settings);
    if (!disarmed) continue;
    Edit edit = edit_with_text(now, std::move(*disarmed));
    proposal.files.push_back(
        file_report(FileAction::kChange, path, now, edit.after, "hooks taken out"));
    proposal.edits.emplace(path, std::move(edit));
  }
  return proposal;
}

// The record of a disarming, open.
struct Disarming {
  fs::File dir;
  txn::JournalContent journal;
};

Error nothing_disarmed() {
  return make_error(ErrorCode::kNotFound, "the hooks are not disarmed")
      .with_untouched("Nothing was changed.")
      .with_remedy("See where things stand: stravinsky status");
}

// The last one in these trees that neither undo nor arm took back.
Result<std::shared_ptr<Disarming>> last_disarming(Session& session) {
  ASSIGN_OR_RETURN(auto committed, committed_transactions(session.fs(), session.store().fd()));
  std::set<std::string> inverted;
  std::string elsewhere;
  for (auto at = committed.rbegin(); at != committed.rend(); ++at) {
    const model::TransactionFacts& facts = at->plan.facts;
    if (inverted.contains(facts.id)) continue;
    if (!is_here(session.roots(), at->plan)) {
      if (facts.kind == TransactionKind::kDisarm && elsewhere.empty())
        elsewhere = facts.project_root.empty() ? facts.user_root : facts.project_root;
      if (!facts.inverts.empty()) inverted.insert(facts.inverts);
      continue;
    }
    // What inverts an inverse makes the first one count again.
    if (!facts.inverts.empty()) inverted.insert(facts.inverts);
    if (facts.kind != TransactionKind::kDisarm) continue;
    auto disarming = std::make_shared<Disarming>();
    ASSIGN_OR_RETURN(disarming->dir, txn::open_transaction(session.fs(), session.store().fd(),
                                                           txn::Shelf::kDone, facts.id));
    disarming->journal = std::move(*at);
    return disarming;
  }
  if (!elsewhere.empty())
    return make_error(ErrorCode::kNotFound,
                      "the hooks here are not disarmed, but those of another tree are",
                      escape(elsewhere))
        .with_untouched("Nothing was changed.")
        .with_remedy(
            "Run it where they were disarmed: in that directory, or with --project, or "
            "with the same CLAUDE_CONFIG_DIR.");
  return nothing_disarmed();
}

class Arming {
 public:
  Arming(Session& session, std::shared_ptr<Disarming> disarming, const Present& present)
      : session_(session),
        disarming_(std::move(disarming)),
        places_(std::make_shared<const txn::BeforePlaces>(disarming_->journal.plan)),
        present_(present) {}

  Result<Proposal> propose() {
    const model::ChangePlan& plan = disarming_->journal.plan;
    proposal_.to_version = present_.state.version;
    proposal_.to_bundle = present_.state.bundle;
    proposal_.inverts = plan.facts.id;
    Edits edits = inverse_edits(plan, before_bytes());
    for (const PathChange& one : path_changes(plan)) {
      auto edit = edits.extract(one.path);
      RETURN_IF_ERROR(arm_again(one, std::move(edit.mapped())));
    }
    return std::move(proposal_);
  }

 private:
  BeforeBytes before_bytes() const {
    return [disarming = disarming_, places = places_, &fs = session_.fs()](
               size_t change, const std::string& inner_path, const codec::Sink& sink) {
      return txn::read_before_image(fs, disarming->dir.fd(), *places, change, inner_path, sink);
    };
  }

  Status arm_again(const PathChange& one, Edit before) {
    const auto known = present_.known.find(one.path);
    const Image now = known == present_.known.end() ? Image() : known->second;
    if (now.same_as(one.before)) return {};
    if (now.same_as(one.after)) {
      proposal_.files.push_back(
          file_report(now.is_absent() ? FileAction::kAdd : FileAction::kChange, one.path, now,
                      one.before, "hooks put back"));
      proposal_.edits.emplace(one.path, std::move(before));
      return {};
    }
    ASSIGN_OR_RETURN(auto text, with_hooks_of(one, now, before));
    if (!text) {
      proposal_.files.push_back(
          file_report(FileAction::kKeepMine, one.path, now, now,
                      "changed since, and hooks cannot be put back into it: yours stays; the "
                      "old one is in backup " +
                          disarming_->journal.plan.facts.backup_id));
      return {};
    }
    Edit edit = edit_with_text(now, std::move(*text));
    proposal_.files.push_back(file_report(FileAction::kMerge, one.path, now, edit.after,
                                          "changed since; hooks put back into it"));
    proposal_.edits.emplace(one.path, std::move(edit));
    return {};
  }

  // The present text with the hooks of the old one; nullopt where that cannot be done.
  Result<std::optional<std::string>> with_hooks_of(const PathChange& one, const Image& now,
                                                   const Edit& before) {
    std::optional<std::string> nothing;
    if (now.kind != ImageKind::kFile || one.before.kind != ImageKind::kFile) return nothing;
    ASSIGN_OR_RETURN(const auto text,
                     read_managed_text(session_.fs(), present_.snapshot, one.path));
    std::string old_text;
    RETURN_IF_ERROR(before.bytes([&](std::span<const std::byte> piece) -> Status {
      old_text += as_text(piece);
      return {};
    }));
    if (!text) return nothing;
    const auto mine = model::JsonText::parse(*text);
    const auto theirs = model::JsonText::parse(old_text);
    if (!mine || !theirs || value_at(*mine, kHooksKey) != model::JsonIndex::kNone ||
        value_at(*theirs, kHooksKey) == model::JsonIndex::kNone)
      return nothing;
    return with_value_of(*mine, *theirs, kHooksKey);
  }

  Session& session_;
  std::shared_ptr<Disarming> disarming_;
  std::shared_ptr<const txn::BeforePlaces> places_;
  const Present& present_;
  Proposal proposal_;
};

OperationRequest settings_operation(TransactionKind kind) {
  OperationRequest operation;
  operation.kind = kind;
  operation.backup_kind = model::BackupKind::kPreRecovery;
  operation.checks = CheckPolicy::kHashesOnly;
  return operation;
}

Result<Subject> present_subject(Session& session) {
  const std::string& root = session.roots().user.path;
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  return Subject{.tree = root, .to_version = latest.at(root).version, .touches = {}};
}

}  // namespace

Result<OperationResult> disarm(Session& session) {
  // Whom a hook blocks cannot wait for an interrupted operation that nothing can recover.
  Status begun = session.begin_writing();
  if (!begun && begun.error().code != ErrorCode::kRecoveryRequired) return std::move(begun).error();
  if (!begun) {
    ASSIGN_OR_RETURN(const auto ids, set_aside_what_is_open(session));
    if (session.request().on_warning)
      for (const std::string& id : ids)
        session.request().on_warning("transaction " + id +
                                     " could not be recovered and stands aside; see it with: "
                                     "stravinsky recovery resume");
  }
  OperationRequest operation = settings_operation(TransactionKind::kDisarm);
  operation.open = [&](const store::Snapshot&) { return present_subject(session); };
  operation.propose = [&](const Present& present) { return propose_disarmed(session, present); };
  // The day on which a hook blocks everything may be the day on which the disk is full.
  operation.on_backup_failure = OnBackupFailure::kGoOn;
  return run_operation(session, operation);
}

bool is_disarmed(Session& session) {
  return session.has_store() && last_disarming(session).has_value();
}

Result<OperationResult> arm(Session& session) {
  if (!session.has_store()) return nothing_disarmed();
  std::shared_ptr<Disarming> disarming;
  OperationRequest operation = settings_operation(TransactionKind::kArm);
  operation.open = [&](const store::Snapshot&) -> Result<Subject> {
    ASSIGN_OR_RETURN(disarming, last_disarming(session));
    return present_subject(session);
  };
  operation.propose = [&](const Present& present) {
    return Arming(session, disarming, present).propose();
  };
  return run_operation(session, operation);
}

}  // namespace stravinsky::engine
