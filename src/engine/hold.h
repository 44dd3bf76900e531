// hold.json: what a package that installs by itself must leave alone.
//
// Packages copy their files over the tree at every start "if newer". After the user
// went back to an earlier state, this file names the version that is held and the
// files of it, until the next update. Restored files are newer than the package's
// as well, so that a package which knows nothing of this file does not win either.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file_system.h"
#include "model/change_plan.h"

namespace stravinsky::engine {

// Names the after-images of the plan, file by file: a directory that goes is the files
// that were in it, each absent.
Status write_hold(fs::FileSystem& fs, fs::Fd store, const model::ChangePlan& plan, int64_t now_ns);
// Absent is success.
Status remove_hold(fs::FileSystem& fs, fs::Fd store);
// The held version; empty when nothing is held.
Result<std::string> held_version(fs::FileSystem& fs, fs::Fd store);

}  // namespace stravinsky::engine
