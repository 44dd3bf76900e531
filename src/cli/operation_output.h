// How the result of an operation on the tree is told, in words and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/invocation.h"
#include "engine/operation_result.h"

namespace stravinsky::cli {

nlohmann::json operation_object(const engine::OperationResult& result);

// Everything but the headline, which is the command's own: files, findings,
// warnings, what was kept, the state now and the way back. Returns the exit code.
ExitCode tell_operation(const Invocation& invocation, const engine::OperationResult& result);

}  // namespace stravinsky::cli
