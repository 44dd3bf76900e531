// Output: the one style in which everything is said.
//
// What was asked for goes to standard output, everything else to standard error.
// With --json standard output holds one object and nothing else. Names are escaped
// by whoever makes them (base escape(), LogicalPath::display()).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/exit_code.h"

namespace stravinsky::cli {

// To standard output and to standard error. A reader that went away, or a full disk
// behind the output, is no reason to stop in the middle of a change.
void print_out(std::string_view text);
void print_error(std::string_view text);
// Flushes standard output. 0 when all of it was taken since the program began, else the
// errno of the first failure.
int finish_output();

enum class Color { kAuto, kAlways, kNever };
enum class Format { kText, kJson };

struct OutputOptions {
  Format format = Format::kText;
  Color color = Color::kAuto;
  bool quiet = false;
  bool no_color_variable = false;  // NO_COLOR is set
  bool utf8 = true;                // what the locale can show
};

class Output {
 public:
  explicit Output(const OutputOptions& options);

  bool is_json() const { return options_.format == Format::kJson; }
  bool is_quiet() const { return options_.quiet; }

  void line(std::string_view text) const;  // nothing with --quiet or --json
  void note(std::string_view text) const;  // to standard error; nothing with --quiet
  void warning(std::string_view text) const;
  void failure(std::string_view text) const;  // red, to standard error, with --quiet too
  // The object of a command: its members, and format_version, command, success (unless
  // it has one), ok and exit_code.
  void json(std::string_view command, nlohmann::json object, ExitCode code) const;
  // Cause, what was left untouched, what to do next; or the same as an object.
  ExitCode error(std::string_view command, const Error& error) const;

  std::string good(std::string_view text) const;  // green
  std::string bad(std::string_view text) const;   // red
  std::string dim(std::string_view text) const;
  std::string_view tick() const;  // U+2705, or "OK"

 private:
  OutputOptions options_;
  bool color_out_;
  bool color_error_;
};

// "update.json" and so on are made of these; what an error lacks is added (next_step.h).
nlohmann::json error_object(const Error& error);
std::string error_text(const Error& error);

}  // namespace stravinsky::cli
