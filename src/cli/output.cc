#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/strings.h"

namespace stravinsky::cli {

void print_out(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_error(std::string_view text) {
  (void)std::fflush(stdout);  // so that both stand in order where they share a terminal
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}

Output::Output(const OutputOptions& options)
    : options_(options),
      color_out_(options.color == Color::kAlways ||
                 (options.color == Color::kAuto && !options.no_color_variable &&
                  isatty(STDOUT_FILENO) == 1)) {}

void Output::line(std::string_view text) const {
  if (!options_.quiet && !is_json()) print_out(fmt::format("{}\n", text));
}

void Output::note(std::string_view text) const {
  if (!options_.quiet) failure(text);
}

void Output::failure(std::string_view text) const {
  print_error(fmt::format("{}\n", text));
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

std::string Output::painted(std::string_view text, std::string_view code) const {
  return color_out_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}
std::string Output::good(std::string_view text) const {
  return painted(text, "32");
}
std::string Output::bad(std::string_view text) const {
  return painted(text, "31");
}
std::string Output::dim(std::string_view text) const {
  return painted(text, "2");
}
std::string_view Output::tick() const {
  return options_.utf8 ? "\u2705" : "OK";
}

nlohmann::json error_object(const Error& error) {
  return {{"code", code_name(error.code)},
          {"message", error.to_string()},
          {"path", escape(error.path)},
          {"untouched", error.untouched},
          {"remedy", error.remedy}};
}

std::string error_text(const Error& error) {
  std::string text = "error: " + error.to_string();
  if (!error.untouched.empty()) text += "\n  " + error.untouched;
  if (!error.remedy.empty()) text += "\n  " + error.remedy;
  return text;
}

}  // namespace stravinsky::cli
