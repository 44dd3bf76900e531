// propose_update: what becomes of every file of a new bundle and of the old one.
//
// By what is known of the installed bundle of the same package (the base):
//   base known     untouched by the user: replaced, or deleted when the new bundle
//                  lacks it; touched by the user only: theirs stays; touched by both:
//                  the lines, or the entries of settings, of both, and where that is
//                  impossible, or where the lines of both do not parse any more, a
//                  conflict; deleted by the user: stays deleted
//   base unknown   a file that equals one of an earlier version in the store is
//                  untouched; any other differs for a reason that nobody knows, and
//                  update.unknown_base decides; nothing is deleted; settings get what
//                  they lack
// In a conflict one side is in force (update.conflict) and the other is set aside in
// the store under its name; no conflict markers are ever made. Exec bits are merged
// like lines; the rest of the mode, and the owner, stay the user's.
#pragma once

#include <memory>

#include "engine/merge_policy.h"
#include "engine/operation.h"
#include "engine/session.h"
#include "store/bundle.h"

namespace stravinsky::engine {

struct UpdateProposal {
  std::shared_ptr<const store::Bundle> bundle;
  model::Scope scope = model::Scope::kUser;
  MergePolicy conflict = MergePolicy::kKeepMine;
  MergePolicy unknown_base = MergePolicy::kTakeTheirs;
  bool is_unknown_base_chosen = false;  // by this very command, not by the configuration
  AskSide ask{};                        // empty: nobody can be asked
};

// kConflict: a decision is needed that nobody made; names every file.
Result<Proposal> propose_update(Session& session, const UpdateProposal& update,
                                const Present& present);

}  // namespace stravinsky::engine
