#include "engine/unreadable.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace stravinsky::engine {

using model::TransactionKind;

namespace {

constexpr size_t kToldMax = 20;

// A file that cannot be read is no file that the user deleted, which is what an update
// takes it for.
Status refuse_reported(const store::Snapshot& snapshot, const Proposal& proposal) {
  for (const store::Omission& omission : snapshot.omissions) {
    if (!snapshot.is_unreadable(omission.path)) continue;
    const std::string top = omission.path.display();
    for (const FileReport& file : proposal.files)
      if (file.path == top || file.path.starts_with(top + "/")) return unreadable(file.path);
  }
  return {};
}

}  // namespace

Error unreadable(const std::string& path) {
  return make_error(ErrorCode::kPermission,
                    "you may not read what stands there, so it cannot be saved and changed", path)
      .with_untouched("Nothing was changed.")
      .with_remedy(
          "See its owner and mode with ls -ld, make it readable with chmod u+rX, and run the "
          "command again.");
}

std::vector<std::string> omission_warnings(const store::Snapshot& snapshot) {
  std::vector<std::string> warnings;
  for (const store::Omission& omission : snapshot.omissions) {
    if (warnings.size() == kToldMax) {
      warnings.push_back(fmt::format("and {} more paths are not in the backup",
                                     snapshot.omissions.size() - kToldMax));
      break;
    }
    warnings.push_back(omission.to_string());
  }
  return warnings;
}

Status leave_unreadable(const store::Snapshot& snapshot, TransactionKind kind, Proposal& proposal) {
  const bool is_whole =
      kind == TransactionKind::kRollback || kind == TransactionKind::kAutoRollback;
  if (kind == TransactionKind::kUpdate) RETURN_IF_ERROR(refuse_reported(snapshot, proposal));
  for (auto edit = proposal.edits.begin(); edit != proposal.edits.end();) {
    if (!snapshot.is_unreadable(edit->first)) {
      ++edit;
      continue;
    }
    const std::string path = edit->first.display();
    if (!is_whole) return unreadable(path);
    proposal.warnings.push_back(path + " cannot be read, so it stays as it is");
    std::erase_if(proposal.files, [&](const FileReport& file) { return file.path == path; });
    edit = proposal.edits.erase(edit);
  }
  return {};
}

}  // namespace stravinsky::engine
