#include "model/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "model/json_string.h"

namespace stravinsky::model {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

JsonIndex index_of(size_t number) {
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): the enum names a number
  return static_cast<JsonIndex>(number);
}

std::string canonical_number(std::string_view raw) {
  double value = 0;
  const auto parsed = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  // What does not fit a double keeps its spelling.
  if (parsed.ec != std::errc()) return std::string(raw);
  if (value == 0) return "0";  // -0 is no other value
  std::array<char, 40> buffer{};
  const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), printed.ptr};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool run() {
    if (text_.size() > kJsonSizeMaxBytes) return fail(0, "the file is larger than 64 MiB");
    if (text_.starts_with("\xFE\xFF") || text_.starts_with("\xFF\xFE") ||
        text_.substr(0, 2).find('\0') != std::string_view::npos)
      return fail(0, "the file is UTF-16; JSON must be UTF-8");
    if (text_.starts_with(kBom)) at_ = kBom.size();
    skip_space();
    if (at_ == text_.size()) return fail(at_, "the file is empty");
    if (value({}, 0) == JsonIndex::kNone) return false;
    skip_space();
    if (at_ < text_.size()) return fail_here("there is text after the end of the document");
    return true;
  }

  std::vector<JsonNode> take_nodes() { return std::move(nodes_); }
  const JsonFault& fault() const { return fault_; }

 private:
  bool fail(size_t offset, std::string rule) {
    fault_ = {position_in(text_, offset), std::move(rule)};
    return false;
  }

  // For an unexpected byte: the usual mistakes get their own sentence.
  bool fail_here(std::string rule) {
    const std::string_view rest = text_.substr(at_);
    if (rest.empty()) return fail(at_, "the file ends too early: " + rule);
    if (rest.starts_with("//") || rest.starts_with("/*"))
      return fail(at_, "comments are not allowed in JSON");
    if (rest.starts_with("<<<<<<<") || rest.starts_with("=======") || rest.starts_with(">>>>>>>"))
      return fail(at_, "there is an unresolved merge conflict marker");
    if (rest.starts_with('\'')) return fail(at_, "strings need double quotes");
    return fail(at_, std::move(rule));
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  JsonNode& node(JsonIndex index) { return nodes_[static_cast<size_t>(index)]; }

  JsonIndex value(ByteSpan key, int depth) {
    if (nodes_.size() >= kJsonValuesMax) {
      fail(at_, "the file holds more than a million values");
      return JsonIndex::kNone;
    }
    const auto index = index_of(nodes_.size());
    nodes_.push_back({.kind = JsonKind::kNull, .key = key, .value = {at_, at_}});
    const char c = peek();
    bool good = false;
    if (c == '{' || c == '[') {
      good = container(index, depth + 1);
    } else if (c == '"') {
      node(index).kind = JsonKind::kString;
      good = string();
    } else if (c == '-' || is_digit(c)) {
      node(index).kind = JsonKind::kNumber;
      good = number();
    } else {
      good = word(index);
    }
    node(index).value.end = at_;
    return good ? index : JsonIndex::kNone;
  }

  bool word(JsonIndex index) {
    for (const std::string_view name : {"null", "true", "false"}) {
      if (!text_.substr(at_).starts_with(name)) continue;
      at_ += name.size();
      node(index).kind = name == "null" ? JsonKind::kNull : JsonKind::kBoolean;
      return true;
    }
    return fail_here("a value is expected here");
  }

  bool container(JsonIndex index, int depth) {
    if (depth > kJsonDepthMax) return fail(at_, "values are nested deeper than 512 levels");
    const bool is_object = peek() == '{';
    const char close = is_object ? '}' : ']';
    node(index).kind = is_object ? JsonKind::kObject : JsonKind::kArray;
    ++at_;
    skip_space();
    if (peek() == close) {
      ++at_;
      return true;
    }
    while (true) {
      ByteSpan key;
      if (is_object && !member_key(key)) return false;
      const JsonIndex child = value(key, depth);
      if (child == JsonIndex::kNone) return false;
      JsonNode& parent = node(index);
      if (parent.first_child == JsonIndex::kNone)
        parent.first_child = child;
      else
        node(parent.last_child).next_sibling = child;
      parent.last_child = child;
      skip_space();
      if (peek() == close) {
        ++at_;
        return true;
      }
      const size_t comma = at_;
      if (peek() != ',')
        return fail_here(is_object ? "a comma or a closing brace is missing here"
                                   : "a comma or a closing bracket is missing here");
      ++at_;
      skip_space();
      if (peek() == close) return fail(comma, "a comma after the last element is not allowed");
    }
  }

  bool member_key(ByteSpan& key) {
    key.begin = at_;
    if (peek() != '"') return fail_here("a key in double quotes is expected here");
    if (!string()) return false;
    key.end = at_;
    skip_space();
    if (peek() != ':') return fail_here("a colon is missing after the key");
    ++at_;
    skip_space();
    return true;
  }

  bool string() {
    const size_t start = at_++;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        if (c == '\n' || c == '\r') return fail(start, "the string is not closed on its line");
        return fail(at_, "a control character in a string must be written as an escape");
      }
      if (c == '\\') {
        ++at_;
        const char escaped = peek();
        if (escaped == 'u' ? !read_hex4(text_, at_ + 1).has_value()
                           : std::string_view("\"\\/bfnrt").find(escaped) == std::string_view::npos)
          return fail(at_ - 1, "this escape does not exist in JSON");
        if (escaped == 'u') at_ += 4;
      }
      ++at_;
    }
    return fail(start, "the string is not closed");
  }

  bool digits() {
    if (!is_digit(peek())) return fail_here("a digit is expected here");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() {
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
      if (is_digit(peek())) return fail(at_, "a number must not begin with a zero");
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<JsonNode> nodes_;
  JsonFault fault_;
};

}  // namespace

