// A planted defect, to be found within a bounded number of runs, from no seed and the
// words of json.dict: were it not found, the fuzzer could not fail, and what it says of
// the other targets would be worth nothing. scripts/fuzz runs it first.
//
// It is a read behind the end of an allocation for an object with a member, so it takes
// the coverage of the JSON reader to get there and AddressSanitizer to see it.
#include <memory>

#include "fuzz_target.h"
#include "model/json_text.h"

using stravinsky::model::JsonIndex;
using stravinsky::model::JsonKind;

FUZZ_TARGET(canary) {
  const auto json = stravinsky::model::JsonText::parse(input);
  if (!json || json->kind(JsonIndex::kRoot) != JsonKind::kObject) return;
  if (json->children(JsonIndex::kRoot).empty()) return;
  const auto planted = std::make_unique<char[]>(1);
  const volatile char* end = planted.get() + 1;
  [[maybe_unused]] const char read = *end;
}
