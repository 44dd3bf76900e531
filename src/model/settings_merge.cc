#include "model/settings_merge.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::model {
namespace {

constexpr std::array<std::string_view, 4> kStringLists = {"permissions.allow", "permissions.deny",
                                                          "permissions.ask",
                                                          "permissions.additionalDirectories"};

bool is_string_list(std::string_view path) {
  return std::ranges::find(kStringLists, path) != kStringLists.end() ||
         (path.starts_with("enabled") && path.find_first_of(".[") == std::string_view::npos);
}

enum class Layout : uint8_t { kInline, kLines };

// How the user's document is written.
class Style {
 public:
  explicit Style(const JsonText& document) : document_(document) {
    const std::string_view text = document.text();
    const size_t line_end = text.find('\n');
    if (line_end != std::string_view::npos && line_end > 0 && text[line_end - 1] == '\r')
      newline = "\r\n";
    const JsonNode& root = document[JsonIndex::kRoot];
    if (root.first_child == JsonIndex::kNone) return;
    const JsonNode& first = document[root.first_child];
    if (!has_newline(root.value.begin, first.begin())) layout = Layout::kInline;
    if (first.key.size() != 0 && !has_newline(first.key.end, first.value.begin))
      colon = text.substr(first.key.end, first.value.begin - first.key.end);
    if (colon == ":") comma = ",";
    find_unit_and_comma(JsonIndex::kRoot);
  }

  bool has_newline(size_t begin, size_t end) const {
    return document_.text().substr(begin, end - begin).find('\n') != std::string_view::npos;
  }

  // The white space with which the line of offset begins.
  std::string_view line_indent(size_t offset) const {
    const std::string_view text = document_.text();
    const size_t begin = line_begin(offset);
    const size_t end = text.find_first_not_of(" \t", begin);
    return text.substr(begin, std::min(end, offset) - begin);
  }
  bool begins_line(size_t offset) const {
    return line_begin(offset) + line_indent(offset).size() == offset;
  }

  std::string newline = "\n";
  std::string unit = "  ";
  std::string colon = ": ";
  std::string comma = ", ";        // between elements on one line
  Layout layout = Layout::kLines;  // of the outermost object

 private:
  size_t line_begin(size_t offset) const {
    const std::string_view text = document_.text();
    const size_t newline_at = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
    if (newline_at != std::string_view::npos) return newline_at + 1;
    return text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  }

  // From the first container, in the order of the text, that shows them.
  void find_unit_and_comma(JsonIndex container) {
    bool has_unit = false;
    bool has_comma = false;
    std::vector<JsonIndex> pending = {container};
    while (!pending.empty() && !(has_unit && has_comma)) {
      const JsonNode& node = document_[pending.back()];
      pending.pop_back();
      if (node.first_child == JsonIndex::kNone) continue;
      const JsonNode& first = document_[node.first_child];
      if (!has_unit && has_newline(node.value.begin, first.begin())) {
        const std::string_view outer = line_indent(node.value.begin);
        const std::string_view inner = line_indent(first.begin());
        if (inner.size() > outer.size() && inner.starts_with(outer)) {
          unit = inner.substr(outer.size());
          has_unit = true;
        }
      }
      if (!has_comma && first.next_sibling != JsonIndex::kNone) {
        const JsonNode& second = document_[first.next_sibling];
        if (!has_newline(first.value.end, second.begin())) {
          comma = document_.text().substr(first.value.end, second.begin() - first.value.end);
          has_comma = true;
        }
      }
      const size_t here = pending.size();
      for (JsonIndex child = node.first_child; child != JsonIndex::kNone;
           child = document_[child].next_sibling)
        pending.push_back(child);
      std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(here), pending.end());
    }
  }

  const JsonText& document_;
};

// Elements of theirs, written the way mine is written.
class Printer {
 public:
  Printer(const JsonText& theirs, const Style& style) : theirs_(theirs), style_(style) {}

