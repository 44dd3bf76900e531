#include "checks/settings_check.h"

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "model/json_text.h"
#include "model/settings_merge.h"

namespace stravinsky::checks {
namespace {

using model::json_path;
using model::JsonIndex;
using model::JsonKind;
using model::JsonText;

constexpr size_t kFindingsMax = 20;  // of one rule in one file

struct Shape {
  std::string_view path;
  JsonKind kind;
  JsonKind element = JsonKind::kNull;  // kNull: any
};

constexpr std::array kShapes = {
    Shape{"hooks", JsonKind::kObject, JsonKind::kArray},
    Shape{"permissions", JsonKind::kObject},
    Shape{"permissions.allow", JsonKind::kArray, JsonKind::kString},
    Shape{"permissions.deny", JsonKind::kArray, JsonKind::kString},
    Shape{"permissions.ask", JsonKind::kArray, JsonKind::kString},
    Shape{"permissions.additionalDirectories", JsonKind::kArray, JsonKind::kString},
    Shape{"permissions.defaultMode", JsonKind::kString},
    Shape{"env", JsonKind::kObject, JsonKind::kString},
    Shape{"statusLine", JsonKind::kObject},
    Shape{"statusLine.type", JsonKind::kString},
    Shape{"statusLine.command", JsonKind::kString},
    Shape{"model", JsonKind::kString},
    Shape{"cleanupPeriodDays", JsonKind::kNumber},
};

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
    if (!is_valid_utf8(document_.text()))
      warn("settings.utf8", JsonIndex::kRoot, "the file holds bytes that are not UTF-8");
    for (const Shape& shape : kShapes) check_shape(shape);
    check_hooks();
    const JsonIndex days = document_.find(JsonIndex::kRoot, "cleanupPeriodDays");
    if (days != JsonIndex::kNone && document_.kind(days) == JsonKind::kNumber) {
      const std::string canonical = document_.canonical(days);
      if (canonical.starts_with('-') || canonical.starts_with("0"))
        warn("settings.shape", days, "cleanupPeriodDays must be at least 1");
    }
  }

 private:
  void warn(std::string_view rule, JsonIndex at, std::string message) {
    const model::TextPosition position = document_.position(at);
    findings_.push_back({.severity = Severity::kWarning,
                         .check = "settings",
                         .rule = std::string(rule),
                         .file = file_,
                         .line = position.line,
                         .column = position.column,
                         .message = std::move(message),
                         .remedy = {}});
  }

  void expect(JsonIndex at, const std::string& path, JsonKind kind) {
    if (document_.kind(at) == kind || shape_warnings_ >= kFindingsMax) return;
    ++shape_warnings_;
    warn("settings.shape", at,
         path + " must be " + std::string(with_article(kind)) + ", not " +
             std::string(with_article(document_.kind(at))));
  }

  void check_shape(const Shape& shape) {
    JsonIndex at = JsonIndex::kRoot;
    for (const std::string_view key : split(shape.path, '.')) {
      at = document_.find(at, key);
      if (at == JsonIndex::kNone) return;
    }
    const std::string path(shape.path);
    expect(at, path, shape.kind);
    if (document_.kind(at) != shape.kind || shape.element == JsonKind::kNull) return;
    size_t number = 0;
    for (const JsonIndex child : document_.children(at)) {
      expect(child,
             shape.kind == JsonKind::kObject ? json_path(path, document_.key(child))
                                             : path + "[" + std::to_string(number) + "]",
             shape.element);
      ++number;
    }
  }

  // hooks.<Event>[] = {matcher?, hooks: [{type, command, ...}]}
  void check_hooks() {
    const JsonIndex hooks = document_.find(JsonIndex::kRoot, "hooks");
    if (hooks == JsonIndex::kNone || document_.kind(hooks) != JsonKind::kObject) return;
    for (const JsonIndex event : document_.children(hooks)) {
      if (document_.kind(event) != JsonKind::kArray) continue;
      const std::string path = json_path("hooks", document_.key(event));
      size_t number = 0;
      for (const JsonIndex group : document_.children(event))
        check_group(group, path + "[" + std::to_string(number++) + "]");
    }
  }

  void check_group(JsonIndex group, const std::string& path) {
    expect(group, path, JsonKind::kObject);
    if (document_.kind(group) != JsonKind::kObject) return;
    const JsonIndex matcher = document_.find(group, "matcher");
    if (matcher != JsonIndex::kNone) expect(matcher, path + ".matcher", JsonKind::kString);
    const JsonIndex handlers = document_.find(group, "hooks");
    if (handlers == JsonIndex::kNone) {
      if (shape_warnings_++ < kFindingsMax)
        warn("settings.shape", group, path + " has no list of hooks");
      return;
    }
    expect(handlers, path + ".hooks", JsonKind::kArray);
    size_t number = 0;
    for (const JsonIndex handler : document_.children(handlers)) {
      const std::string handler_path = path + ".hooks[" + std::to_string(number++) + "]";
      expect(handler, handler_path, JsonKind::kObject);
      for (const std::string_view key : {"type", "command"}) {
        const JsonIndex member = document_.find(handler, key);
        if (member != JsonIndex::kNone)
          expect(member, json_path(handler_path, key), JsonKind::kString);
      }
    }
  }

  const JsonText& document_;
  std::string file_;
  std::vector<Finding>& findings_;
  size_t shape_warnings_ = 0;
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
  if (!text->has_value()) return;
  const auto severity = [&] {
    const auto file = next.find(path);
    return severity_by(file && file->has_value() ? origin_of(path, **file, present)
                                                 : Origin::kUpdate);
  };
  const auto document = JsonText::parse(**text);
  if (!document)
    return refuse("settings.syntax", severity(), document.error().position, document.error().rule);
  if (document->kind(JsonIndex::kRoot) != JsonKind::kObject)
    return refuse("settings.not_object", severity(), document->position(JsonIndex::kRoot),
                  "settings must be a JSON object, not " +
                      std::string(with_article(document->kind(JsonIndex::kRoot))));
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
