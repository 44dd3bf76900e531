#include "engine/emergency.h"

#include <algorithm>

#include "base/strings.h"
#include "engine/backups.h"
#include "engine/emergency_guide.h"
#include "engine/out_of_a_backup.h"
#include "engine/present_tree.h"
#include "engine/resume.h"
#include "engine/rollback.h"
#include "engine/salvage.h"

namespace stravinsky::engine {
namespace {

constexpr int kReadThreads = 2;

class Emergency {
 public:
  Emergency(Session& session, const EmergencyRequest& request)
      : session_(session), request_(request) {}

  Result<EmergencyResult> run() {
    RETURN_IF_ERROR(refuse_without_store(session_));
    RETURN_IF_ERROR(take_over());
    RETURN_IF_ERROR(look_at_candidates());
    RETURN_IF_ERROR(choose());
    record_begin();
    Status back = result_.chosen.empty() ? bring_back_what_is_left() : bring_back_chosen();
    if (session_.is_dry_run()) {
      RETURN_IF_ERROR(back);
      return std::move(result_);
    }
    // It failed for another reason than the backups: they stay where they are.
    if (!back && back.error().code != ErrorCode::kNotFound) return std::move(back).error();
    if (!back || !result_.missing.empty()) write_guide();
    move_damaged_away();
    return std::move(result_);
  }

 private:
  // What an earlier process left is recovered, or stands aside if that is impossible.
  Status take_over() {
    Status begun = session_.begin_writing();
    if (begun || begun.error().code == ErrorCode::kLocked ||
        begun.error().code == ErrorCode::kPermission)
      return begun;
    ASSIGN_OR_RETURN(const auto ids, set_aside_what_is_open(session_));
    for (const std::string& id : ids)
      result_.warnings.push_back("transaction " + id + " could not be recovered (" +
                                 begun.error().to_string() +
                                 ") and stands aside in recovery/tx/inconsistent");
    return {};
  }

  Status look_at_candidates() {
    const KnownTree now = tree_now();
    ASSIGN_OR_RETURN(const store::BackupList list, session_.backups().list());
    for (auto at = list.backups.rbegin(); at != list.backups.rend(); ++at) {
      const auto manifest = session_.backups().load_manifest(at->id);
      if (!manifest) {
        add_unreadable(at->id, manifest.error());
        continue;
      }
      if (!is_of_tree_here(session_, *manifest, model::Scope::kUser)) continue;
      Candidate candidate{.id = at->id,
                          .version = manifest->version.display(),
                          .time_ns = manifest->time_ns,
                          .of_a_way_back = is_before_a_way_back(manifest->kind)};
      const auto problems =
          session_.backups().verify(at->id, store::VerifyDepth::kFull, kReadThreads);
      if (!problems) {
        candidate.problems.push_back(problems.error().to_string());
      } else {
        for (const store::BackupProblem& problem : *problems)
          candidate.problems.push_back(store::to_string(problem));
      }
      candidate.state = !candidate.problems.empty()                ? CandidateState::kDamaged
                        : is_same_tree(known_tree(*manifest), now) ? CandidateState::kAsNow
                                                                   : CandidateState::kIntact;
      result_.candidates.push_back(std::move(candidate));
    }
    for (const store::BackupList::Broken& broken : list.broken)
      add_unreadable(broken.id, broken.error);
    return {};
  }

  void add_unreadable(const std::string& id, const Error& error) {
    result_.candidates.push_back(
        {.id = id, .state = CandidateState::kUnreadable, .problems = {error.to_string()}});
  }

  // As far as it can be read: what cannot is as no backup has it.
  KnownTree tree_now() const {
    const auto snapshot = session_.list_tree();
    if (!snapshot) return {};
    auto tree = hash_tree(session_.fs(), *snapshot);
    return tree ? std::move(*tree) : KnownTree();
  }

  Status choose() {
    if (!request_.pick.empty()) {
      const auto picked = std::ranges::find(result_.candidates, request_.pick, &Candidate::id);
      if (picked == result_.candidates.end())
        return make_error(ErrorCode::kNotFound,
                          "there is no backup of this tree with the id " + escape(request_.pick))
            .with_untouched("Nothing was changed.")
            .with_remedy("See the candidates: stravinsky recovery emergency --dry-run");
      if (!picked->problems.empty())
        return make_error(ErrorCode::kCorrupt, "the backup is damaged: " + picked->problems.front(),
                          picked->id)
            .with_untouched("Nothing was changed.")
            .with_remedy(
                "Leave --pick out: the newest intact one is taken, or what the damaged ones still "
                "hold.");
      result_.chosen = picked->id;
      return {};
    }
    for (const bool of_a_way_back : {false, true})
      for (const CandidateState state : {CandidateState::kIntact, CandidateState::kAsNow})
        for (const Candidate& candidate : result_.candidates)
          if (candidate.state == state && candidate.of_a_way_back == of_a_way_back)
            in_order_.push_back(candidate.id);
    if (!in_order_.empty()) result_.chosen = in_order_.front();
    return {};
  }

