// Three settings files: the installed version's, mine, theirs.
#include "base/check.h"
#include "fuzz_target.h"
#include "model/json_text.h"
#include "model/settings_merge.h"

using namespace stravinsky;

namespace {

std::string canonical(std::string_view text) {
  const auto json = model::JsonText::parse(text);
  CHECK(json.has_value());
  return json->canonical(model::JsonIndex::kRoot);
}

void check_merge(const model::SettingsMerge& merge) {
  CHECK(model::JsonText::parse(merge.text).has_value());
  size_t at = 0;
  for (const model::ByteSpan& span : merge.inserted) {
    CHECK(span.begin >= at && span.end >= span.begin && span.end <= merge.text.size());
    at = span.end;
  }
}

}  // namespace

FUZZ_TARGET(merge_settings) {
  const auto texts = fuzz::parts(input, 3);
  const std::string_view base = texts[0];
  const std::string_view mine = texts[1];
  const std::string_view theirs = texts[2];
  for (const model::Side in_force : {model::Side::kMine, model::Side::kTheirs}) {
    const auto merged = model::merge_settings(base, mine, theirs, in_force);
    if (!merged) {
      CHECK(merged.error().code == ErrorCode::kConflict ||
            merged.error().code == ErrorCode::kChecksRefused);
      continue;
    }
    check_merge(*merged);
    // Done again it changes nothing, and asks nothing when theirs won.
    const auto again = model::merge_settings(theirs, merged->text, theirs, in_force);
    CHECK(again && again->text == merged->text && again->conflicts.empty());
    // What only one side changed is no conflict.
    const auto untouched = model::merge_settings(theirs, mine, theirs, in_force);
    CHECK(untouched && untouched->text == mine && untouched->conflicts.empty());
  }
  const auto taken = model::merge_settings(mine, mine, theirs, model::Side::kMine);
  if (taken) {
    check_merge(*taken);
    CHECK(taken->conflicts.empty());
  }
  const auto added = model::merge_settings_additive(mine, theirs);
  if (!added) return;
  check_merge(*added);
  const auto again = model::merge_settings_additive(added->text, theirs);
  CHECK(again && again->text == added->text);
  // An addition that adds nothing leaves every byte.
  CHECK(!added->added.empty() || canonical(added->text) == canonical(mine));
}
