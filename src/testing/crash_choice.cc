#include "testing/crash_choice.h"

#include <array>
#include <string_view>

namespace stravinsky::testing {
namespace {

constexpr std::array kFates = {DataFate::kNone, DataFate::kAll, DataFate::kTorn, DataFate::kNul};

std::string_view fate_name(DataFate fate) {
  switch (fate) {
    case DataFate::kNone:
      return "none";
    case DataFate::kAll:
      return "all";
    case DataFate::kTorn:
      return "torn";
    case DataFate::kNul:
      return "nul";
    case DataFate::kMixed:
      return "mixed";
  }
  return "none";
}

class Choices {
 public:
  explicit Choices(DirtyData dirty) : dirty_(dirty) {}

  void add_every_fate(const std::vector<bool>& kept) {
    for (const DataFate fate : kFates) add(kept, fate, 0);
  }
  // The old contents and, in turn, one of the other fates.
  void add_two_fates(const std::vector<bool>& kept) {
    add(kept, DataFate::kNone, 0);
    add(kept, kFates[1 + turn_++ % (kFates.size() - 1)], 0);
  }
  void add(const std::vector<bool>& kept, DataFate fate, uint64_t seed) {
    if (dirty_ == DirtyData::kAbsent && fate == DataFate::kMixed) fate = DataFate::kNone;
    if (dirty_ == DirtyData::kAbsent && fate != DataFate::kNone) return;
    choices_.push_back({.kept = kept, .data = fate, .seed = seed});
  }
  size_t size() const { return choices_.size(); }
  std::vector<CrashChoice> take() { return std::move(choices_); }

 private:
  DirtyData dirty_;
  size_t turn_ = 0;
  std::vector<CrashChoice> choices_;
};

void add_every_subset(size_t pending_count, Choices& choices) {
  for (uint64_t bits = 0; bits < (uint64_t{1} << pending_count); ++bits) {
    std::vector<bool> kept(pending_count);
    for (size_t i = 0; i < pending_count; ++i) kept[i] = ((bits >> i) & 1U) != 0;
    choices.add_every_fate(kept);
  }
}

void add_regular(size_t pending_count, Choices& choices) {
  const std::vector<bool> none(pending_count, false);
  const std::vector<bool> all(pending_count, true);
  choices.add_every_fate(none);
  choices.add_every_fate(all);
  std::vector<bool> prefix = none;
  for (size_t i = 0; i < pending_count; ++i) {
    std::vector<bool> one_missing = all;
    one_missing[i] = false;
    choices.add_two_fates(one_missing);
    std::vector<bool> one_alone = none;
    one_alone[i] = true;
    choices.add_two_fates(one_alone);
    prefix[i] = true;
    choices.add_two_fates(prefix);
  }
}

}  // namespace

std::string CrashChoice::to_string() const {
  std::string text = "kept ";
  for (const bool bit : kept) text += bit ? '1' : '0';
  if (kept.empty()) text += "-";
  text += ", data " + std::string(fate_name(data));
  if (data == DataFate::kMixed) text += " by seed " + std::to_string(seed);
  return text;
}

std::vector<CrashChoice> crash_choices(size_t pending_count, DirtyData dirty, size_t limit,
                                       Random& random) {
  Choices choices(dirty);
  if (pending_count < 20 && (size_t{1} << pending_count) <= limit) {
    add_every_subset(pending_count, choices);
    return choices.take();
  }
  add_regular(pending_count, choices);
  while (choices.size() < limit) {
    std::vector<bool> kept(pending_count);
    for (size_t i = 0; i < pending_count; ++i) kept[i] = (draw(random) & 1U) != 0;
    choices.add(kept, DataFate::kMixed, draw(random));
  }
  return choices.take();
}

uint64_t draw(Random& random) {
  std::array<std::byte, sizeof(uint64_t)> bytes{};
  random.fill(bytes);
  uint64_t number = 0;
  for (const std::byte byte : bytes) number = (number << 8U) | std::to_integer<uint64_t>(byte);
  return number;
}

}  // namespace stravinsky::testing
