#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/operation_output.h"
#include "engine/open_source.h"

namespace stravinsky::cli {
namespace {

// Which of both versions of a file, from the terminal. The end of the input, and
// anything but an answer three times, is none.
Result<model::Side> ask(const engine::MergeQuestion& question) {
  constexpr int kTries = 3;
  for (int left = kTries; left > 0; --left) {
    print_error(fmt::format("{}: {}.\n  Which one: mine, theirs, or stop? [m/t/s] ", question.path,
                            question.why));
    std::string answer;
    if (!std::getline(std::cin, answer) || answer == "s" || answer == "stop") break;
    if (answer == "m" || answer == "mine") return model::Side::kMine;
    if (answer == "t" || answer == "theirs") return model::Side::kTheirs;
  }
  return make_error(ErrorCode::kInterrupted, "not decided", question.path)
      .with_untouched("Nothing was changed.");
}

}  // namespace

ExitCode run_update(const Invocation& invocation, engine::UpdateRequest request) {
  const auto session = invocation.open_session(Use::kWrite);
  if (!session) return invocation.fail(session.error());
  if (!engine::is_remote(request.source)) request.source = invocation.absolute(request.source);
  // --yes answers questions that have a yes.
  if (isatty(STDIN_FILENO) == 1 && !invocation.options.yes && !invocation.output.is_json())
    request.ask = ask;
  const auto result = engine::update(**session, request);
  if (!result) return invocation.fail(result.error());
  if (result->outcome == engine::Outcome::kDone)
    invocation.output.line(invocation.output.good("Update successful: " + result->from_version +
                                                  " -> " + result->to_version));
  return tell_operation(invocation, *result);
}

}  // namespace stravinsky::cli
