// The scripts that an update will have parsed, announced as soon as its bundle is open.
#pragma once

#include "engine/session.h"
#include "model/component.h"
#include "store/bundle.h"
#include "store/snapshot.h"

namespace stravinsky::engine {

// Starts the parsers on the bundle's hooks that differ from what stands in the tree:
// what they say is known by the time the plan is. A guess that is wrong costs a parse.
void expect_scripts(Session& session, const store::Snapshot& snapshot, const store::Bundle& bundle,
                    model::Scope scope);

}  // namespace stravinsky::engine
