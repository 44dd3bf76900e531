#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/next_step.h"
#include "engine/error_matrix.h"

namespace stravinsky::cli {

namespace {

// The stream only remembers that there was one. The program writes from one thread.
int first_failure = 0;

void note_failure(bool failed) {
  if (failed && first_failure == 0) first_failure = errno == 0 ? EIO : errno;
}

}  // namespace

void print_out(std::string_view text) {
  note_failure(std::fwrite(text.data(), 1, text.size(), stdout) != text.size());
}

void print_error(std::string_view text) {
  // First, so that both stand in order where they share a terminal.
  note_failure(std::fflush(stdout) != 0);
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

int finish_output() {
  note_failure(std::fflush(stdout) != 0 || std::ferror(stdout) != 0);
  return first_failure;
}

namespace {

bool is_colored(const OutputOptions& options, int descriptor) {
  return options.color == Color::kAlways ||
         (options.color == Color::kAuto && !options.no_color_variable && isatty(descriptor) == 1);
}

std::string painted(std::string_view text, std::string_view code, bool is_wanted) {
  return is_wanted ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

}  // namespace

Output::Output(const OutputOptions& options)
    : options_(options),
      color_out_(is_colored(options, STDOUT_FILENO)),
      color_error_(is_colored(options, STDERR_FILENO)) {}

void Output::line(std::string_view text) const {
  if (!options_.quiet && !is_json()) print_out(fmt::format("{}\n", text));
}

void Output::note(std::string_view text) const {
  if (!options_.quiet) print_error(fmt::format("{}\n", text));
}

// The first line is red: the cause. What was untouched and what to do are to be read.
void Output::failure(std::string_view text) const {
  const size_t end = text.find('\n');
  const std::string_view rest = end == std::string_view::npos ? "" : text.substr(end);
  print_error(fmt::format("{}{}\n", painted(text.substr(0, end), "31", color_error_), rest));
}

void Output::warning(std::string_view text) const {
  note(fmt::format("warning: {}", text));
}

void Output::json(std::string_view command, nlohmann::json object, ExitCode code) const {
  if (!is_json()) return;
  object["format_version"] = 1;
  object["command"] = command;
  object["ok"] = code == ExitCode::kDone;
  object.emplace("success", code == ExitCode::kDone);
  object["exit_code"] = static_cast<int>(code);
  print_out(object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

ExitCode Output::error(std::string_view command, const Error& error) const {
  const ExitCode code = exit_code_of(error);
  if (is_json()) {
    json(command,
         {{"error", error_object(error)},
          {"recovery_required", code == ExitCode::kRecoveryRequired}},
         code);
  } else {
    failure(error_text(error));
  }
  return code;
}

std::string Output::good(std::string_view text) const {
  return painted(text, "32", color_out_);
}
std::string Output::bad(std::string_view text) const {
  return painted(text, "31", color_out_);
}
std::string Output::dim(std::string_view text) const {
  return painted(text, "2", color_out_);
}
std::string_view Output::tick() const {
  return options_.utf8 ? "\u2705" : "OK";
}

nlohmann::json error_object(const Error& bare) {
  const Error error = with_next_step(bare);
  nlohmann::json object = {{"code", code_name(error.code)},
                           {"message", error.to_string()},
                           {"path", escape(error.path)},
                           {"untouched", error.untouched},
                           {"remedy", error.remedy}};
  // Of a failure; what is only the answer to a request has no row in the matrix.
  const auto before = engine::Phase::kBefore;
  if (const std::string name = error_class_name(error, before); !name.empty()) {
    object["class"] = name;
    object["response"] = response_name(respond(error, before, engine::AutomaticRollback::kOn));
  }
  return object;
}

std::string error_text(const Error& bare) {
  const Error error = with_next_step(bare);
  std::string text = "error: " + error.to_string();
  if (!error.untouched.empty()) text += "\n  " + error.untouched;
  if (!error.remedy.empty()) text += "\n  " + error.remedy;
  return text;
}

}  // namespace stravinsky::cli
