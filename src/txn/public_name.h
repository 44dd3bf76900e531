// public_name: an error about a reserved name, in terms of the file that people know.
#pragma once

#include "base/error.h"
#include "model/change_plan.h"

namespace stravinsky::txn {

// A stage, a stash or a rebuilt node stands for the change's own path, and what is in
// it for what is beneath that; the bare last name of the path is completed, too. Any
// other path stays.
Error with_public_name(Error error, const model::Change& change);
// The same where it may have gone well.
Status with_public_name(Status status, const model::Change& change);

}  // namespace stravinsky::txn
