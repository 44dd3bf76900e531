#include "model/settings_merge.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/strings.h"
#include "model/hook_lists.h"
#include "model/json_edit.h"

namespace stravinsky::model {
namespace {

constexpr size_t kKeyMaxBytes = 200;
constexpr size_t kPathMaxBytes = 1000;
constexpr std::string_view kCut = "...";

constexpr std::array<std::string_view, 4> kStringLists = {"permissions.allow", "permissions.deny",
                                                          "permissions.ask",
                                                          "permissions.additionalDirectories"};

bool is_string_list(std::string_view path) {
  return std::ranges::find(kStringLists, path) != kStringLists.end() ||
         (path.starts_with("enabled") && path.find_first_of(".[") == std::string_view::npos);
}

bool is_event(std::string_view path) {
  return path.starts_with("hooks.") && path.find_first_of(".[", 6) == std::string_view::npos;
}

// Half of one side's and half of the other's would be neither.
bool is_one_value(std::string_view path) {
  return path == "statusLine";
}

// What happened at which paths, in the order in which it was met.
class Notes {
 public:
  // noun: what is counted at the path; empty for the path itself.
  void add(const std::string& path, std::string_view noun) {
    const auto [at, is_new] = index_.try_emplace(path + "\n" + std::string(noun), notes_.size());
    if (is_new) notes_.push_back({.path = path, .noun = noun});
    ++notes_[at->second].count;
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (const Note& note : notes_) {
      std::string line = note.path;
      if (!note.noun.empty())
        line += ": " + with_thousands(note.count) + " " +
                (note.count == 1 ? std::string(note.noun) : plural(note.noun));
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  struct Note {
    std::string path;
    std::string_view noun;
    size_t count = 0;
  };

  static std::string plural(std::string_view noun) {
    return noun == "entry" ? "entries" : std::string(noun) + "s";
  }

  std::vector<Note> notes_;
  std::unordered_map<std::string, size_t> index_;
};

// An element of the three documents; kNone where a document lacks it. Always of the
// base when there is none.
struct Three {
  JsonIndex base = JsonIndex::kNone;
  JsonIndex mine = JsonIndex::kNone;
  JsonIndex theirs = JsonIndex::kNone;
};

class Merger {
 public:
  // base: nullptr when it is not known.
  Merger(const JsonText* base, const JsonText& mine, const JsonText& theirs, Side in_force)
      : base_(base), mine_(mine), theirs_(theirs), in_force_(in_force), edit_(mine, theirs) {}

  SettingsMerge run() {
    const JsonIndex base_root = base_ == nullptr ? JsonIndex::kNone : JsonIndex::kRoot;
    merge_objects({base_root, JsonIndex::kRoot, JsonIndex::kRoot}, "");
    JsonEdit::Edited edited = edit_.apply();
    return {.text = std::move(edited.text),
            .added = added_.lines(),
            .changed = changed_.lines(),
            .removed = removed_.lines(),
            .kept = kept_.lines(),
            .conflicts = conflicts_.lines(),
            .inserted = std::move(edited.inserted)};
  }

 private:
  static bool is(const JsonText* document, JsonIndex index, JsonKind kind) {
    return index != JsonIndex::kNone && document->kind(index) == kind;
  }
  bool all_are(const Three& at, JsonKind kind) const {
    return is(&mine_, at.mine, kind) &&
           (at.theirs == JsonIndex::kNone || is(&theirs_, at.theirs, kind));
  }
  JsonIndex base_if(const Three& at, JsonKind kind) const {
    return is(base_, at.base, kind) ? at.base : JsonIndex::kNone;
  }
  std::string mine_of(JsonIndex index) const { return mine_.canonical(index); }
  std::string theirs_of(JsonIndex index) const { return theirs_.canonical(index); }
  std::string base_of(JsonIndex index) const { return base_->canonical(index); }

  // Both have something else; take makes theirs the one in force.
  void conflict(const std::string& path, const std::function<void()>& take) {
    if (base_ == nullptr) return kept_.add(path, "");
    conflicts_.add(path, "");
    if (in_force_ == Side::kTheirs) take();
  }

  // at.theirs may be kNone: everything of theirs is gone.
  void merge_objects(const Three& at, const std::string& path) {
    using Members = std::unordered_map<std::string, JsonIndex>;
    const Members base = at.base == JsonIndex::kNone ? Members() : base_->members(at.base);
    const Members theirs = at.theirs == JsonIndex::kNone ? Members() : theirs_.members(at.theirs);
    const Members mine = mine_.members(at.mine);
    const auto in = [](const Members& members, const std::string& key) {
      const auto found = members.find(key);
      return found == members.end() ? JsonIndex::kNone : found->second;
    };
    for (const JsonIndex child : mine_.children(at.mine)) {
      const std::string key = mine_.key(child);
      const Three one{in(base, key), child, in(theirs, key)};
      if (one.theirs != JsonIndex::kNone) {
        merge_value(one, json_path(path, key));
      } else if (one.base != JsonIndex::kNone) {
        drop_value(at.mine, one, json_path(path, key));
      }
    }
    if (at.theirs == JsonIndex::kNone) return;
    for (const JsonIndex child : theirs_.children(at.theirs)) {
      const std::string key = theirs_.key(child);
      if (mine.contains(key) || theirs.at(key) != child) continue;
      bring_value(at.mine, {in(base, key), JsonIndex::kNone, child}, json_path(path, key));
    }
  }

  // Both sides have it.
  void merge_value(const Three& at, const std::string& path) {
    if (merge_inside(at, path)) return;
    const std::string mine = mine_of(at.mine);
    const std::string theirs = theirs_of(at.theirs);
    if (mine == theirs) return;
    const auto take = [&] { edit_.replace(at.mine, at.theirs); };
    if (at.base != JsonIndex::kNone) {
      const std::string base = base_of(at.base);
      if (base == theirs) return;
      if (base == mine) {
        changed_.add(path, "");
        return take();
      }
    }
    conflict(path, take);
  }

  // Theirs lacks it, and the base had it.
  void drop_value(JsonIndex container, const Three& at, const std::string& path) {
    const auto take = [&] { edit_.remove(container, at.mine); };
    if (mine_of(at.mine) == base_of(at.base)) {
      note_whole(mine_, at.mine, path, removed_);
      return take();
    }
    if (base_->kind(at.base) != mine_.kind(at.mine) || !merge_inside(at, path))
      return conflict(path, take);
    // One that the user emptied is theirs.
    if (mine_[at.mine].first_child != JsonIndex::kNone && edit_.would_be_empty(at.mine)) take();
  }

  // The user lacks it.
  void bring_value(JsonIndex container, const Three& at, const std::string& path) {
    const auto take = [&] {
      note_whole(theirs_, at.theirs, path, added_);
      edit_.add(container, at.theirs);
    };
    if (at.base == JsonIndex::kNone) return take();
    if (base_of(at.base) == theirs_of(at.theirs)) return;  // deleted by the user
    if (is_event(path) && is_list_of_groups(theirs_, at.theirs) &&
        is_list_of_groups(*base_, at.base)) {
      // Handlers that the user deleted with all others stay deleted.
      if (leave_out_known(at)) take();
      return;
    }
    conflict(path, take);
  }

  // True if the value is one that is merged by its parts, and was.
  bool merge_inside(const Three& at, const std::string& path) {
    if (is_one_value(path)) return false;
    if (all_are(at, JsonKind::kObject)) {
      merge_objects({base_if(at, JsonKind::kObject), at.mine, at.theirs}, path);
      return true;
    }
    if (!all_are(at, JsonKind::kArray)) return false;
    const Three lists{base_if(at, JsonKind::kArray), at.mine, at.theirs};
    if (is_string_list(path)) {
      merge_strings(lists, path);
      return true;
    }
    return is_event(path) && merge_event(lists, path);
  }

  static std::set<std::string> strings_in(const JsonText* document, JsonIndex list) {
    std::set<std::string> strings;
    if (list == JsonIndex::kNone) return strings;
    for (const JsonIndex item : document->children(list))
      if (document->kind(item) == JsonKind::kString) strings.insert(document->canonical(item));
    return strings;
  }

  void merge_strings(const Three& at, const std::string& path) {
    const std::set<std::string> base = strings_in(base_, at.base);
    const std::set<std::string> theirs = strings_in(&theirs_, at.theirs);
    std::set<std::string> mine = strings_in(&mine_, at.mine);
    for (const JsonIndex item : mine_.children(at.mine)) {
      const std::string text = mine_of(item);
      if (!base.contains(text) || theirs.contains(text)) continue;
      edit_.remove(at.mine, item);
      removed_.add(path, "entry");
    }
    if (at.theirs == JsonIndex::kNone) return;
    for (const JsonIndex item : theirs_.children(at.theirs)) {
      if (theirs_.kind(item) != JsonKind::kString) continue;
      const std::string text = theirs_of(item);
      if (base.contains(text) || !mine.insert(text).second) continue;
      edit_.add(at.mine, item);
      added_.add(path, "entry");
    }
  }

  // A whole element that comes or goes; hooks are told by event.
  void note_whole(const JsonText& document, JsonIndex element, const std::string& path,
                  Notes& notes) const {
    if (path == "hooks" && document.kind(element) == JsonKind::kObject &&
        document[element].first_child != JsonIndex::kNone) {
      for (const JsonIndex event : document.children(element))
        note_whole(document, event, json_path(path, document.key(event)), notes);
      return;
    }
    size_t count = 0;
    if (is_event(path) && is_list_of_groups(document, element))
      for (const HookPlace& place : hooks_in(document, element))
        count += edit_.is_left_out(place.handler) && &document == &theirs_ ? 0U : 1U;
    if (count == 0) notes.add(path, "");
    for (; count > 0; --count) notes.add(path, "handler");
  }

  // Of an event of theirs; true if anything is left of it.
  bool leave_out_known(const Three& at) {
    std::set<std::string> known;
    for (const HookPlace& place : hooks_in(*base_, at.base)) known.insert(place.identity);
    bool is_any_left = false;
    for (const JsonIndex group : theirs_.children(at.theirs)) {
      const JsonIndex handlers = handlers_of(theirs_, group);
      bool is_group_left = false;
      for (const HookPlace& place : hooks_in_group(theirs_, group, handlers)) {
        if (known.contains(place.identity)) {
          edit_.leave_out(place.handler);
        } else {
          is_group_left = true;
        }
      }
      if (!is_group_left) edit_.leave_out(group);
      is_any_left = is_any_left || is_group_left;
    }
    return is_any_left;
  }

  // False when one of the lists is not made of groups of handlers.
  bool merge_event(const Three& at, const std::string& path) {
    if (!is_list_of_groups(mine_, at.mine)) return false;
    if (at.theirs != JsonIndex::kNone && !is_list_of_groups(theirs_, at.theirs)) return false;
    if (at.base != JsonIndex::kNone) {
      if (!is_list_of_groups(*base_, at.base)) return false;
      // What matching by handler would not carry over, if it need not be matched.
      const bool is_plain = is_plain_event(*base_, at.base) &&
                            (at.theirs == JsonIndex::kNone || is_plain_event(theirs_, at.theirs));
      if (!is_plain && base_of(at.base) == mine_of(at.mine)) return false;
    }
    std::unordered_map<std::string, JsonIndex> base;
    if (at.base != JsonIndex::kNone)
      for (const HookPlace& place : hooks_in(*base_, at.base))
        base.emplace(place.identity, place.handler);
    std::unordered_map<std::string, JsonIndex> theirs;
    if (at.theirs != JsonIndex::kNone)
      for (const HookPlace& place : hooks_in(theirs_, at.theirs))
        theirs.emplace(place.identity, place.handler);
    std::set<std::string> known;  // of mine and of the base
    for (const auto& [identity, handler] : base) known.insert(identity);
    std::unordered_map<std::string, JsonIndex> group_of_matcher;  // of mine
    for (const HookPlace& place : hooks_in(mine_, at.mine)) {
      known.insert(place.identity);
      const auto in = [&](const std::unordered_map<std::string, JsonIndex>& handlers) {
        const auto found = handlers.find(place.identity);
        return found == handlers.end() ? JsonIndex::kNone : found->second;
      };
      merge_handler(place, {in(base), place.handler, in(theirs)}, path);
    }
    for (const JsonIndex group : mine_.children(at.mine))
      if (handlers_of(mine_, group) != JsonIndex::kNone)
        group_of_matcher.emplace(matcher_of(mine_, group), handlers_of(mine_, group));
    if (at.theirs != JsonIndex::kNone)
      for (const JsonIndex group : theirs_.children(at.theirs))
        add_handlers(at.mine, group, path, known, group_of_matcher);
    for (const JsonIndex group : mine_.children(at.mine)) {
      const JsonIndex handlers = handlers_of(mine_, group);
      const bool is_emptied = handlers != JsonIndex::kNone &&
                              mine_[handlers].first_child != JsonIndex::kNone &&
                              edit_.would_be_empty(handlers);
      if (is_emptied && is_plain_group(mine_, group)) edit_.remove(at.mine, group);
    }
    return true;
  }

  void merge_handler(const HookPlace& place, const Three& at, const std::string& path) {
    const std::string place_path = path + "[" + std::to_string(place.group_number) + "].hooks[" +
                                   std::to_string(place.number) + "]";
    if (at.theirs == JsonIndex::kNone) {
      if (at.base == JsonIndex::kNone) return;
      const auto take = [&] { edit_.remove(place.handlers, at.mine); };
      if (mine_of(at.mine) != base_of(at.base)) return conflict(place_path, take);
      removed_.add(path, "handler");
      return take();
    }
    if (mine_of(at.mine) == theirs_of(at.theirs)) return;
    if (base_ == nullptr) return kept_.add(place_path, "");
    merge_objects(at, place_path);
  }

  void add_handlers(JsonIndex event, JsonIndex group, const std::string& path,
                    std::set<std::string>& known,
                    const std::unordered_map<std::string, JsonIndex>& group_of_matcher) {
    const JsonIndex handlers = handlers_of(theirs_, group);
    if (handlers == JsonIndex::kNone) return;
    const auto mine = group_of_matcher.find(matcher_of(theirs_, group));
    bool is_any_new = false;
    for (const HookPlace& place : hooks_in_group(theirs_, group, handlers)) {
      if (!known.insert(place.identity).second) {
        edit_.leave_out(place.handler);
        continue;
      }
      is_any_new = true;
      added_.add(path, "handler");
      if (mine != group_of_matcher.end()) edit_.add(mine->second, place.handler);
    }
    if (is_any_new && mine == group_of_matcher.end()) edit_.add(event, group);
  }

  const JsonText* base_;
  const JsonText& mine_;
  const JsonText& theirs_;
  Side in_force_;
  JsonEdit edit_;
  Notes added_, changed_, removed_, kept_, conflicts_;
};

Result<JsonText> parse_object(std::string_view text, std::string_view whose, ErrorCode code) {
  if (text.size() > kSettingsMergeMaxBytes)
    return make_error(code, std::string(whose) + " are larger than " +
                                human_size(kSettingsMergeMaxBytes) + ", too large to be merged");
  auto document = JsonText::parse(text);
  if (!document)
    return make_error(code,
                      std::string(whose) + " are not valid JSON: " + document.error().to_string());
  if (document->kind(JsonIndex::kRoot) != JsonKind::kObject)
    return make_error(code, std::string(whose) + " must be a JSON object, not " +
                                std::string(with_article(document->kind(JsonIndex::kRoot))));
  if (const auto hidden = document->hidden_members(); !hidden.empty()) {
    const TextPosition at = document->position(hidden.front());
    return make_error(
        code,
        std::string(whose) + " hold a key twice: " +
            JsonFault{.position = at, .rule = "has no effect, a later one hides it"}.to_string());
  }
  return std::move(document).value();
}

Result<SettingsMerge> merge(const JsonText* base, std::string_view mine, std::string_view theirs,
                            Side in_force) {
  ASSIGN_OR_RETURN(const JsonText my_document,
                   parse_object(mine, "the settings in use", ErrorCode::kConflict));
  ASSIGN_OR_RETURN(const JsonText their_document,
                   parse_object(theirs, "the new settings", ErrorCode::kChecksRefused));
  SettingsMerge merged = Merger(base, my_document, their_document, in_force).run();
  if (merged.text == mine) return merged;
  // Two legal documents can add up to one beyond the limits.
  if (const auto result = JsonText::parse(merged.text); !result)
    return make_error(ErrorCode::kConflict,
                      "the merged settings would not be readable: " + result.error().rule);
  return merged;
}

}  // namespace

std::string json_path(std::string_view parent, std::string_view key) {
  const bool is_plain = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '$';
  });
  std::string path(parent);
  if (path.ends_with(kCut)) return path;
  if (path.size() > kPathMaxBytes) return path.append(kCut);
  if (is_plain && key.size() <= kKeyMaxBytes) {
    if (!path.empty()) path += '.';
    return path.append(key);
  }
  path += "[\"" + escape(key.substr(0, kKeyMaxBytes));
  return path.append(key.size() > kKeyMaxBytes ? kCut : "").append("\"]");
}

Result<SettingsMerge> merge_settings(std::string_view base, std::string_view mine,
                                     std::string_view theirs, Side in_force) {
  const auto document = JsonText::parse(base);
  const bool is_known = document && document->kind(JsonIndex::kRoot) == JsonKind::kObject;
  return merge(is_known ? &*document : nullptr, mine, theirs, in_force);
}

Result<SettingsMerge> merge_settings_additive(std::string_view mine, std::string_view theirs) {
  return merge(nullptr, mine, theirs, Side::kMine);
}

}  // namespace stravinsky::model
