#include "checks/text_faults.h"

#include "base/strings.h"

namespace stravinsky::checks {

int conflict_line(std::string_view text) {
  if (!text.contains("<<<<<<< ")) return 0;
  int first = 0;
  bool has_middle = false;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (first == 0 && line.starts_with("<<<<<<< ")) first = number;
    if (first != 0 && (line == "=======" || line == "=======\r")) has_middle = true;
    if (has_middle && line.starts_with(">>>>>>> ")) return first;
  }
  return 0;
}

int not_utf8_line(std::string_view text) {
  if (is_valid_utf8(text)) return 0;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (!is_valid_utf8(line)) return number;
  }
  return number;
}

}  // namespace stravinsky::checks
