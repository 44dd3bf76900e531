#include "cli/finding_output.h"

#include <nlohmann/json.hpp>

namespace stravinsky::cli {

nlohmann::json findings_array(const std::vector<checks::Finding>& findings) {
  nlohmann::json array = nlohmann::json::array();
  for (const checks::Finding& finding : findings)
    array.push_back({{"severity", severity_name(finding.severity)},
                     {"check", finding.check},
                     {"rule", finding.rule},
                     {"file", finding.file},
                     {"line", finding.line},
                     {"column", finding.column},
                     {"message", finding.message},
                     {"remedy", finding.remedy}});
  return array;
}

}  // namespace stravinsky::cli
