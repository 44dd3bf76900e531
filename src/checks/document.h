// Document: one Markdown file that Claude Code loads, and what is said about all of
// them, be they commands, agents or skills.
//
// Only a file that the update brings or changes is read: an old fault of the user's
// would be told again with every update, and nothing in such a file denies a tool
// call. Everything here warns; Claude Code loads what it can and drops the rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/finding.h"
#include "checks/front_matter.h"
#include "checks/tree_view.h"

namespace stravinsky::checks {

// One check's findings, with the parts that they share.
class DocumentFindings {
 public:
  explicit DocumentFindings(std::string_view check) : check_(check) {}

  void say(Severity severity, std::string_view rule, const model::LogicalPath& path, int line,
           std::string message, std::string remedy = {});
  // Those whose front matter is missing or lacks one of name and description.
  // Rules: document.unreadable, document.empty, document.too_large, document.utf8,
  // document.conflict_marker, front_matter.syntax, front_matter.duplicate_key; for
  // information front_matter.not_strict.
  // nullopt: there is nothing more to look at, and the findings say why.
  std::optional<FrontMatter> read(const model::LogicalPath& path, const FileView& file);

  std::vector<Finding> take() { return std::move(findings_); }

 private:
  std::string check_;
  std::vector<Finding> findings_;
};

// ASCII letters in lower case: the least that a file system which ignores case folds.
std::string folded(std::string_view text);

// The files beneath directory that end in ".md", in the order of their paths; of both
// trees nothing is read. Empty without a change beneath it (has_changes).
Result<std::vector<model::LogicalPath>> documents_beneath(const TreeView& next, model::Scope scope,
                                                          const std::string& directory);

// The file at path, when the update brings or changes it.
Result<std::optional<FileView>> find_brought(const TreeView& next, const TreeView* present,
                                             const model::LogicalPath& path);

}  // namespace stravinsky::checks
