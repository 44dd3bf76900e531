#include "engine/version_check.h"

#include <string>
#include <string_view>
#include <utility>

#include "model/store_layout.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;
using checks::Finding;

Finding disagreement(std::string_view rule, const Session& session, const fs::RelPath& file,
                     std::string message) {
  return {.severity = checks::Severity::kBlocking,
          .check = "version",
          .rule = std::string(rule),
          .file = session.store_path() + "/" + file.str(),
          .message = std::move(message),
          .remedy = "See that no other program writes to the store, and run the command again."};
}

// newest_backup is known before it is written.
bool is_same(const store::Latest& a, const store::Latest& b) {
  return a.trees == b.trees && a.last_transaction == b.last_transaction &&
         a.transaction_sequence == b.transaction_sequence && a.undo == b.undo && a.redo == b.redo;
}

}  // namespace

Result<std::vector<Finding>> check_versions(Session& session, const store::Latest& at_start,
                                            const model::TransactionFacts& facts) {
  std::vector<Finding> findings;
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  if (!is_same(latest, at_start))
    findings.push_back(
        disagreement("version.latest", session, layout::latest(),
                     "another program changed what it says is installed, while the update ran"));
  if (facts.to_bundle.empty()) return findings;
  const auto bundle = session.bundles().load(facts.to_bundle);
  if (!bundle && !is_not_found(bundle.error()) && bundle.error().code != ErrorCode::kCorrupt)
    return bundle.error();
  if (!bundle || bundle->version.str() != facts.to_version)
    findings.push_back(disagreement(
        "version.bundle", session, layout::bundle(facts.to_bundle) / layout::manifest_name(),
        bundle ? "what is kept of the bundle says another version"
               : "what is kept of the bundle cannot be read: " + bundle.error().message));
  return findings;
}

}  // namespace stravinsky::engine
