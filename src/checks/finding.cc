#include "checks/finding.h"

#include <algorithm>

namespace stravinsky::checks {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kBlocking:
      return "blocking";
    case Severity::kWarning:
      return "warning";
    case Severity::kInformation:
      return "information";
  }
  return "";
}

std::string Finding::to_string() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (line > 0 && column > 0) text += ":" + std::to_string(column);
  return text.empty() ? message : text + ": " + message;
}

bool has_blocking(const std::vector<Finding>& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::kBlocking; });
}

Severity severity_by(Origin origin) {
  return origin == Origin::kUpdate ? Severity::kBlocking : Severity::kWarning;
}

}  // namespace stravinsky::checks
