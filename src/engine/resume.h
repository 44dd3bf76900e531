// resume: recovery on request, also of what earlier recoveries gave up on.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct ResumeRequest {
  txn::ReplacedRoot replaced_root = txn::ReplacedRoot::kRefuse;
  std::string set_aside{};  // id of an open transaction to move out of the way, as it is, when
                            // it still cannot be recovered
};

// A transaction that was set aside and whose record cannot be followed any more.
struct StillAside {
  std::string id;
  std::string directory;  // absolute
  Error error;
};

struct ResumeResult {
  std::vector<txn::Recovered> recovered;
  std::vector<StillAside> still_aside;
  std::vector<std::string> planned;  // dry run: what would be tried
  std::string set_aside;             // what was set aside on request
  // Nothing is open or set aside any more, but what was set aside on request.
  bool all_done() const;
};

// Does nothing without a store. A dry run takes no lock and changes nothing.
// kNotFound: the transaction to set aside is not open.
Result<ResumeResult> resume(Session& session, const ResumeRequest& request);

// Sets aside, on record, every transaction that is still open although recovery was tried:
// the last way back must not wait for it. Returns their ids. The locks are held.
Result<std::vector<std::string>> set_aside_what_is_open(Session& session);

// kRecoveryRequired when a transaction was set aside in a tree of this session: what an
// update would build on may be a mix of two states. A rollback to a version since then
// has made it whole. Every way back, every backup and every look goes on.
Status refuse_while_inconsistent(const Session& session);

}  // namespace stravinsky::engine
