// resume: recovery on request, also of what earlier recoveries gave up on.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct ResumeRequest {
  txn::ReplacedRoot replaced_root = txn::ReplacedRoot::kRefuse;
  std::string set_aside;  // id of a transaction to move out of the way as it is
};

struct ResumeResult {
  std::vector<txn::Recovered> recovered;
  // Nothing is open or set aside any more.
  bool all_done() const;
};

Result<ResumeResult> resume(Session& session, const ResumeRequest& request);

}  // namespace stravinsky::engine
