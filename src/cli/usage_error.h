// usage_error: what somebody is told whose command line makes no sense.
//
// CLI11 says what is wrong; we say where, and what was probably meant: the nearest
// command, the group that a word belongs to, the name that other programs have for it.
#pragma once

#include <CLI/CLI.hpp>
#include <span>

#include "cli/exit_code.h"

namespace stravinsky::cli {

// An option or argument that was given as the empty string, which names nothing; a
// default in its place would not be what was asked for. nullptr: there is none.
const CLI::Option* find_empty(const CLI::App& app);

// Tells it, as JSON where --json is among the words, and returns kUsage.
ExitCode usage_error(const CLI::App& top, const CLI::ParseError& error,
                     std::span<char* const> words);

}  // namespace stravinsky::cli
