#include "checks/merged_text.h"

#include <set>

#include "base/strings.h"
#include "checks/front_matter.h"
#include "checks/source_parser.h"
#include "model/json_text.h"

namespace stravinsky::checks {
namespace {

using Fault = std::optional<std::string>;

std::string at_line(int line, const std::string& message) {
  return line > 0 ? "line " + std::to_string(line) + ": " + message : message;
}

Fault json_fault(std::string_view text) {
  const auto json = model::JsonText::parse(text);
  return json ? Fault() : "it is no JSON: " + json.error().to_string();
}

Fault front_matter_fault(std::string_view text) {
  const FrontMatter front = read_front_matter(text);
  if (!front.fault) return std::nullopt;
  return at_line(front.fault->line, "its front matter cannot be read: " + front.fault->rule);
}

Fault source_fault(const SourceParser& parser, const Source& source, SourceJudge& judge) {
  const SyntaxVerdict verdict = judge.verdicts(parser, {&source, 1}).front();
  if (verdict.outcome != SyntaxVerdict::Outcome::kRefused) return std::nullopt;
  return at_line(verdict.line, parser.program + " does not accept it: " + escape(verdict.message));
}

std::set<SourceParser> parsers_of(const MergedText& merged,
                                  std::span<const model::ReferencedFile> references) {
  std::set<SourceParser> parsers;
  for (const model::ReferencedFile& reference : references)
    if (auto parser = parser_of(reference, merged.name, merged.text))
      parsers.insert(std::move(*parser));
  if (auto parser = parser_of(merged.name, merged.text); parser && parsers.empty())
    parsers.insert(std::move(*parser));
  return parsers;
}

// The fault of the merged text, unless the new version's has one, too.
template <typename Read>
Fault of_the_merge(const MergedText& merged, const Read& read) {
  const Fault fault = read(merged.text);
  return fault && !read(merged.theirs) ? fault : std::nullopt;
}

}  // namespace

std::optional<std::string> merge_fault(const MergedText& merged,
                                       std::span<const model::ReferencedFile> references,
                                       SourceJudge& judge) {
  if (merged.name.ends_with(".json")) return of_the_merge(merged, json_fault);
  if (merged.name.ends_with(".md")) return of_the_merge(merged, front_matter_fault);
  for (const SourceParser& parser : parsers_of(merged, references)) {
    const auto fault = of_the_merge(merged, [&](std::string_view text) {
      const Source source{std::string(merged.name), std::string(text)};
      return source_fault(parser, source, judge);
    });
    if (fault) return fault;
  }
  return std::nullopt;
}

}  // namespace stravinsky::checks
