#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/open_source.h"

namespace stravinsky::cli {

ExitCode run_update(const Invocation& invocation, engine::UpdateRequest request) {
  const auto session = invocation.open_session(Use::kWrite);
  if (!session) return invocation.fail(session.error());
  if (!engine::is_remote(request.source)) request.source = invocation.absolute(request.source);
  const auto result = engine::update(**session, request);
  if (!result) return invocation.fail(result.error());
  if (result->outcome == engine::Outcome::kDone)
    invocation.output.line(invocation.output.good("Update successful: " + result->from_version +
                                                  " -> " + result->to_version));
  return tell_operation(invocation, *result);
}

}  // namespace stravinsky::cli
