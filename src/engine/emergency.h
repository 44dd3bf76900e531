// emergency: back to the newest backup that is whole, whatever else is broken.
//
// Needs neither the present tree, nor the configuration, nor the audit log, nor the
// newest backup to be good. Every candidate is read as a whole first; nothing is ever
// deleted: what is damaged goes to quarantine/ once the tree is back, unless it may still
// hold what nothing else does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/operation_result.h"
#include "engine/session.h"

namespace stravinsky::engine {

enum class CandidateState {
  kIntact,
  kAsNow,      // intact, and the tree is just that already
  kDamaged,    // some of it can be had
  kUnreadable  // its manifest cannot be believed
};
std::string_view candidate_state_name(CandidateState state);  // "intact", "as_now", ...

struct Candidate {
  std::string id;
  std::string version{};  // as displayed; empty when nobody knows
  int64_t time_ns = 0;
  CandidateState state = CandidateState::kIntact;
  bool of_a_way_back = false;  // taken before one: mostly what was broken
  std::vector<std::string> problems{};
};

struct EmergencyRequest {
  // A backup's id; empty: the newest that is intact and not as now, those that were taken
  // before a way back behind all others; the next one where the tree does not take one.
  std::string pick{};
  std::string reason{};  // for the record
};

struct EmergencyResult {
  std::vector<Candidate> candidates;  // of this tree, the newest first
  std::string chosen;                 // empty when none is intact
  std::optional<OperationResult> restored;
  // None was intact: what damaged ones still hold was brought back.
  bool is_salvage = false;
  std::vector<std::string> missing;  // paths of which no right bytes are left
  std::vector<std::string> quarantined;
  std::vector<std::string> warnings;
  // What to do by hand, when nothing, or not all of it, could be brought back; absolute.
  std::string guide;
  std::string guide_text;  // what is written there

  // Everything that the chosen backup recorded is in place.
  bool is_whole() const { return restored && missing.empty() && guide.empty(); }
};

// kNotFound: there is no store, or no backup that was picked. kCorrupt: what was picked is
// not intact. A dry run looks and changes nothing.
Result<EmergencyResult> emergency(Session& session, const EmergencyRequest& request);

}  // namespace stravinsky::engine
