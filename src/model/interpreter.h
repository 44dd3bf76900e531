// Interpreter: the programs that run hook files, and how their command lines are read.
#pragma once

#include <initializer_list>
#include <string_view>

namespace stravinsky::model {

enum class Interpreter {
  kDirect,  // the file is run itself: needs the exec bit and a first line
  kPython,  // python, python3, python3.N
  kNode,
  kBash,
  kSh,     // sh, dash
  kUv,     // "uv run": python, of a version that uv chooses
  kOther,  // ruby, bun, zsh, ...
};

using Names = std::initializer_list<std::string_view>;

// How the arguments of an interpreter are read up to the script.
struct Grammar {
  std::string_view name;
  Interpreter interpreter;
  std::string_view code_letters;  // short options after which there is no script
  Names code_options;
  Names argument_options;  // take the next word
  // Those whose next word is the script; where there are any, nothing else is.
  Names script_options{};
};

// nullptr for a program that is no interpreter we know. name is without directories.
const Grammar* find_grammar(std::string_view name);

// Commands that run the command after them, and their options with an argument.
struct Wrapper {
  std::string_view name;
  Names argument_options;

  // Of the shell itself: no program that could be missing.
  bool is_builtin() const { return name == "exec" || name == "command" || name == "builtin"; }
};

const Wrapper* find_wrapper(std::string_view name);

}  // namespace stravinsky::model
