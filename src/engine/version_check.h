// version_check: do the records of what is installed agree?
//
// Asked after the new files went live, before the commit. latest.json must still be the
// one that the operation began with: somebody who writes it without our lock (a sync
// program, a restore of the home) would make the next update build on another version.
// The kept bundle must say the version that is installed from it.
#pragma once

#include <vector>

#include "base/error.h"
#include "checks/finding.h"
#include "engine/session.h"
#include "model/change_plan.h"
#include "store/latest.h"

namespace stravinsky::engine {

// version.latest, version.bundle: blocking.
Result<std::vector<checks::Finding>> check_versions(Session& session, const store::Latest& at_start,
                                                    const model::TransactionFacts& facts);

}  // namespace stravinsky::engine
