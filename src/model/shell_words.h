// Splits a shell command line into its simple commands, without running anything.
//
// Enough of the POSIX shell (2.2 quoting, 2.3 tokens, 2.6.1 and 2.6.2 tilde and
// parameters) to find the program and the arguments of the commands people put
// into settings. What only a running shell could know - substitutions, patterns,
// unknown variables - makes a word undecided, never an error. The commands of a
// substitution are told beside the word: they run as well.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stravinsky::model {

struct ShellWord {
  std::string text;     // quotes removed, known variables expanded
  bool decided = true;  // false: text is only a part of what a shell would make of it
  std::vector<std::string> substitutions{};  // what stands in $(...) and `...`
};

// One simple command: words without redirections. Separators, pipes and brackets
// are not kept; reserved words ("if", "then") stand as words.
using ShellCommand = std::vector<ShellWord>;

using ShellVariables = std::map<std::string, std::string, std::less<>>;

// known also gives "~" by HOME. A here-document ends what is read.
std::vector<ShellCommand> split_shell(std::string_view text, const ShellVariables& known);

}  // namespace stravinsky::model
