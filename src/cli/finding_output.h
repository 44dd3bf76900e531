// How a finding of a check is said, by every command that has some.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "checks/finding.h"

namespace stravinsky::cli {

nlohmann::json findings_array(const std::vector<checks::Finding>& findings);

}  // namespace stravinsky::cli
