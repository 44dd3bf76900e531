// scratch_home: a home with a copy of the managed files, for commands that must not touch
// the real one. In recovery/staging/health of the store; one at a time, under its lock.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct HomeVariables {
  std::string home;          // absolute
  std::string project = {};  // absolute; empty without a project

  // HOME, CLAUDE_CONFIG_DIR and CLAUDE_PROJECT_DIR, as they are there.
  std::vector<std::pair<std::string, std::string>> all() const;
};

// Replaces one that a crash left. The files as they are now; links that lead out of the
// copy are left out.
Result<HomeVariables> make_scratch_home(Session& session);
Status remove_scratch_home(Session& session);

}  // namespace stravinsky::engine
