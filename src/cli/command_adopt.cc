#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "engine/open_source.h"

namespace stravinsky::cli {

ExitCode run_adopt(const Invocation& invocation, engine::AdoptRequest request) {
  const auto session = invocation.open_session(Use::kWrite);
  if (!session) return invocation.fail(session.error());
  if (!engine::is_remote(request.source)) request.source = invocation.absolute(request.source);
  const auto adopted = engine::adopt(**session, request);
  if (!adopted) return invocation.fail(adopted.error());
  const Output& out = invocation.output;
  for (const std::string& warning : adopted->warnings) out.warning(warning);
  out.line(fmt::format("{} files equal the bundle's.", adopted->untouched));
  const auto list = [&](std::string_view what, const std::vector<std::string>& paths) {
    if (paths.empty()) return;
    out.line(fmt::format("{} {}", paths.size(), what));
    for (const std::string& path : paths) out.line("  " + path);
  };
  list("differ, and count as edited by you: the next update merges them", adopted->edited);
  list("are absent, and count as deleted by you: the next update does not bring them",
       adopted->deleted);
  if (adopted->is_dry_run) {
    out.line("Dry run: nothing was declared.");
  } else {
    out.line(fmt::format("{} is installed, by your word; no file was changed. Before: {}.",
                         adopted->to_version, adopted->from_version));
    out.line(adopted->knew_version
                 ? fmt::format("To take it back: stravinsky adopt {} --from SOURCE, with that "
                               "version's package.",
                               adopted->from_version)
                 : std::string("If it is another version that is installed, say so: stravinsky "
                               "adopt VERSION --from SOURCE. Undo takes back changes of files, "
                               "not this."));
  }
  out.json(invocation.command,
           {{"from_version", adopted->from_version},
            {"to_version", adopted->to_version},
            {"untouched", adopted->untouched},
            {"edited", adopted->edited},
            {"deleted", adopted->deleted},
            {"warnings", adopted->warnings},
            {"dry_run", adopted->is_dry_run}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

}  // namespace stravinsky::cli