  void record_begin() {
    if (session_.is_dry_run()) return;
    model::AuditEvent event;
    event.type = model::AuditEventType::kEmergencyRecoveryInitiated;
    event.severity = "critical";
    event.notes = "to " + (result_.chosen.empty() ? "what damaged backups still hold"
                                                  : "backup " + result_.chosen);
    event.error = request_.reason;
    if (const auto latest = session_.latest())
      event.previous_version = latest->at(session_.roots().user.path).version;
    const auto chosen = std::ranges::find(result_.candidates, result_.chosen, &Candidate::id);
    if (chosen != result_.candidates.end()) event.version = chosen->version;
    (void)session_.record(event);  // the log need not be good
  }

  // The next one where the tree does not take this one.
  Status bring_back_chosen() {
    if (in_order_.empty()) in_order_.push_back(result_.chosen);
    Status last;
    for (const std::string& id : in_order_) {
      auto restored =
          rollback_to(session_, {.version_or_id = id, .on_backup_failure = OnBackupFailure::kGoOn});
      if (restored) {
        result_.chosen = id;
        result_.restored = std::move(*restored);
        return note_what_stayed(id);
      }
      const ErrorCode code = restored.error().code;
      const bool is_of_the_tree = code == ErrorCode::kConflict || code == ErrorCode::kWrongType ||
                                  code == ErrorCode::kChanged || code == ErrorCode::kCorrupt;
      if (last || id == in_order_.front()) last = restored.error();
      if (!is_of_the_tree) break;
      result_.warnings.push_back("backup " + id +
                                 " could not be brought back: " + restored.error().to_string());
    }
    return last;
  }

  // What cannot be read stays as it is, and is not as the backup has it.
  Status note_what_stayed(const std::string& id) {
    if (session_.is_dry_run()) return {};
    ASSIGN_OR_RETURN(const model::Manifest manifest, session_.backups().load_manifest(id));
    const auto snapshot = session_.list_tree();
    if (!snapshot) return {};
    for (const model::Entry& entry : manifest.entries)
      if (entry.is_stored() && entry.type != fs::NodeType::kDirectory &&
          is_of_tree_here(session_, manifest, entry.path.scope) &&
          snapshot->is_unreadable(entry.path))
        result_.missing.push_back(entry.path.display());
    return {};
  }

  Status bring_back_what_is_left() {
    std::vector<std::string> damaged;
    for (const Candidate& candidate : result_.candidates)
      if (candidate.state == CandidateState::kDamaged) damaged.push_back(candidate.id);
    ASSIGN_OR_RETURN(Salvaged salvaged, salvage(session_, damaged));
    result_.is_salvage = true;
    result_.restored = std::move(salvaged.result);
    result_.missing = std::move(salvaged.missing);
    return {};
  }

  void write_guide() {
    auto saved = save_emergency_guide(session_, result_);
    if (saved) {
      result_.guide = std::move(*saved);
      result_.guide_text = emergency_guide_text(session_, result_);
    } else {
      result_.warnings.push_back("what to do by hand could not be written down: " +
                                 saved.error().to_string());
    }
  }

  // Not before everything is back that they still held.
  void move_damaged_away() {
    for (const Candidate& candidate : result_.candidates) {
      if (candidate.problems.empty()) continue;
      // Who salvages by hand looks for it under its own name.
      if (result_.is_salvage && candidate.state == CandidateState::kDamaged) continue;
      auto name = quarantine_backup(session_, candidate.id, candidate.problems.front());
      if (name) {
        result_.quarantined.push_back(std::move(*name));
      } else {
        result_.warnings.push_back("the damaged backup " + escape(candidate.id) +
                                   " stays where it is: " + name.error().to_string());
      }
    }
  }

  Session& session_;
  const EmergencyRequest& request_;
  EmergencyResult result_;
  std::vector<std::string> in_order_;  // of those that can be tried
};

}  // namespace

std::string_view candidate_state_name(CandidateState state) {
  switch (state) {
    case CandidateState::kIntact:
      return "intact";
    case CandidateState::kAsNow:
      return "as_now";
    case CandidateState::kDamaged:
      return "damaged";
    case CandidateState::kUnreadable:
      return "unreadable";
  }
  return "damaged";
}

Result<EmergencyResult> emergency(Session& session, const EmergencyRequest& request) {
  Emergency work(session, request);
  return work.run();
}

}  // namespace stravinsky::engine
