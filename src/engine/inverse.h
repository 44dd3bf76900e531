// inverse: the edits that would take a transaction back.
#pragma once

#include <functional>
#include <string>

#include "engine/tree_edit.h"
#include "model/change_plan.h"

namespace stravinsky::engine {

// One path that a transaction changed, seen by itself.
struct PathChange {
  model::LogicalPath path;
  model::Image before;  // without children
  model::Image after;
  size_t change = 0;       // in the plan
  std::string inner_path;  // beneath the changed name; empty for itself
};

// Every path of a plan, directories that appear or vanish as a whole taken apart.
std::vector<PathChange> path_changes(const model::ChangePlan& plan);

// How many files and links a plan changes; directories are no files.
size_t file_count(const model::ChangePlan& plan);

// Hands out the bytes of a path's before-image.
using BeforeBytes =
    std::function<Status(size_t change, const std::string& inner_path, const codec::Sink& sink)>;

// What stood at every changed path before.
Edits inverse_edits(const model::ChangePlan& plan, const BeforeBytes& before_bytes);

}  // namespace stravinsky::engine
