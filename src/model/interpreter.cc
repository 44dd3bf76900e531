#include "model/interpreter.h"

#include <algorithm>
#include <iterator>

namespace stravinsky::model {
namespace {

bool is_python(std::string_view name) {
  if (!name.starts_with("python")) return false;
  name.remove_prefix(6);
  return name.empty() ||
         (name[0] == '3' && name.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool is_python2(std::string_view name) {
  return name.starts_with("python2") &&
         name.find_first_not_of("0123456789.", 6) == std::string_view::npos;
}

}  // namespace

const Grammar* find_grammar(std::string_view name) {
  static const Grammar kGrammars[] = {
      {"python3", Interpreter::kPython, "cm", {}, {"-W", "-X", "--check-hash-based-pycs"}},
      // Its sources are another language, of which no parser is at hand.
      {"python2", Interpreter::kOther, "cm", {}, {"-W", "-Q"}},
      {"node",
       Interpreter::kNode,
       "ep",
       {"--eval", "--print"},
       {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"}},
      {"bash", Interpreter::kBash, "cs", {}, {"-o", "-O", "+o", "+O", "--rcfile", "--init-file"}},
      {"sh", Interpreter::kSh, "cs", {}, {"-o", "+o"}},
      {"dash", Interpreter::kSh, "cs", {}, {"-o", "+o"}},
      {"zsh", Interpreter::kOther, "cs", {}, {"-o", "+o"}},
      {"ksh", Interpreter::kOther, "cs", {}, {"-o", "+o"}},
      {"fish", Interpreter::kOther, "cC", {"--command"}, {}},
      {"ruby", Interpreter::kOther, "e", {}, {"-r", "-I"}},
      {"perl", Interpreter::kOther, "eE", {}, {"-I"}},
      {"php", Interpreter::kOther, "r", {}, {"-d", "-c"}},
      {"pwsh", Interpreter::kOther, "", {"-Command", "-c"}, {"-ExecutionPolicy"}},
      {"jq",
       Interpreter::kOther,
       "",
       {},
       {"--arg", "--argjson", "--slurpfile", "--rawfile", "--indent", "-L"},
       {"-f", "--from-file"}},
      {"awk", Interpreter::kOther, "", {}, {"-F", "-v"}, {"-f"}},
      {"sed", Interpreter::kOther, "", {}, {"-e"}, {"-f"}},
      {"osascript", Interpreter::kOther, "e", {}, {"-l"}},
      {"bun", Interpreter::kOther, "ep", {"--eval", "--print"}, {"-r", "--preload", "--cwd"}},
      {"deno", Interpreter::kOther, "", {}, {"-c", "--config", "--import-map"}},
      {"tsx", Interpreter::kOther, "ep", {"--eval"}, {"--tsconfig"}},
      {"ts-node", Interpreter::kOther, "ep", {"--eval"}, {"-P", "--project"}},
  };
  if (is_python(name)) name = "python3";
  if (is_python2(name)) name = "python2";
  if (name == "nodejs") name = "node";
  if (name == "gawk" || name == "mawk") name = "awk";
  if (name == "gsed") name = "sed";
  const auto* found = std::ranges::find(kGrammars, name, &Grammar::name);
  return found == std::end(kGrammars) ? nullptr : found;
}

const Wrapper* find_wrapper(std::string_view name) {
  static const Wrapper kWrappers[] = {
      {"exec", {"-a"}},
      {"command", {}},
      {"builtin", {}},
      {"nohup", {}},
      {"time", {"-f", "-o"}},
      {"env", {"-u", "--unset", "-C", "--chdir"}},
      {"setsid", {}},
      {"nice", {"-n"}},
      {"sudo", {"-u", "-g"}},
      {"timeout", {"-s", "-k", "--signal", "--kill-after"}},
      {"doas", {"-u", "-C"}},
      {"stdbuf", {"-i", "-o", "-e", "--input", "--output", "--error"}},
      {"ionice", {"-c", "-n", "--class", "--classdata"}},
      {"chronic", {}},
      {"unbuffer", {}},
      {"caffeinate", {"-t"}},
      {"xargs", {"-I", "-n", "-P", "-L", "-d", "-E", "-s", "-a"}},
      {"npx", {"-p", "--package", "-w", "--workspace"}},
      {"bunx", {}}};
  const auto* found = std::ranges::find(kWrappers, name, &Wrapper::name);
  return found == std::end(kWrappers) ? nullptr : found;
}

}  // namespace stravinsky::model
