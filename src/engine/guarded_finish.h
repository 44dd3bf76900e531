// finish_begun: what becomes of an update that was begun: it is found good and put on
// record, or the old tree comes back, or a way back has ended it already.
//
// begun.json goes last. A finish that is killed is finished by the next one, which sees
// from the records how far it had come.
#pragma once

#include "base/error.h"
#include "engine/guarded_install.h"
#include "store/begun_update.h"

namespace stravinsky::engine {

// The session holds the locks; the request is about this update.
Result<OperationResult> finish_begun(Session& session, const FinishRequest& request,
                                     store::BegunUpdate begun);

}  // namespace stravinsky::engine
