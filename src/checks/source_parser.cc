#include "checks/source_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/strings.h"

namespace stravinsky::checks {
namespace {

using model::Interpreter;
using Outcome = SyntaxVerdict::Outcome;

// Both programs read "<kind> <length>\n<bytes>" until the end of their input, say
// "ready", and answer each source with "<line>\t<message>\n": line -1 is accepted,
// 0 refused at no known line, -2 not read.
constexpr std::string_view kPythonProgram = R"(
import sys
data, out = sys.stdin.buffer, sys.stdout.buffer
def say(line, message):
    text = "%d\t%s" % (line, " ".join(str(message).split()))
    out.write(text.encode("utf-8", "backslashreplace") + b"\n")
    out.flush()
out.write(b"ready\n")
while True:
    head = data.readline()
    if not head:
        break
    source = data.read(int(head.split()[1]))
    try:
        compile(source, "hook", "exec", 0, True)
    except SyntaxError as error:
        say(error.lineno or 0, error.msg)
    except Exception as error:
        say(0, error)
    else:
        say(-1, "")
)";

constexpr std::string_view kNodeProgram = R"(
const vm = require("vm"), fs = require("fs");
const say = (line, message) =>
  fs.writeSync(1, line + "\t" + String(message).replace(/\s+/g, " ") + "\n");
const asScript = (text) => vm.compileFunction(
  text, ["exports", "require", "module", "__filename", "__dirname"], { filename: "hook" });
const asModule = (text) => new vm.SourceTextModule(text, { identifier: "hook" });
const fault = (parse, text) => { try { parse(text); } catch (error) { return error; } };
const lineOf = (error, text, isModule) => {
  let found = /^hook:(\d+)/.exec(String(error.stack));
  if (!found && isModule) {
    const check = require("child_process").spawnSync(
      process.execPath, ["--input-type=module", "--check"], { input: text, timeout: 5000 });
    found = /^\S*:(\d+)$/m.exec(String(check.stderr));
  }
  return found ? Number(found[1]) : 0;
};
const data = fs.readFileSync(0);
fs.writeSync(1, "ready\n");
for (let at = 0; at < data.length;) {
  const end = data.indexOf(10, at);
  const [kind, length] = data.toString("latin1", at, end).split(" ");
  at = end + 1 + Number(length);
  const text = data.toString("utf8", end + 1, at).replace(/^\uFEFF/, "").replace(/^#!/, "//");
  const script = kind === "module" ? null : fault(asScript, text);
  if (script === undefined) { say(-1, ""); continue; }
  if (kind !== "script" && !vm.SourceTextModule) { say(-2, "this node cannot parse modules"); continue; }
  const module = kind === "script" ? null : fault(asModule, text);
  if (module === undefined) { say(-1, ""); continue; }
  const isModule = kind === "module" || (kind === "either" && /^\s*(import|export)\b/m.test(text));
  const error = isModule ? module : script;
  say(lineOf(error, text, isModule), error.message);
}
)";

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}
std::string_view extension(std::string_view name) {
  const std::string_view base = base_name(name);
  const size_t dot = base.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : base.substr(dot);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, text) != names.end();
}

std::optional<SourceParser> parser_of_program(std::string_view path) {
  const std::string_view name = base_name(path);
  // Its parser takes another language for this one.
  if (name.starts_with("python2")) return std::nullopt;
  if (name.starts_with("python") &&
      name.substr(6).find_first_not_of("0123456789.") == std::string_view::npos)
    return SourceParser{Language::kPython, std::string(name)};
  if (name == "uv") return SourceParser{Language::kPython, "python3"};
  if (is_one_of(name, {"bash", "sh", "dash", "zsh", "ksh"}))
    return SourceParser{Language::kShell, std::string(name)};
  if (is_one_of(name, {"node", "nodejs"})) return SourceParser{Language::kNode, "node"};
  return std::nullopt;
}

// "#!/usr/bin/env -S uv run --script" and the like.
std::optional<SourceParser> parser_of_first_line(std::string_view source) {
  for (const std::string& name : words_of_first_line(source))
    if (base_name(name) != "env") return parser_of_program(name);
  return std::nullopt;
}

std::string_view node_kind(std::string_view name) {
  if (extension(name) == ".mjs") return "module";
  return extension(name) == ".cjs" ? "script" : "either";
}

std::vector<SyntaxVerdict> all(size_t count, Outcome outcome, const std::string& message) {
  return {count, SyntaxVerdict{outcome, 0, message}};
}

std::string end_of(const ProcessResult& result) {
  if (result.timed_out) return "ran out of time";
  return "ended with exit code " + std::to_string(result.exit_code);
}

