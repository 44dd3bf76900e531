// The head of a Markdown file. Lines that are told are lines of the text.
#include <algorithm>

#include "base/check.h"
#include "checks/front_matter.h"
#include "fuzz_target.h"

using namespace stravinsky;

FUZZ_TARGET(front_matter) {
  const checks::FrontMatter read = checks::read_front_matter(input);
  // LF, CRLF and a lone CR end a line.
  const auto lines = 1 + std::ranges::count(input, '\n') + std::ranges::count(input, '\r');
  CHECK(read.is_there || (read.fields.empty() && read.duplicates.empty()));
  for (const auto& [key, field] : read.fields) CHECK(field.line >= 1 && field.line <= lines);
  for (const auto& [key, line] : read.duplicates) {
    CHECK(line >= 1 && line <= lines);
    CHECK(read.find(key) != nullptr);
  }
  for (const auto& fault : {read.fault, read.strict_fault}) {
    if (!fault) continue;
    CHECK(!fault->rule.empty());
    CHECK(fault->line >= 0 && fault->line <= lines);
  }
}
