// Three texts of a file: what both sides started from, mine, theirs.
#include <set>

#include "base/check.h"
#include "base/strings.h"
#include "fuzz_target.h"
#include "model/merge3.h"

using namespace stravinsky;

FUZZ_TARGET(merge_text) {
  const auto texts = fuzz::parts(input, 3);
  const std::string_view base = texts[0];
  const std::string_view mine = texts[1];
  const std::string_view theirs = texts[2];
  // What one side alone changed, or both alike, is never a conflict.
  CHECK(model::merge3(base, base, theirs).text == theirs);
  CHECK(model::merge3(base, mine, base).text == mine);
  CHECK(model::merge3(base, mine, mine).text == mine);
  const model::TextMerge merged = model::merge3(base, mine, theirs);
  CHECK(merged.text.has_value() == merged.why.empty());
  const model::TextMerge mirrored = model::merge3(base, theirs, mine);
  CHECK(mirrored.text == merged.text);
  if (!merged.text) return;
  // No line that neither side has, and no marker of a conflict.
  std::set<std::string_view> known;
  for (const std::string_view text : {mine, theirs})
    for (const std::string_view line : split(text, '\n')) known.insert(line);
  for (const std::string_view line : split(*merged.text, '\n'))
    CHECK(line.empty() || known.contains(line));
  // Done again it changes nothing.
  CHECK(model::merge3(base, *merged.text, theirs).text == merged.text);
}
