// Facts that a backup's manifest states about its making, measured each time.
#pragma once

#include <future>
#include <optional>
#include <string>

#include "engine/environment.h"
#include "engine/tree_edit.h"
#include "model/manifest.h"
#include "store/bundle_store.h"
#include "store/snapshot.h"

namespace stravinsky::engine {

// Asks the interpreter that hooks run with for its version: in the background, if
// the environment allows it, else when the answer is wanted.
std::shared_future<std::optional<std::string>> ask_python_version(const Environment& environment);

// Space, permissions and open writers of what the snapshot lists.
Result<model::MeasuredFacts> measure(const Environment& environment, fs::Fd store,
                                     const store::Snapshot& snapshot);

// What the user did to the installed bundle's files, and added beside them.
Result<std::vector<model::UserModification>> user_modifications(fs::FileSystem& fs,
                                                                const store::Snapshot& snapshot,
                                                                const store::InstalledBundle& base);

}  // namespace stravinsky::engine
