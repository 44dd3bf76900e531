#include "engine/merge_policy.h"

#include <array>
#include <utility>

namespace stravinsky::engine {
namespace {

constexpr std::array<std::pair<MergePolicy, std::string_view>, 4> kNames = {{
    {MergePolicy::kKeepMine, "keep-mine"},
    {MergePolicy::kTakeTheirs, "take-theirs"},
    {MergePolicy::kAsk, "ask"},
    {MergePolicy::kFail, "fail"},
}};

}  // namespace

std::string_view merge_policy_name(MergePolicy policy) {
  for (const auto& [one, name] : kNames)
    if (one == policy) return name;
  return "";
}

std::optional<MergePolicy> parse_merge_policy(std::string_view name) {
  for (const auto& [one, its_name] : kNames)
    if (its_name == name) return one;
  return std::nullopt;
}

}  // namespace stravinsky::engine
