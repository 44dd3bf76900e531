#include "checks/guards_check.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/strings.h"
#include "model/hook_reference.h"
#include "model/json_text.h"

namespace stravinsky::checks {
namespace {

using model::JsonIndex;
using model::JsonKind;
using model::JsonText;
using model::LogicalPath;
using model::Scope;

// Their hooks can refuse what is about to happen.
constexpr std::array<std::string_view, 8> kGuardEvents = {
    "PreToolUse", "PermissionRequest", "UserPromptSubmit", "UserPromptExpansion",
    "PreCompact", "ConfigChange",      "Elicitation",      "TaskCompleted"};

// Wider to the right; one that is not known is as wide as the default.
constexpr std::array<std::string_view, 6> kModes = {"plan",        "dontAsk", "default",
                                                    "acceptEdits", "auto",    "bypassPermissions"};

struct Place {
  std::string file;  // "~/.claude/settings.json"
  model::TextPosition position;
  std::string json_path;
};

// What the settings of one scope say together; keys hold values and are never shown.
struct Guards {
  // By what the hook runs and when; the matchers of those.
  std::map<std::pair<std::string, std::string>, std::map<std::string, Place>> hooks;
  std::map<std::string, Place> deny;
  std::map<std::string, Place> ask;
  std::map<std::string, Place> allow;
  std::map<std::string, Place> directories;
  std::optional<std::pair<size_t, Place>> mode;
  std::optional<Place> hooks_disabled;
  std::optional<Place> all_mcp_servers;
  std::optional<Place> no_danger_prompt;
};

size_t rank_of_mode(std::string_view mode) {
  const auto found = std::ranges::find(kModes, mode);
  constexpr size_t kDefault = 2;
  return found == kModes.end() ? kDefault : static_cast<size_t>(found - kModes.begin());
}

bool matches_all(const std::string& matcher) {
  return matcher.empty() || matcher == "*" || matcher == ".*";
}

class Reader {
 public:
  Reader(const TreeView& tree, Scope scope) : tree_(tree), scope_(scope) {}

  Guards run() {
    for (const SettingsKind kind : {SettingsKind::kShared, SettingsKind::kLocal}) {
      const auto text = tree_.settings(scope_, kind);
      if (!text || !text->has_value()) continue;  // check_settings speaks of it
      const auto document = JsonText::parse(**text);
      if (!document) continue;
      file_ = LogicalPath{scope_, fs::RelPath::of(settings_file_name(kind))}.display();
      read_hooks(**text);
      read_permissions(*document);
      read_flags(*document);
    }
    return std::move(guards_);
  }

 private:
  void read_hooks(const std::string& text) {
    const auto found = model::find_hook_references(text, scope_, tree_.roots());
    if (!found) return;
    for (const model::HookReference& hook : *found) {
      if (std::ranges::find(kGuardEvents, hook.event) == kGuardEvents.end()) continue;
      std::string what = hook.type + '\n';
      for (const model::ReferencedFile& file : hook.files)
        if (!file.path.empty())
          what += std::to_string(static_cast<int>(file.place)) + file.path + '\n';
      if (what.size() == hook.type.size() + 1) {
        what += hook.command;
        for (const std::string& arg : hook.args) what += '\n' + arg;
      }
      // Of handlers without a command the place is all there is to tell them apart by.
      if (hook.command.empty()) what += hook.json_path;
      guards_.hooks[{hook.event, what}].try_emplace(hook.matcher,
                                                    Place{file_, hook.position, hook.json_path});
    }
  }

  void read_permissions(const JsonText& document) {
    const JsonIndex permissions = document.find(JsonIndex::kRoot, "permissions");
    if (permissions == JsonIndex::kNone) return;
    const auto entries = [&](const char* key, std::map<std::string, Place>& into) {
      const JsonIndex list = document.find(permissions, key);
      if (list == JsonIndex::kNone || document.kind(list) != JsonKind::kArray) return;
      size_t number = 0;
      for (const JsonIndex entry : document.children(list)) {
        const std::string path =
            std::string("permissions.") + key + "[" + std::to_string(number++) + "]";
        if (document.kind(entry) == JsonKind::kString)
          into.try_emplace(document.string_value(entry),
                           Place{file_, document.position(entry), path});
      }
    };
    entries("deny", guards_.deny);
    entries("ask", guards_.ask);
    entries("allow", guards_.allow);
    entries("additionalDirectories", guards_.directories);
    const JsonIndex mode = document.find(permissions, "defaultMode");
    if (mode != JsonIndex::kNone && document.kind(mode) == JsonKind::kString)
      guards_.mode = {rank_of_mode(document.string_value(mode)),
                      Place{file_, document.position(mode), "permissions.defaultMode"}};
  }

