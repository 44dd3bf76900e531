#include "checks/source_judge.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"

namespace stravinsky::checks {
namespace {

// The name tells a parser the kind of the source, so it belongs to what was asked.
codec::Digest digest_of(const Source& source) {
  codec::Sha256 hash;
  hash.update(as_byte_span(source.name));
  hash.update(as_byte_span(std::string_view("\0", 1)));
  hash.update(as_byte_span(source.text));
  return hash.finish();
}

bool is_final(const SyntaxVerdict& verdict) {
  return verdict.outcome != SyntaxVerdict::Outcome::kNotRead;
}

std::vector<std::string> find_missing(const std::set<std::string>& programs, ProcessRunner& runner,
                                      int64_t timeout_ms) {
  ProcessRequest request{
      .argv = {"sh", "-c", "for p in \"$@\"; do command -v \"$p\" >/dev/null || echo \"$p\"; done",
               "sh"},
      .input = {},
      .timeout_ms = timeout_ms,
      .environment = {}};
  request.argv.insert(request.argv.end(), programs.begin(), programs.end());
  const auto result = runner.run(request);
  std::vector<std::string> missing;
  if (!result || result->exit_code != 0) return missing;
  for (const std::string_view program : split(result->output, '\n'))
    if (!program.empty()) missing.emplace_back(program);
  return missing;
}

}  // namespace

bool SourceJudge::was_accepted(const SourceParser& parser, const Source& source) const {
  return memory_ != nullptr && memory_->contains(parser, digest_of(source));
}

void SourceJudge::expect(const SourceParser& parser, std::span<const Source> sources) {
  std::vector<Batch>& batches = started_[parser];
  Batch batch;
  std::vector<Source> unknown;
  for (const Source& source : sources) {
    Key key{parser, digest_of(source)};
    const bool is_started = std::ranges::any_of(batches, [&](const Batch& started) {
      return std::ranges::find(started.keys, key) != started.keys.end();
    });
    if (is_started || known_.contains(key) ||
        std::ranges::find(batch.keys, key) != batch.keys.end())
      continue;
    batch.keys.push_back(std::move(key));
    unknown.push_back(source);
  }
  if (unknown.empty()) return;
  batch.verdicts = start_work(
      where_, [parser, unknown = std::move(unknown), &runner = runner_, timeout_ms = timeout_ms_] {
        return parse_sources(parser, unknown, runner, timeout_ms);
      });
  batches.push_back(std::move(batch));
}

void SourceJudge::collect(const SourceParser& parser) {
  for (Batch& batch : started_[parser]) {
    const std::vector<SyntaxVerdict> verdicts = batch.verdicts.get();
    for (size_t i = 0; i < verdicts.size(); ++i) {
      known_[batch.keys[i]] = verdicts[i];
      if (memory_ != nullptr && verdicts[i].outcome == SyntaxVerdict::Outcome::kAccepted)
        memory_->add(parser, batch.keys[i].second);
    }
  }
  started_[parser].clear();
}

std::vector<SyntaxVerdict> SourceJudge::verdicts(const SourceParser& parser,
                                                 std::span<const Source> sources) {
  expect(parser, sources);
  collect(parser);
  std::vector<SyntaxVerdict> verdicts;
  for (const Source& source : sources)
    verdicts.push_back(known_.at(Key{parser, digest_of(source)}));
  std::erase_if(known_, [](const auto& entry) { return !is_final(entry.second); });
  return verdicts;
}

void SourceJudge::expect_programs(const std::set<std::string>& programs) {
  const auto is_same = [&](const Question& question) { return question.programs == programs; };
  if (programs.empty() || known_missing_.contains(programs) || std::ranges::any_of(asked_, is_same))
    return;
  asked_.push_back(
      {programs, start_work(where_, [programs, &runner = runner_, timeout_ms = timeout_ms_] {
         return find_missing(programs, runner, timeout_ms);
       })});
}

std::vector<std::string> SourceJudge::missing_programs(const std::set<std::string>& programs) {
  expect_programs(programs);
  for (Question& question : asked_) known_missing_[question.programs] = question.missing.get();
  asked_.clear();
  return programs.empty() ? std::vector<std::string>() : known_missing_.at(programs);
}

}  // namespace stravinsky::checks
