// MergePolicy: who decides where the user and a new version both changed something.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/merge3.h"

namespace stravinsky::engine {

enum class MergePolicy {
  kKeepMine,    // the user's stays, the new one is kept in the store
  kTakeTheirs,  // the new one is put in place, the user's is kept in the store
  kAsk,         // the user is asked; where nobody can be, as kFail
  kFail,        // nothing is changed at all
};

std::string_view merge_policy_name(MergePolicy policy);  // "keep-mine"
std::optional<MergePolicy> parse_merge_policy(std::string_view name);

// What is asked: about which file, and why there is a question.
struct MergeQuestion {
  std::string path;  // "~/.claude/hooks/x.py"
  std::string why;
};
using AskSide = std::function<Result<model::Side>(const MergeQuestion&)>;

}  // namespace stravinsky::engine
