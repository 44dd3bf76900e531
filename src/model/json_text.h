// JsonText: a JSON document that remembers where every value stands in its text.
//
// For files that belong to somebody else: an edit is an insertion at a known
// offset, and no byte around it changes. A library that parses and prints again
// loses the key order, the indentation and the line ends, so none is used here.
//
// What is accepted is RFC 8259 as JSON.parse reads it (duplicate keys: the last
// one wins), plus a UTF-8 byte order mark, which stays. Bytes in strings that
// are not UTF-8 stay as they are. Limits keep a hostile file from taking the
// memory: 64 MiB, 512 levels, a million values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stravinsky::model {

inline constexpr size_t kJsonSizeMaxBytes = size_t{64} << 20U;
inline constexpr int kJsonDepthMax = 512;
inline constexpr size_t kJsonValuesMax = 1'000'000;

// Both from 1; a column is a character (a UTF-8 code point), not a byte.
struct TextPosition {
  int line = 1;
  int column = 1;
};
// offset may be anywhere up to the end; LF, CRLF and a lone CR end a line.
TextPosition position_in(std::string_view text, size_t offset);
// The same, going on from the position of an earlier offset.
TextPosition advance_position(std::string_view text, size_t from, TextPosition position,
                              size_t offset);

// Why a text is not JSON. rule is a sentence without full stop and without any
// part of the text, which may hold secrets.
struct JsonFault {
  TextPosition position;
  std::string rule;

  std::string to_string() const;  // "line 3, column 7: rule"
};

struct ByteSpan {
  size_t begin = 0;
  size_t end = 0;

  size_t size() const { return end - begin; }
  bool operator==(const ByteSpan&) const = default;
};

enum class JsonKind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
// "a string", "an object"
std::string_view with_article(JsonKind kind);

enum class JsonIndex : uint32_t { kRoot = 0, kNone = UINT32_MAX };

struct JsonNode {
  JsonKind kind = JsonKind::kNull;
  ByteSpan key;    // with its quotes; empty outside an object
  ByteSpan value;  // with its quotes or brackets
  JsonIndex first_child = JsonIndex::kNone;
  JsonIndex last_child = JsonIndex::kNone;
  JsonIndex next_sibling = JsonIndex::kNone;

  // Where the element begins in its container.
  size_t begin() const { return key.size() == 0 ? value.begin : key.begin; }
};

class JsonText {
 public:
  static std::expected<JsonText, JsonFault> parse(std::string_view text);

  std::string_view text() const { return text_; }
  const JsonNode& operator[](JsonIndex index) const;
  JsonKind kind(JsonIndex index) const { return (*this)[index].kind; }
  std::string_view raw(const ByteSpan& span) const;
  TextPosition position(JsonIndex index) const;

  // In the order of the text, duplicates included.
  std::vector<JsonIndex> children(JsonIndex container) const;
  // Keys decoded; of duplicates the last. Empty for anything but an object.
  std::unordered_map<std::string, JsonIndex> members(JsonIndex object) const;
  // kNone unless object is an object with this key.
  JsonIndex find(JsonIndex object, std::string_view key) const;
  // Members hidden by a later one with the same key, in the order of the text.
  std::vector<JsonIndex> hidden_members() const;

  // Decoded. A lone surrogate becomes its three bytes, so different strings stay different.
  std::string key(JsonIndex index) const;
  std::string string_value(JsonIndex index) const;  // empty unless it is a string

  // Equal for values that JSON.parse makes equal: order of keys, spaces, escapes
  // and the spelling of numbers do not count.
  std::string canonical(JsonIndex index) const;

 private:
  JsonText(std::string_view text, std::vector<JsonNode> nodes)
      : text_(text), nodes_(std::move(nodes)) {}
  void append_canonical(JsonIndex index, std::string& out) const;

  std::string text_;
  std::vector<JsonNode> nodes_;
};

}  // namespace stravinsky::model