  void element(JsonIndex index, std::string_view indent, Layout layout, std::string& out) const {
    const JsonNode& node = theirs_[index];
    if (node.key.size() != 0) {
      out += theirs_.raw(node.key);
      out += style_.colon;
    }
    if (node.first_child == JsonIndex::kNone && node.kind == JsonKind::kArray) {
      out += "[]";
    } else if (node.first_child == JsonIndex::kNone && node.kind == JsonKind::kObject) {
      out += "{}";
    } else if (node.first_child == JsonIndex::kNone) {
      out += theirs_.raw(node.value);
    } else {
      const bool is_object = node.kind == JsonKind::kObject;
      out += is_object ? '{' : '[';
      const std::string inner = std::string(indent) + style_.unit;
      const auto last = theirs_.members(index);
      bool is_first = true;
      for (const JsonIndex child : theirs_.children(index)) {
        // A member hidden by a later one never had an effect.
        if (is_object && last.at(theirs_.key(child)) != child) continue;
        if (layout == Layout::kLines) {
          out += is_first ? "" : ",";
          out += style_.newline + inner;
        } else if (!is_first) {
          out += style_.comma;
        }
        element(child, inner, layout, out);
        is_first = false;
      }
      if (layout == Layout::kLines) {
        out += style_.newline;
        out += indent;
      }
      out += is_object ? '}' : ']';
    }
  }

 private:
  const JsonText& theirs_;
  const Style& style_;
};

class Merger {
 public:
  Merger(const JsonText& mine, const JsonText& theirs) : mine_(mine), theirs_(theirs) {}

  SettingsMerge run() {
    merge_objects(JsonIndex::kRoot, JsonIndex::kRoot, "");
    SettingsMerge merge = insert();
    for (const Note& note : notes_) {
      std::string line = note.path;
      if (!note.noun.empty())
        line += ": " + with_thousands(note.count) + " " +
                (note.count == 1 ? std::string(note.noun) : plural(note.noun));
      merge.added.push_back(std::move(line));
    }
    merge.kept = std::move(kept_);
    return merge;
  }

 private:
  struct Note {
    std::string path;
    std::string_view noun;  // empty: a key, not counted
    size_t count = 0;
  };
  // The user's handlers under one matcher.
  struct Group {
    JsonIndex handlers = JsonIndex::kNone;                      // array of the first group
    std::unordered_map<std::string, std::string> canonical_of;  // by identity
  };

  static std::string plural(std::string_view noun) {
    return noun == "entry" ? "entries" : std::string(noun) + "s";
  }

  void add(JsonIndex container, JsonIndex element) { additions_[container].push_back(element); }

  void note(const std::string& path, std::string_view noun) {
    const auto [at, is_new] = note_of_path_.try_emplace(path, notes_.size());
    if (is_new) notes_.push_back({.path = path, .noun = noun});
    ++notes_[at->second].count;
  }

  void keep_if_different(JsonIndex mine, JsonIndex theirs, const std::string& path) {
    if (mine_.canonical(mine) != theirs_.canonical(theirs)) kept_.push_back(path);
  }

  void merge_objects(JsonIndex mine, JsonIndex theirs, const std::string& path) {
    const auto my_members = mine_.members(mine);
    const auto their_members = theirs_.members(theirs);
    for (const JsonIndex child : theirs_.children(theirs)) {
      const std::string key = theirs_.key(child);
      if (their_members.at(key) != child) continue;
      const std::string child_path = json_path(path, key);
      const auto found = my_members.find(key);
      if (found != my_members.end()) {
        merge_pair(found->second, child, child_path);
        continue;
      }
      add(mine, child);
      if (child_path == "hooks" && theirs_.kind(child) == JsonKind::kObject &&
          theirs_[child].first_child != JsonIndex::kNone) {
        for (const auto& event : theirs_.children(child))
          note_event(json_path(child_path, theirs_.key(event)), event);
      } else if (path == "hooks") {
        note_event(child_path, child);
      } else {
        note(child_path, "");
      }
    }
  }

  void merge_pair(JsonIndex mine, JsonIndex theirs, const std::string& path) {
    const JsonKind kind = mine_.kind(mine);
    if (kind == theirs_.kind(theirs)) {
      if (kind == JsonKind::kObject) return merge_objects(mine, theirs, path);
      if (kind == JsonKind::kArray && is_string_list(path))
        return merge_strings(mine, theirs, path);
      if (kind == JsonKind::kArray && is_event(path)) return merge_event(mine, theirs, path);
    }
    keep_if_different(mine, theirs, path);
  }

