// emergency_guide: what is left to do by hand, with the paths and commands of this machine.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/emergency.h"
#include "engine/session.h"

namespace stravinsky::engine {

std::string emergency_guide_text(const Session& session, const EmergencyResult& result);
// recovery/emergency-guide.txt in the store; returns its absolute path.
Result<std::string> save_emergency_guide(const Session& session, const EmergencyResult& result);

}  // namespace stravinsky::engine
