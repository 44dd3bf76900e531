// refuse_downgrade: an older version over a newer one of the same package needs to be
// asked for.
//
// The same package: a bundle of the same name, which must be known. Older: by SemVer's
// order (model/version.h). What is unknown is never older, nor is anything older than it.
#pragma once

#include "base/error.h"
#include "engine/session.h"
#include "model/version.h"
#include "store/bundle.h"
#include "store/latest.h"

namespace stravinsky::engine {

enum class Downgrade { kRefuse, kAllow };

// kChecksRefused naming both versions.
Status refuse_downgrade(Session& session, const store::TreeState& installed,
                        const store::Bundle& bundle, const model::Version& version);

}  // namespace stravinsky::engine