  static bool is_event(std::string_view path) {
    return path.starts_with("hooks.") && path.find_first_of(".[", 6) == std::string_view::npos;
  }

  void merge_strings(JsonIndex mine, JsonIndex theirs, const std::string& path) {
    std::unordered_map<std::string, bool> seen;
    for (const JsonIndex item : mine_.children(mine)) seen[mine_.canonical(item)] = true;
    for (const JsonIndex item : theirs_.children(theirs)) {
      if (theirs_.kind(item) != JsonKind::kString) continue;
      if (!seen.emplace(theirs_.canonical(item), true).second) continue;
      add(mine, item);
      note(path, "entry");
    }
  }

  // A group without matcher stands for every tool, and so do "" and "*".
  static std::string matcher_of(const JsonText& document, JsonIndex group) {
    const JsonIndex matcher = document.find(group, "matcher");
    if (matcher == JsonIndex::kNone) return "";
    const std::string text = document.string_value(matcher);
    if (document.kind(matcher) == JsonKind::kString && (text.empty() || text == "*")) return "";
    return document.canonical(matcher);
  }

  static std::string group_path(const JsonText& document, JsonIndex group,
                                const std::string& event_path) {
    if (matcher_of(document, group).empty()) return event_path;
    return event_path + "[matcher " +
           escape(document.string_value(document.find(group, "matcher"))) + "]";
  }

  // The array of handlers; kNone for a group that has none.
  static JsonIndex handlers_of(const JsonText& document, JsonIndex group) {
    const JsonIndex handlers = document.find(group, "hooks");
    if (handlers == JsonIndex::kNone || document.kind(handlers) != JsonKind::kArray)
      return JsonIndex::kNone;
    return handlers;
  }

  static std::string identity_of(const JsonText& document, JsonIndex handler) {
    const auto members = document.members(handler);
    if (!members.contains("command")) return document.canonical(handler);
    std::string identity;
    for (const char* name : {"type", "command", "args"}) {
      const auto found = members.find(name);
      if (found != members.end()) identity += document.canonical(found->second);
      identity += '\n';  // never part of a canonical text
    }
    return identity;
  }

  void note_event(const std::string& path, JsonIndex event) {
    const size_t notes_before = notes_.size();
    if (theirs_.kind(event) == JsonKind::kArray) {
      for (const JsonIndex group : theirs_.children(event)) {
        const JsonIndex handlers = handlers_of(theirs_, group);
        if (handlers == JsonIndex::kNone) continue;
        for (size_t left = theirs_.children(handlers).size(); left > 0; --left)
          note(group_path(theirs_, group, path), "handler");
      }
    }
    if (notes_.size() == notes_before) note(path, "");
  }

  void merge_event(JsonIndex mine, JsonIndex theirs, const std::string& path) {
    std::unordered_map<std::string, Group> groups;
    for (const JsonIndex group : mine_.children(mine)) {
      const JsonIndex handlers = handlers_of(mine_, group);
      if (handlers == JsonIndex::kNone) continue;
      Group& known = groups[matcher_of(mine_, group)];
      if (known.handlers == JsonIndex::kNone) known.handlers = handlers;
      for (const JsonIndex handler : mine_.children(handlers))
        known.canonical_of.emplace(identity_of(mine_, handler), mine_.canonical(handler));
    }
    for (const JsonIndex group : theirs_.children(theirs)) {
      const JsonIndex handlers = handlers_of(theirs_, group);
      if (handlers == JsonIndex::kNone || theirs_[handlers].first_child == JsonIndex::kNone)
        continue;
      const std::string name = group_path(theirs_, group, path);
      const auto known = groups.find(matcher_of(theirs_, group));
      if (known == groups.end()) add(mine, group);
      for (const JsonIndex handler : theirs_.children(handlers)) {
        if (known == groups.end()) {
          note(name, "handler");
          continue;
        }
        const std::string canonical = theirs_.canonical(handler);
        const auto [same, is_new] =
            known->second.canonical_of.emplace(identity_of(theirs_, handler), canonical);
        if (is_new) {
          add(known->second.handlers, handler);
          note(name, "handler");
        } else if (same->second != canonical) {
          kept_.push_back(name);
        }
      }
    }
  }