std::vector<SyntaxVerdict> parse_in_one_process(const SourceParser& parser,
                                                std::span<const Source> sources,
                                                ProcessRunner& runner, int64_t timeout_ms) {
  ProcessRequest request{.argv = {}, .input = {}, .timeout_ms = timeout_ms, .environment = {}};
  if (parser.language == Language::kPython)
    request.argv = {parser.program, "-I",     "-S", "-B",
                    "-W",           "ignore", "-c", std::string(kPythonProgram)};
  else
    request.argv = {parser.program, "--no-warnings", "--experimental-vm-modules", "-e",
                    std::string(kNodeProgram)};
  for (const Source& source : sources) {
    request.input += std::string(node_kind(source.name)) + " " +
                     std::to_string(source.text.size()) + "\n" + source.text;
  }
  const auto result = runner.run(request);
  if (!result) return all(sources.size(), Outcome::kNoProgram, result.error().message);
  std::vector<std::string_view> lines = split(result->output, '\n');
  const std::string end = parser.program + " " + end_of(*result);
  if (lines[0] != "ready" && !result->timed_out)
    return all(sources.size(), Outcome::kNoProgram, end);
  std::vector<SyntaxVerdict> verdicts = all(sources.size(), Outcome::kNotRead, end);
  for (size_t i = 0; i < sources.size() && i + 2 < lines.size(); ++i) {
    const std::string_view answer = lines[i + 1];
    const size_t tab = std::min(answer.find('\t'), answer.size());
    int line = -2;
    const std::string_view number = answer.substr(0, tab);
    std::from_chars(number.data(), number.data() + number.size(), line);
    const std::string message(answer.substr(std::min(tab + 1, answer.size())));
    if (line == -1)
      verdicts[i] = {};
    else
      verdicts[i] = {line == -2 ? Outcome::kNotRead : Outcome::kRefused, std::max(line, 0),
                     message};
  }
  return verdicts;
}

// "bash: line 3: syntax error near ...", "sh: 3: Syntax error: ...": the first line
// alone, because bash goes on with the source itself.
SyntaxVerdict shell_refusal(std::string_view errors) {
  SyntaxVerdict verdict{Outcome::kRefused, 0, "syntax error"};
  std::string_view text = errors.substr(0, errors.find('\n'));
  for (size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':')) {
    text.remove_prefix(colon + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::string_view digits = text;
    if (digits.starts_with("line ")) digits.remove_prefix(5);
    int line = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), line);
    if (parsed.ec != std::errc() || line <= 0) continue;
    const std::string_view rest = digits.substr(static_cast<size_t>(parsed.ptr - digits.data()));
    if (!rest.starts_with(':')) continue;
    verdict.line = line;
    const size_t begin = rest.find_first_not_of(": ");
    if (begin != std::string_view::npos) verdict.message = rest.substr(begin);
    break;
  }
  return verdict;
}

SyntaxVerdict parse_shell(const SourceParser& parser, const Source& source, ProcessRunner& runner,
                          int64_t timeout_ms) {
  ProcessRequest request{.argv = {parser.program},
                         .input = source.text,
                         .timeout_ms = timeout_ms,
                         .environment = {{"LC_ALL", "C"}}};
  if (parser.program == "bash") {
    request.argv.insert(request.argv.end(), {"--norc", "--noprofile"});
    // "shopt -s extglob" changes the grammar of what follows, but -n does not run it.
    if (source.text.contains("extglob")) request.argv.insert(request.argv.end(), {"-O", "extglob"});
  } else if (parser.program == "zsh") {
    request.argv.emplace_back("-f");
  }
  request.argv.insert(request.argv.end(), {"-n", "/dev/stdin"});
  const auto result = runner.run(request);
  if (!result) return {Outcome::kNoProgram, 0, result.error().message};
  if (result->timed_out || result->exit_code > 125)
    return {Outcome::kNotRead, 0, parser.program + " " + end_of(*result)};
  return result->exit_code == 0 ? SyntaxVerdict{} : shell_refusal(result->errors);
}

}  // namespace

std::vector<std::string> words_of_first_line(std::string_view source) {
  std::vector<std::string> words;
  if (!source.starts_with("#!")) return words;
  for (const std::string_view word : split(source.substr(2, source.find('\n') - 2), ' ')) {
    const std::string_view name = word.substr(0, word.find_first_of("\r\t"));
    if (name.empty()) continue;
    const bool after_env = words.size() == 1 && base_name(words[0]) == "env";
    if (after_env && (name.starts_with('-') || name.contains('='))) continue;
    words.emplace_back(name);
  }
  return words;
}

std::optional<SourceParser> parser_of(const model::ReferencedFile& reference, std::string_view name,
                                      std::string_view source) {
  switch (reference.interpreter) {
    case Interpreter::kDirect:
      return parser_of(name, source);
    case Interpreter::kUv:
      return SourceParser{Language::kPython, "python3"};
    case Interpreter::kPython:
    case Interpreter::kNode:
    case Interpreter::kBash:
    case Interpreter::kSh:
    case Interpreter::kOther:
      return parser_of_program(reference.program);
  }
  return std::nullopt;
}

std::optional<SourceParser> parser_of(std::string_view name, std::string_view source) {
  if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
  if (source.starts_with("#!")) return parser_of_first_line(source);
  const std::string_view end = extension(name);
  if (end == ".py") return SourceParser{Language::kPython, "python3"};
  if (is_one_of(end, {".sh", ".bash"})) return SourceParser{Language::kShell, "bash"};
  if (is_one_of(end, {".js", ".mjs", ".cjs"})) return SourceParser{Language::kNode, "node"};
  return std::nullopt;
}

std::vector<SyntaxVerdict> parse_sources(const SourceParser& parser,
                                         std::span<const Source> sources, ProcessRunner& runner,
                                         int64_t timeout_ms) {
  if (parser.language != Language::kShell)
    return parse_in_one_process(parser, sources, runner, timeout_ms);
  std::vector<SyntaxVerdict> verdicts;
  for (const Source& source : sources)
    verdicts.push_back(parse_shell(parser, source, runner, timeout_ms));
  return verdicts;
}

}  // namespace stravinsky::checks
