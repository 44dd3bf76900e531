// adopt: the user says which version of a package is installed in a tree.
//
// For a tree that something else put there: the bundle becomes the base of the next
// update, so that what the user changed since is merged and not replaced. No file of
// the tree changes, and nothing is checked but that the bundle is one: what differs
// from it counts as the user's edits, and what is absent as deleted by them; both are
// told. Adopting another version says so anew. It is on record in the audit trail, but
// is no transaction: undo goes past it to the last one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/session.h"
#include "model/component.h"

namespace stravinsky::engine {

struct AdoptRequest {
  std::optional<std::string> version;  // empty: the bundle's own
  std::string source;                  // as for update
  model::Scope scope = model::Scope::kUser;
  std::optional<std::string> subdir{};  // where in the bundle its tree is
};

struct Adopted {
  std::string from_version;   // as displayed
  bool knew_version = false;  // with its bundle, before
  std::string to_version;
  size_t untouched = 0;              // files that equal the bundle's
  std::vector<std::string> edited;   // that differ: "~/.claude/hooks/x.py"
  std::vector<std::string> deleted;  // that are absent
  std::vector<std::string> warnings;
  bool is_dry_run = false;
};

// kUsage without a version; kConflict while an update is begun; kNotFound when no file of the
// bundle is there; otherwise as update, and nothing was changed.
Result<Adopted> adopt(Session& session, const AdoptRequest& request);

}  // namespace stravinsky::engine
