#include "checks/settings_check.h"

#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "checks/settings_schema.h"
#include "model/json_text.h"

namespace stravinsky::checks {
namespace {

using model::JsonIndex;
using model::JsonKind;
using model::JsonText;

constexpr size_t kFindingsMax = 20;  // of one rule in one file

// Beyond these only the syntax is looked at: no such file is made by people, and
// the schema's judge keeps a copy of the document and a page of text for each fault.
constexpr size_t kSchemaMaxBytes = size_t{256} << 10U;

class FileCheck {
 public:
  FileCheck(const JsonText& document, std::string file, std::vector<Finding>& findings)
      : document_(document), file_(std::move(file)), findings_(findings) {}

  void run() {
    const auto hidden = document_.hidden_members();
    for (size_t i = 0; i < hidden.size() && i < kFindingsMax; ++i)
      warn("settings.duplicate_key", hidden[i],
           "the key \"" + escape(document_.key(hidden[i])) +
               "\" stands twice in one object, and only the last one counts");
    if (document_.text().starts_with("\xEF\xBB\xBF"))
      warn("settings.bom", JsonIndex::kRoot,
           "it begins with a byte order mark, which JSON forbids");
    if (!is_valid_utf8(document_.text()))
      warn("settings.utf8", JsonIndex::kRoot, "the file holds bytes that are not UTF-8");
    if (document_.text().size() > kSchemaMaxBytes) {
      warn("settings.too_large", JsonIndex::kRoot,
           "it is larger than " + human_size(kSchemaMaxBytes) + ", so only its syntax was checked");
      return;
    }
    for (const SchemaFault& fault : find_schema_faults(document_, kFindingsMax))
      warn(fault.rule, fault.at, fault.message, fault.remedy);
  }

 private:
  void warn(std::string_view rule, JsonIndex at, std::string message, std::string remedy = {}) {
    const model::TextPosition position = document_.position(at);
    findings_.push_back({.severity = Severity::kWarning,
                         .check = "settings",
                         .rule = std::string(rule),
                         .file = file_,
                         .line = position.line,
                         .column = position.column,
                         .message = std::move(message),
                         .remedy = std::move(remedy)});
  }

  const JsonText& document_;
  std::string file_;
  std::vector<Finding>& findings_;
};

void check_file(const TreeView& next, const TreeView* present, model::Scope scope,
                SettingsKind kind, std::vector<Finding>& findings) {
  const model::LogicalPath path{scope, fs::RelPath::of(settings_file_name(kind))};
  const auto refuse = [&](std::string_view rule, Severity severity, model::TextPosition position,
                          std::string message) {
    findings.push_back({.severity = severity,
                        .check = "settings",
                        .rule = std::string(rule),
                        .file = path.display(),
                        .line = position.line,
                        .column = position.column,
                        .message = std::move(message),
                        .remedy = "Claude Code ignores the whole file, deny rules included, "
                                  "until this is corrected."});
  };
  const auto text = next.settings(scope, kind);
  if (!text) {
    // An update that cannot read what it is to leave in place must not go ahead.
    refuse("settings.unreadable", Severity::kBlocking, {0, 0}, text.error().message);
    return;
  }
  if (!text->has_value() && next.is_dangling(path))
    return findings.push_back(
        {.severity = Severity::kWarning,
         .check = "settings",
         .rule = "settings.dangling_link",
         .file = path.display(),
         .line = 0,
         .column = 0,
         .message = "it is a link that leads nowhere, so no hook and no deny rule of it holds",
         .remedy = "Bring back what it leads to, or take the link away."});
  if (!text->has_value()) return;
  const auto severity = [&] {
    const auto file = next.find(path);
    return severity_by(file && file->has_value() ? origin_of(path, **file, next, present)
                                                 : Origin::kUpdate);
  };
  if (text->value().starts_with("\xFF\xFE") || text->value().starts_with("\xFE\xFF"))
    return refuse("settings.syntax", severity(), {1, 1},
                  "the file is UTF-16, but Claude Code reads UTF-8");
  const auto document = JsonText::parse(**text);
  if (!document)
    return refuse("settings.syntax", severity(), document.error().position, document.error().rule);
  if (document->kind(JsonIndex::kRoot) != JsonKind::kObject)
    return refuse("settings.not_object", severity(), document->position(JsonIndex::kRoot),
                  "settings must be a JSON object, not " +
                      std::string(with_article(document->kind(JsonIndex::kRoot))));
  // Warnings of a file that the update leaves as it is would come with every update.
  if (is_untouched(path, next, present)) return;
  FileCheck(*document, path.display(), findings).run();
}

}  // namespace

std::vector<Finding> check_settings(const TreeView& next, const TreeView* present) {
  std::vector<Finding> findings;
  for (const model::Scope scope : {model::Scope::kUser, model::Scope::kProject})
    for (const SettingsKind kind : {SettingsKind::kShared, SettingsKind::kLocal})
      check_file(next, present, scope, kind, findings);
  return findings;
}

}  // namespace stravinsky::checks
