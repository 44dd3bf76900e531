// SourceParser: asks a language's own parser whether it accepts a source.
//
// Sources go in on standard input; nothing is written, nothing is run. One process
// reads all sources of a language (python 10-20 ms, node 40-60 ms to start), but a
// shell reads one script each (2 ms and about 0.3 ms a KB: it reads a pipe byte by
// byte). Only programs of the search path are started, by their bare name: a path
// out of a bundle's settings is never run.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/process_runner.h"
#include "model/hook_reference.h"

namespace stravinsky::checks {

enum class Language { kPython, kShell, kNode };

struct SourceParser {
  Language language = Language::kPython;
  std::string program;  // "python3", "python3.12", "bash", "dash", "node"

  auto operator<=>(const SourceParser&) const = default;
};

// Of a file that a command runs; nullopt when no parser is known. name decides by
// its extension where neither the command nor a first line "#!..." does.
std::optional<SourceParser> parser_of(const model::ReferencedFile& reference, std::string_view name,
                                      std::string_view source);
// The interpreter and its arguments that "#!" names; empty without one.
std::vector<std::string> words_of_first_line(std::string_view source);
// Of a file that nothing is known to run.
std::optional<SourceParser> parser_of(std::string_view name, std::string_view source);

struct Source {
  std::string name;  // its extension tells node scripts from modules
  std::string text;
};

struct SyntaxVerdict {
  enum class Outcome {
    kAccepted,
    kRefused,    // line and message are the parser's
    kNotRead,    // the parser ended or ran out of time before its answer; message says so
    kNoProgram,  // there is no such program, or it does not work at all
  };
  Outcome outcome = Outcome::kAccepted;
  int line = 0;  // 0: unknown
  std::string message;
};

// One verdict a source, in order. timeout_ms is for each process.
std::vector<SyntaxVerdict> parse_sources(const SourceParser& parser,
                                         std::span<const Source> sources, ProcessRunner& runner,
                                         int64_t timeout_ms);

}  // namespace stravinsky::checks
