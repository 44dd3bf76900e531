// A hook's command line and its matcher. A file that is said to be ours has a path that
// stays in its root.
#include "base/check.h"
#include "base/strings.h"
#include "checks/hook_matcher.h"
#include "checks/self_call.h"
#include "fuzz_target.h"
#include "model/hook_reference.h"

using namespace stravinsky;

namespace {

void check_files(const std::vector<model::ReferencedFile>& files) {
  for (const model::ReferencedFile& file : files) {
    CHECK((file.place == model::Place::kUnknown) == file.path.empty());
    CHECK(file.place != model::Place::kOutside || file.path.starts_with('/'));
    if (const auto logical = file.logical())
      CHECK(fs::RelPath::parse(logical->path.str()).has_value());
  }
}

}  // namespace

FUZZ_TARGET(hook_command) {
  const auto texts = fuzz::parts(input, 2);
  const model::HookRoots roots{.home = "/home/u",
                               .user_root = "/home/u/.claude",
                               .project_root = "/home/u/project",
                               .user_root_aliases = {"/home/u/dotfiles/claude"},
                               .project_root_aliases = {}};
  for (const model::Scope scope : {model::Scope::kUser, model::Scope::kProject}) {
    check_files(model::read_command(texts[0], scope, roots).files);
    std::vector<std::string> args;
    for (const std::string_view arg : split(texts[0], '\n')) args.emplace_back(arg);
    const std::string program = args.front();
    args.erase(args.begin());
    check_files(model::read_exec(program, args, scope, roots).files);
  }
  static_cast<void>(checks::runs_ourselves(texts[0]));
  for (const auto subject : {checks::MatcherSubject::kTool, checks::MatcherSubject::kOther}) {
    const auto fault = checks::matcher_fault(texts[1], subject);
    CHECK(!fault || !fault->empty());
  }
}