TextPosition position_in(std::string_view text, size_t offset) {
  return advance_position(text, 0, {}, offset);
}

TextPosition advance_position(std::string_view text, size_t from, TextPosition position,
                              size_t offset) {
  if (from == 0 && text.starts_with(kBom)) from = kBom.size();
  const size_t end = std::min(offset, text.size());
  for (size_t i = from; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n' || (byte == '\r' && text.substr(i + 1, 1) != "\n")) {
      ++position.line;
      position.column = 1;
    } else if ((byte & 0xC0U) != 0x80U) {
      ++position.column;
    }
  }
  return position;
}

std::string JsonFault::to_string() const {
  return "line " + std::to_string(position.line) + ", column " + std::to_string(position.column) +
         ": " + rule;
}

std::string_view with_article(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBoolean:
      return "a boolean";
    case JsonKind::kNumber:
      return "a number";
    case JsonKind::kString:
      return "a string";
    case JsonKind::kArray:
      return "an array";
    case JsonKind::kObject:
      return "an object";
  }
  return "";
}

std::expected<JsonText, JsonFault> JsonText::parse(std::string_view text) {
  Parser parser(text);
  if (!parser.run()) return std::unexpected(parser.fault());
  return JsonText(text, parser.take_nodes());
}

const JsonNode& JsonText::operator[](JsonIndex index) const {
  CHECK(static_cast<size_t>(index) < nodes_.size());
  return nodes_[static_cast<size_t>(index)];
}

std::string_view JsonText::raw(const ByteSpan& span) const {
  return std::string_view(text_).substr(span.begin, span.size());
}

TextPosition JsonText::position(JsonIndex index) const {
  return position_in(text_, (*this)[index].begin());
}

std::vector<JsonIndex> JsonText::children(JsonIndex container) const {
  std::vector<JsonIndex> all;
  for (JsonIndex child = (*this)[container].first_child; child != JsonIndex::kNone;
       child = (*this)[child].next_sibling)
    all.push_back(child);
  return all;
}

std::unordered_map<std::string, JsonIndex> JsonText::members(JsonIndex object) const {
  std::unordered_map<std::string, JsonIndex> all;
  if (kind(object) != JsonKind::kObject) return all;
  for (const JsonIndex child : children(object)) all[key(child)] = child;
  return all;
}

JsonIndex JsonText::find(JsonIndex object, std::string_view key_wanted) const {
  JsonIndex found = JsonIndex::kNone;
  if (kind(object) != JsonKind::kObject) return found;
  for (const JsonIndex child : children(object))
    if (key(child) == key_wanted) found = child;
  return found;
}

std::vector<JsonIndex> JsonText::hidden_members() const {
  std::vector<JsonIndex> hidden;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].kind != JsonKind::kObject) continue;
    const auto object = index_of(i);
    const auto last = members(object);
    for (const JsonIndex child : children(object))
      if (last.at(key(child)) != child) hidden.push_back(child);
  }
  std::ranges::sort(hidden);
  return hidden;
}

std::string JsonText::key(JsonIndex index) const {
  const ByteSpan& span = (*this)[index].key;
  return span.size() == 0 ? std::string() : decode_json_string(raw(span));
}

std::string JsonText::string_value(JsonIndex index) const {
  return kind(index) == JsonKind::kString ? decode_json_string(raw((*this)[index].value))
                                          : std::string();
}

std::string JsonText::canonical(JsonIndex index) const {
  std::string out;
  append_canonical(index, out);
  return out;
}

void JsonText::append_canonical(JsonIndex index, std::string& out) const {
  switch (kind(index)) {
    case JsonKind::kNull:
    case JsonKind::kBoolean:
      out += raw((*this)[index].value);
      return;
    case JsonKind::kNumber:
      out += canonical_number(raw((*this)[index].value));
      return;
    case JsonKind::kString:
      append_json_string(string_value(index), out);
      return;
    case JsonKind::kArray:
      out += '[';
      for (const JsonIndex child : children(index)) {
        append_canonical(child, out);
        out += ',';
      }
      out += ']';
      return;
    case JsonKind::kObject: {
      std::map<std::string, JsonIndex> sorted;
      for (const JsonIndex child : children(index)) sorted[key(child)] = child;
      out += '{';
      for (const auto& [name, child] : sorted) {
        append_json_string(name, out);
        out += ':';
        append_canonical(child, out);
        out += ',';
      }
      out += '}';
    }
  }
}

}  // namespace stravinsky::model
