#include "model/json_edit.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace stravinsky::model {
namespace {

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
  Printer(const JsonText& theirs, const Style& style, const std::set<JsonIndex>& left_out)
      : theirs_(theirs), style_(style), left_out_(left_out) {}

  void element(JsonIndex index, std::string_view indent, Layout layout, std::string& out) const {
    const JsonNode& node = theirs_[index];
    if (node.key.size() != 0) {
      out += theirs_.raw(node.key);
      out += style_.colon;
    }
    value(index, indent, layout, out);
  }

  void value(JsonIndex index, std::string_view indent, Layout layout, std::string& out) const {
    const JsonNode& node = theirs_[index];
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
        if (left_out_.contains(child)) continue;
        if (layout == Layout::kLines) {
          out += is_first ? "" : ",";
          out += style_.newline + inner;
        } else if (!is_first) {
          out += style_.comma;
        }
        element(child, inner, layout, out);
        is_first = false;
      }
      if (layout == Layout::kLines && !is_first) {
        out += style_.newline;
        out += indent;
      }
      out += is_object ? '}' : ']';
    }
  }

 private:
  const JsonText& theirs_;
  const Style& style_;
  const std::set<JsonIndex>& left_out_;
};

// One place where the text changes.
struct Splice {
  size_t begin = 0;
  size_t end = 0;
  std::string text;
};

// Works the edits out as splices, in the order of the text.
class Splicer {
 public:
  struct Input {
    const JsonText& mine;
    const std::map<JsonIndex, std::set<JsonIndex>>& removed;
    const std::map<JsonIndex, std::vector<JsonIndex>>& added;
    const std::map<JsonIndex, JsonIndex>& replaced;
  };

  Splicer(const Input& input, const Style& style, const Printer& printer)
      : input_(input), mine_(input.mine), style_(style), printer_(printer) {}

  std::vector<Splice> run() {
    visit(JsonIndex::kRoot);
    return std::move(splices_);
  }

 private:
  void visit(JsonIndex index) {
    const auto by = input_.replaced.find(index);
    if (by != input_.replaced.end()) return replace(index, by->second);
    const JsonNode& node = mine_[index];
    if (node.kind != JsonKind::kObject && node.kind != JsonKind::kArray) return;
    const auto removed = input_.removed.find(index);
    const auto added = input_.added.find(index);
    static const std::vector<JsonIndex> kNothing;
    const std::vector<JsonIndex>& additions =
        added == input_.added.end() ? kNothing : added->second;
    if (node.first_child == JsonIndex::kNone) {
      if (!additions.empty()) fill(node, index, additions);
      return;
    }
    JsonIndex last_left = JsonIndex::kNone;
    std::vector<JsonIndex> pending;  // removed, and nothing left was met behind them
    for (const JsonIndex child : mine_.children(index)) {
      if (removed != input_.removed.end() && removed->second.contains(child)) {
        pending.push_back(child);
        continue;
      }
      // With what separates each from the next, so that the next takes its place.
      if (!pending.empty())
        splices_.push_back({mine_[pending.front()].begin(), mine_[child].begin(), {}});
      pending.clear();
      visit(child);
      last_left = child;
    }
    if (last_left != JsonIndex::kNone) return append(mine_[last_left], node, additions);
    if (additions.empty()) {
      splices_.push_back({node.value.begin + 1, node.value.end - 1, {}});
      return;
    }
    const JsonNode& first = mine_[node.first_child];
    const bool lines = style_.begins_line(first.begin());
    const std::string_view indent = style_.line_indent(first.begin());
    std::string text;
    for (const JsonIndex element : additions) {
      if (!text.empty()) text += lines ? "," + style_.newline + std::string(indent) : style_.comma;
      printer_.element(element, indent, lines ? Layout::kLines : Layout::kInline, text);
    }
    splices_.push_back({first.begin(), mine_[node.last_child].value.end, std::move(text)});
  }

