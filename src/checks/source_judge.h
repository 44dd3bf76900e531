// SourceJudge: what the languages' own parsers say, each source asked once.
//
// Starting a parser takes as long as most of an update (python 10-20 ms, node 40-60 ms,
// and about 0.2 ms a KB), so what will be asked for may be announced: it is read beside
// other work. The checks before and after the files go live ask the same; the second
// time the verdict is known, since the same bytes get the same answer. What ran out of
// time is asked again.
#pragma once

#include <cstdint>
#include <future>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/background.h"
#include "base/process_runner.h"
#include "checks/source_parser.h"
#include "codec/sha256.h"

namespace stravinsky::checks {

// Of earlier runs.
class AcceptedMemory {
 public:
  virtual ~AcceptedMemory() = default;
  virtual bool contains(const SourceParser& parser, const codec::Digest& source) = 0;
  virtual void add(const SourceParser& parser, const codec::Digest& source) = 0;
};

class SourceJudge {
 public:
  // timeout_ms is for each process.
  explicit SourceJudge(ProcessRunner& runner, RunsIn where = RunsIn::kCaller,
                       int64_t timeout_ms = 10'000)
      : runner_(runner), where_(where), timeout_ms_(timeout_ms) {}

  // Until now nothing is remembered of earlier runs.
  void remember_in(AcceptedMemory& memory) { memory_ = &memory; }
  // Whether the parser accepted the source in an earlier run. Good enough for what only
  // warns, not for letting anything in.
  bool was_accepted(const SourceParser& parser, const Source& source) const;

  // Starts on the sources that nobody asked about yet.
  void expect(const SourceParser& parser, std::span<const Source> sources);
  // One verdict a source, in order.
  std::vector<SyntaxVerdict> verdicts(const SourceParser& parser, std::span<const Source> sources);

  // Starts on the question which of the programs (bare names) the search path lacks.
  void expect_programs(const std::set<std::string>& programs);
  // Those of them, ascending; none when it cannot be told.
  std::vector<std::string> missing_programs(const std::set<std::string>& programs);

 private:
  using Key = std::pair<SourceParser, codec::Digest>;
  struct Batch {
    std::vector<Key> keys;
    std::future<std::vector<SyntaxVerdict>> verdicts;
  };
  struct Question {
    std::set<std::string> programs;
    std::future<std::vector<std::string>> missing;
  };

  void collect(const SourceParser& parser);

  ProcessRunner& runner_;
  RunsIn where_;
  int64_t timeout_ms_;
  AcceptedMemory* memory_ = nullptr;
  std::map<Key, SyntaxVerdict> known_;
  std::map<SourceParser, std::vector<Batch>> started_;
  std::map<std::set<std::string>, std::vector<std::string>> known_missing_;
  std::vector<Question> asked_;
};

}  // namespace stravinsky::checks
