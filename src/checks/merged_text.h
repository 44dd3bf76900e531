// merge_fault: whether a text that was merged line by line still is a text of its kind.
//
// Lines of both sides can fit together as lines and not as a program: one side took an
// "if" away, the other gave it an "else". Who merged then has a conflict like any other.
//
// What is asked: the parsers of the languages that the file is run with
// (checks/source_parser.h), for .json the reader of JSON, for .md that of front matter.
// A text whose new version is refused as well is no matter of the merge: hooks_check
// speaks of it. Nor is one that no parser could read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "checks/source_judge.h"
#include "model/hook_reference.h"

namespace stravinsky::checks {

struct MergedText {
  std::string_view name;
  std::string_view theirs;  // the new version's
  std::string_view text;    // of both
};

// Why it is none, for people: "line 7: bash does not accept it: ...". references are the
// places that run the file.
std::optional<std::string> merge_fault(const MergedText& merged,
                                       std::span<const model::ReferencedFile> references,
                                       SourceJudge& judge);

}  // namespace stravinsky::checks
