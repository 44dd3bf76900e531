// What of a bundle's settings does not come in at the first update of a package.
//
// Without a base nothing says who changed a value, so the user's stays wherever both have
// one (model/settings_merge.h). Later updates name such places as conflicts; a hook that
// is not added, or a mode that stays as it was, must not be silent the first time either.
#pragma once

#include <string>
#include <vector>

#include "engine/operation.h"
#include "engine/session.h"
#include "model/component.h"
#include "store/bundle.h"

namespace stravinsky::engine {

// A sentence for each kind of thing that stays out; places, never values. None when the
// settings of an installed version of the package are known.
std::vector<std::string> left_out_settings(Session& session, const store::Bundle& bundle,
                                           model::Scope scope, const Present& present);

}  // namespace stravinsky::engine