  void read_flags(const JsonText& document) {
    const auto flag = [&](const char* key, std::optional<Place>& into) {
      const JsonIndex member = document.find(JsonIndex::kRoot, key);
      if (member != JsonIndex::kNone && document.raw(document[member].value) == "true")
        into = Place{file_, document.position(member), key};
    };
    flag("disableAllHooks", guards_.hooks_disabled);
    flag("enableAllProjectMcpServers", guards_.all_mcp_servers);
    flag("skipDangerousModePermissionPrompt", guards_.no_danger_prompt);
  }

  const TreeView& tree_;
  Scope scope_;
  std::string file_;
  Guards guards_;
};

class Comparison {
 public:
  Comparison(const Guards& before, const Guards& after, std::vector<Finding>& findings)
      : before_(before), after_(after), findings_(findings) {}

  void run() {
    removed();
    if (after_.hooks_disabled && !before_.hooks_disabled)
      say("guard.hooks_disabled", {*after_.hooks_disabled},
          "this update switches every hook off: ");
    wider();
    const size_t was = before_.mode ? before_.mode->first : rank_of_mode("default");
    if (after_.mode && after_.mode->first > was)
      say("guard.wider_mode", {after_.mode->second},
          "this update makes Claude Code ask less from the start: ");
  }

 private:
  void removed() {
    std::vector<Place> gone;
    for (const auto& [hook, matchers] : before_.hooks) {
      const auto now = after_.hooks.find(hook);
      for (const auto& [matcher, place] : matchers) {
        const bool stays =
            now != after_.hooks.end() && (now->second.contains(matcher) ||
                                          std::ranges::any_of(now->second, [](const auto& other) {
                                            return matches_all(other.first);
                                          }));
        if (!stays) gone.push_back(place);
      }
    }
    for (const auto& [entry, place] : before_.deny)
      if (!after_.deny.contains(entry)) gone.push_back(place);
    for (const auto& [entry, place] : before_.ask)
      if (!after_.ask.contains(entry) && !after_.deny.contains(entry)) gone.push_back(place);
    say("guard.removed", std::move(gone), "this update removes {} guard{}: ",
        "Keep them in your settings if they still guard something.");
  }

  void wider() {
    std::vector<Place> more;
    for (const auto& [entry, place] : after_.allow)
      if (!before_.allow.contains(entry)) more.push_back(place);
    for (const auto& [entry, place] : after_.directories)
      if (!before_.directories.contains(entry)) more.push_back(place);
    if (after_.all_mcp_servers && !before_.all_mcp_servers) more.push_back(*after_.all_mcp_servers);
    if (after_.no_danger_prompt && !before_.no_danger_prompt)
      more.push_back(*after_.no_danger_prompt);
    say("guard.wider_permissions", std::move(more),
        "this update allows {} more thing{} without asking: ");
  }

  // One finding for all places, those of a file together; "{}" and "{}" become the
  // count and the plural.
  void say(std::string_view rule, std::vector<Place> places, std::string text,
           std::string remedy = {}) {
    if (places.empty()) return;
    std::ranges::sort(places, {}, [](const Place& place) {
      return std::make_tuple(place.file, place.position.line, place.position.column);
    });
    if (const size_t at = text.find("{}"); at != std::string::npos) {
      text.replace(at, 2, with_thousands(places.size()));
      text.replace(text.find("{}"), 2, places.size() == 1 ? "" : "s");
    }
    constexpr size_t kNamedMax = 20;
    std::string file = places.front().file;
    for (size_t i = 0; i < places.size() && i < kNamedMax; ++i) {
      if (i > 0) text += ", ";
      if (places[i].file != file) text += places[i].file + ": ";
      file = places[i].file;
      text += places[i].json_path;
    }
    if (places.size() > kNamedMax)
      text += " and " + with_thousands(places.size() - kNamedMax) + " more";
    findings_.push_back({.severity = Severity::kWarning,
                         .check = "guards",
                         .rule = std::string(rule),
                         .file = places.front().file,
                         .line = places.front().position.line,
                         .column = places.front().position.column,
                         .message = std::move(text),
                         .remedy = std::move(remedy)});
  }

  const Guards& before_;
  const Guards& after_;
  std::vector<Finding>& findings_;
};

}  // namespace

Result<std::vector<Finding>> check_guards(const TreeView& next, const TreeView* present) {
  std::vector<Finding> findings;
  if (present == nullptr) return findings;
  for (const Scope scope : {Scope::kUser, Scope::kProject}) {
    const auto untouched = [&](SettingsKind kind) {
      return is_untouched({scope, fs::RelPath::of(settings_file_name(kind))}, next, present);
    };
    if (untouched(SettingsKind::kShared) && untouched(SettingsKind::kLocal)) continue;
    const Guards before = Reader(*present, scope).run();
    const Guards after = Reader(next, scope).run();
    Comparison(before, after, findings).run();
  }
  return findings;
}

}  // namespace stravinsky::checks
