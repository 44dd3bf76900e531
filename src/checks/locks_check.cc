#include "base/strings.h"
#include "checks/environment_checks.h"
#include "fs/file.h"
#include "fs/lock_file.h"
#include "model/store_layout.h"

namespace stravinsky::checks {
namespace {

Finding warning(std::string_view rule, std::string file, std::string message, std::string remedy) {
  return {.severity = Severity::kWarning,
          .check = "locks",
          .rule = std::string(rule),
          .file = std::move(file),
          .message = std::move(message),
          .remedy = std::move(remedy)};
}

}  // namespace

Result<std::vector<Finding>> check_locks(const Surroundings& around) {
  std::vector<Finding> findings;
  if (around.store != fs::Fd::kNone) {
    ASSIGN_OR_RETURN(const auto owner,
                     fs::current_owner(around.fs, around.store, model::layout::lock()));
    if (owner)
      findings.push_back(warning("lock.held", escape(around.store_path),
                                 "another stravinsky is at work: " + escape(*owner),
                                 "Wait until it is done, and run the command again."));
  }
  for (const store::TreeEntry& entry : around.snapshot.entries) {
    if (entry.state != model::EntryState::kStored || entry.stat.type != fs::NodeType::kFile)
      continue;
    const fs::Fd dir = around.snapshot.directories[entry.directory].file.fd();
    const auto file = fs::open_if_present(around.fs, dir, entry.beneath, fs::OpenMode::kRead);
    if (!file || !file->has_value()) continue;  // check_permissions speaks of it
    ASSIGN_OR_RETURN(const bool busy, around.fs.has_writer((*file)->fd()));
    if (busy)
      findings.push_back(warning("lock.writer", entry.path.display(),
                                 "a program has it open for writing",
                                 "Close that program, or wait until it has saved."));
  }
  return findings;
}

}  // namespace stravinsky::checks
