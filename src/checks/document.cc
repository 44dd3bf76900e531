#include "checks/document.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "checks/text_faults.h"

namespace stravinsky::checks {
namespace {

using model::LogicalPath;

constexpr uint64_t kDocumentMaxBytes = uint64_t{8} << 20U;

}  // namespace

void DocumentFindings::say(Severity severity, std::string_view rule, const LogicalPath& path,
                           int line, std::string message, std::string remedy) {
  findings_.push_back({.severity = severity,
                       .check = check_,
                       .rule = std::string(rule),
                       .file = path.display(),
                       .line = line,
                       .column = 0,
                       .message = std::move(message),
                       .remedy = std::move(remedy)});
}

std::optional<FrontMatter> DocumentFindings::read(const LogicalPath& path, const FileView& file) {
  const auto warn = [&](std::string_view rule, int line, std::string message,
                        std::string remedy = {}) {
    say(Severity::kWarning, rule, path, line, std::move(message), std::move(remedy));
  };
  if (file.type != fs::NodeType::kFile) {
    warn("document.unreadable", 0, "it is not a regular file");
    return std::nullopt;
  }
  if (file.size_bytes == 0) {
    warn("document.empty", 0, "it is empty");
    return std::nullopt;
  }
  if (file.size_bytes > kDocumentMaxBytes) {
    warn("document.too_large", 0,
         "it is larger than " + human_size(kDocumentMaxBytes) + ", so it was not checked");
    return std::nullopt;
  }
  const auto text = file.read();
  if (!text) {
    warn("document.unreadable", 0, text.error().message);
    return std::nullopt;
  }
  if (const int line = not_utf8_line(*text); line != 0)
    warn("document.utf8", line, "there are bytes that are not UTF-8");
  if (const int line = conflict_line(*text); line != 0)
    warn("document.conflict_marker", line, "there is an unresolved merge conflict marker");
  FrontMatter front = read_front_matter(*text);
  if (front.fault)
    findings_.push_back(
        {.severity = Severity::kWarning,
         .check = check_,
         .rule = "front_matter.syntax",
         .file = path.display(),
         .line = front.fault->line,
         .column = front.fault->column,
         .message = "its front matter is not YAML: " + escape(front.fault->rule),
         .remedy = "Put quotes round values that hold \": \" or begin with a sign."});
  if (front.strict_fault)
    say(Severity::kInformation, "front_matter.not_strict", path, front.strict_fault->line,
        "its front matter is YAML only once a text in it is put in quotes, as Claude Code does");
  for (const auto& [key, line] : front.duplicates)
    warn("front_matter.duplicate_key", line,
         "the key \"" + escape(key) + "\" stands twice in its front matter");
  return front;
}

std::string folded(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return lower;
}

Result<std::vector<LogicalPath>> documents_beneath(const TreeView& next, model::Scope scope,
                                                   const std::string& directory) {
  ASSIGN_OR_RETURN(std::vector<LogicalPath> paths, next.files_beneath(scope, directory));
  std::erase_if(paths, [](const LogicalPath& path) { return !path.path.name().ends_with(".md"); });
  std::ranges::sort(paths);
  return paths;
}

Result<std::optional<FileView>> find_brought(const TreeView& next, const TreeView* present,
                                             const LogicalPath& path) {
  if (is_untouched(path, next, present)) return std::optional<FileView>();
  ASSIGN_OR_RETURN(std::optional<FileView> file, next.find(path));
  if (file && origin_of(path, *file, next, present) == Origin::kPresent) file.reset();
  return file;
}

}  // namespace stravinsky::checks