  // The text to insert into a container of mine, and where.
  std::pair<size_t, std::string> insertion(JsonIndex container,
                                           const std::vector<JsonIndex>& elements,
                                           const Style& style, const Printer& printer) const {
    const JsonNode& node = mine_[container];
    std::string text;
    if (node.last_child != JsonIndex::kNone) {
      const JsonNode& last = mine_[node.last_child];
      const bool lines = style.begins_line(last.begin());
      const std::string_view indent = style.line_indent(last.begin());
      for (const JsonIndex element : elements) {
        text += lines ? "," + style.newline + std::string(indent) : style.comma;
        printer.element(element, indent, lines ? Layout::kLines : Layout::kInline, text);
      }
      return {last.value.end, std::move(text)};
    }
    const size_t close = node.value.end - 1;
    const bool inside_line = style.layout == Layout::kInline ||
                             (container != JsonIndex::kRoot && !style.begins_line(node.begin()));
    const bool has_lines = style.has_newline(node.value.begin, close);
    if (inside_line && !has_lines) {
      for (const JsonIndex element : elements) {
        if (!text.empty()) text += style.comma;
        printer.element(element, "", Layout::kInline, text);
      }
      return {close, std::move(text)};
    }
    // An empty container is opened: one element a line, the bracket on its own.
    const std::string outer(style.line_indent(has_lines ? close : node.value.begin));
    const std::string inner = outer + style.unit;
    for (const JsonIndex element : elements) {
      if (!text.empty()) text += ",";
      text += text.empty() && has_lines ? style.unit : style.newline + inner;
      printer.element(element, inner, Layout::kLines, text);
    }
    return {close, text + style.newline + outer};
  }

  SettingsMerge insert() const {
    const Style style(mine_);
    const Printer printer(theirs_, style);
    std::map<size_t, std::string> insertions;
    for (const auto& [container, elements] : additions_)
      CHECK(insertions.insert(insertion(container, elements, style, printer)).second);
    SettingsMerge merge;
    size_t copied = 0;
    for (const auto& [offset, text] : insertions) {
      merge.text += mine_.text().substr(copied, offset - copied);
      merge.inserted.push_back({merge.text.size(), merge.text.size() + text.size()});
      merge.text += text;
      copied = offset;
    }
    merge.text += mine_.text().substr(copied);
    return merge;
  }

  const JsonText& mine_;
  const JsonText& theirs_;
  std::map<JsonIndex, std::vector<JsonIndex>> additions_;  // by container of mine
  std::vector<Note> notes_;
  std::unordered_map<std::string, size_t> note_of_path_;
  std::vector<std::string> kept_;
};

Result<JsonText> parse_object(std::string_view text, std::string_view whose, ErrorCode code) {
  auto document = JsonText::parse(text);
  if (!document)
    return make_error(code,
                      std::string(whose) + " are not valid JSON: " + document.error().to_string());
  if (document->kind(JsonIndex::kRoot) != JsonKind::kObject)
    return make_error(code, std::string(whose) + " must be a JSON object, not " +
                                std::string(with_article(document->kind(JsonIndex::kRoot))));
  return std::move(document).value();
}

}  // namespace

std::string json_path(std::string_view parent, std::string_view key) {
  const bool is_plain = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '$';
  });
  std::string path(parent);
  if (is_plain) {
    if (!path.empty()) path += '.';
    return path.append(key);
  }
  return path + "[\"" + escape(key) + "\"]";
}

Result<SettingsMerge> merge_settings_additive(std::string_view mine, std::string_view theirs) {
  ASSIGN_OR_RETURN(const JsonText my_document,
                   parse_object(mine, "the settings in use", ErrorCode::kConflict));
  ASSIGN_OR_RETURN(const JsonText their_document,
                   parse_object(theirs, "the new settings", ErrorCode::kChecksRefused));
  SettingsMerge merge = Merger(my_document, their_document).run();
  if (merge.inserted.empty()) return merge;
  // Two legal documents can add up to one beyond the limits.
  if (const auto result = JsonText::parse(merge.text); !result)
    return make_error(ErrorCode::kConflict,
                      "the merged settings would not be readable: " + result.error().rule);
  return merge;
}

}  // namespace stravinsky::model