  void replace(JsonIndex index, JsonIndex by) {
    const JsonNode& node = mine_[index];
    // On lines of its own if the old one had any, or if its siblings stand so.
    const bool lines =
        style_.begins_line(node.begin()) || style_.has_newline(node.value.begin, node.value.end);
    std::string text;
    printer_.value(by, style_.line_indent(node.begin()), lines ? Layout::kLines : Layout::kInline,
                   text);
    splices_.push_back({node.value.begin, node.value.end, std::move(text)});
  }

  // Behind the last element that is left, in place of removed ones that follow it.
  void append(const JsonNode& last, const JsonNode& container,
              const std::vector<JsonIndex>& additions) {
    const size_t end = mine_[container.last_child].value.end;
    if (additions.empty() && end == last.value.end) return;
    const bool lines = style_.begins_line(last.begin());
    const std::string_view indent = style_.line_indent(last.begin());
    std::string text;
    for (const JsonIndex element : additions) {
      text += lines ? "," + style_.newline + std::string(indent) : style_.comma;
      printer_.element(element, indent, lines ? Layout::kLines : Layout::kInline, text);
    }
    splices_.push_back({last.value.end, end, std::move(text)});
  }

  void fill(const JsonNode& node, JsonIndex index, const std::vector<JsonIndex>& additions) {
    const size_t close = node.value.end - 1;
    const bool inside_line = style_.layout == Layout::kInline ||
                             (index != JsonIndex::kRoot && !style_.begins_line(node.begin()));
    const bool has_lines = style_.has_newline(node.value.begin, close);
    std::string text;
    if (inside_line && !has_lines) {
      for (const JsonIndex element : additions) {
        if (!text.empty()) text += style_.comma;
        printer_.element(element, "", Layout::kInline, text);
      }
      splices_.push_back({close, close, std::move(text)});
      return;
    }
    // An empty container is opened: one element a line, the bracket on its own.
    const std::string outer(style_.line_indent(has_lines ? close : node.value.begin));
    const std::string inner = outer + style_.unit;
    for (const JsonIndex element : additions) {
      if (!text.empty()) text += ",";
      text += text.empty() && has_lines ? style_.unit : style_.newline + inner;
      printer_.element(element, inner, Layout::kLines, text);
    }
    splices_.push_back({close, close, text + style_.newline + outer});
  }

  const Input& input_;
  const JsonText& mine_;
  const Style& style_;
  const Printer& printer_;
  std::vector<Splice> splices_;
};

}  // namespace

bool JsonEdit::is_removed(JsonIndex container, JsonIndex element) const {
  const auto found = removed_.find(container);
  return found != removed_.end() && found->second.contains(element);
}

bool JsonEdit::would_be_empty(JsonIndex container) const {
  if (added_.contains(container)) return false;
  const auto removed = removed_.find(container);
  const size_t gone = removed == removed_.end() ? 0 : removed->second.size();
  return mine_.children(container).size() == gone;
}

JsonEdit::Edited JsonEdit::apply() const {
  const Style style(mine_);
  const Printer printer(theirs_, style, left_out_);
  const Splicer::Input input{
      .mine = mine_, .removed = removed_, .added = added_, .replaced = replaced_};
  const std::vector<Splice> splices = Splicer(input, style, printer).run();
  Edited edited;
  edited.is_changed = !splices.empty();
  size_t copied = 0;
  for (const Splice& splice : splices) {
    CHECK(copied <= splice.begin && splice.begin <= splice.end);
    edited.text += mine_.text().substr(copied, splice.begin - copied);
    if (!splice.text.empty())
      edited.inserted.push_back({edited.text.size(), edited.text.size() + splice.text.size()});
    edited.text += splice.text;
    copied = splice.end;
  }
  edited.text += mine_.text().substr(copied);
  return edited;
}

}  // namespace stravinsky::model
