#include "codec/canonical_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::codec {
namespace {

using nlohmann::json;

// The order of UTF-16 code units is that of UTF-8 bytes but for one thing: the
// surrogates of U+10000 and above (lead bytes F0 to F4) come before U+E000 to
// U+FFFF (lead bytes EE and EF).
bool utf16_less(const std::string& a, const std::string& b) {
  const auto [at_a, at_b] = std::ranges::mismatch(a, b);
  if (at_a == a.end() || at_b == b.end()) return at_a == a.end() && at_b != b.end();
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : int{byte};
  };
  return rank(*at_a) < rank(*at_b);
}

void append_string(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  out += '"';
}

void append_value(std::string& out, const json& value) {
  switch (value.type()) {
    case json::value_t::object: {
      std::vector<json::const_iterator> members;
      members.reserve(value.size());
      for (auto member = value.begin(); member != value.end(); ++member) members.push_back(member);
      std::ranges::sort(members, utf16_less, [](const auto& m) -> const auto& { return m.key(); });
      char before = '{';
      for (const auto& member : members) {
        out += std::exchange(before, ',');
        append_string(out, member.key());
        out += ':';
        append_value(out, member.value());
      }
      out += members.empty() ? "{}" : "}";
      return;
    }
    case json::value_t::array: {
      char before = '[';
      for (const json& element : value) {
        out += std::exchange(before, ',');
        append_value(out, element);
      }
      out += value.empty() ? "[]" : "]";
      return;
    }
    case json::value_t::string:
      append_string(out, value.get_ref<const std::string&>());
      return;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      out += std::to_string(value.get<int64_t>());
      return;
    case json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    default:
      out += "null";
  }
}

bool is_canonical(const json& value, size_t depth_left) {
  switch (value.type()) {
    case json::value_t::object:
      if (depth_left == 0) return false;
      for (auto member = value.begin(); member != value.end(); ++member) {
        if (!is_valid_utf8(member.key()) || !is_canonical(member.value(), depth_left - 1))
          return false;
      }
      return true;
    case json::value_t::array:
      return depth_left > 0 && std::ranges::all_of(value, [&](const json& element) {
               return is_canonical(element, depth_left - 1);
             });
    case json::value_t::string:
      return is_valid_utf8(value.get_ref<const std::string&>());
    case json::value_t::number_unsigned:
      return value.get<uint64_t>() <= uint64_t{kJsonIntegerMax};
    case json::value_t::number_integer: {
      const auto number = value.get<int64_t>();
      return number >= -kJsonIntegerMax && number <= kJsonIntegerMax;
    }
    case json::value_t::boolean:
    case json::value_t::null:
      return true;
    default:
      return false;
  }
}

// "line 3, column 17: reason"; end is the offset just behind the place.
Error error_at(std::string_view text, size_t end, std::string_view reason) {
  const std::string_view before = text.substr(0, end == 0 ? 0 : end - 1);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto lines = std::ranges::count(before, '\n');
  const auto characters = std::ranges::count_if(before.substr(line_start), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  return make_error(ErrorCode::kCorrupt,
                    fmt::format("line {}, column {}: {}", lines + 1, characters + 1, reason));
}

// Walks the text and tells how far the parser has read.
class WatchedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  WatchedIterator(std::string_view text, size_t at, size_t* watched)
      : text_(text), at_(at), watched_(watched) {}
  reference operator*() const { return text_[at_]; }
  WatchedIterator& operator++() {
    *watched_ = ++at_;
    return *this;
  }
  WatchedIterator operator++(int) {
    WatchedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const WatchedIterator& other) const { return at_ == other.at_; }

 private:
  std::string_view text_;
  size_t at_;
  size_t* watched_;
};

// Builds the value from the library's events, refusing what the library would let
// pass. Returning false from an event ends the parse.
class StrictBuilder {
 public:
  explicit StrictBuilder(size_t depth_max) : depth_max_(depth_max) {}

  // --- events
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(json::number_integer_t value) { return add(value); }
  bool number_unsigned(json::number_unsigned_t value) { return add(value); }
  bool number_float(json::number_float_t value, const std::string& /*text*/) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(json::binary_t& /*value*/) { return false; }
  bool start_object(size_t /*size*/) { return open(json::object()); }
  bool start_array(size_t /*size*/) { return open(json::array()); }
  bool end_object() { return shut(); }
  bool end_array() { return shut(); }

  bool key(std::string& name) {
    if (open_.back()->contains(name)) return refuse("a name stands twice in one object");
    slot_ = &(*open_.back())[std::move(name)];
    return true;
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) {
    // "... syntax error while parsing value - <reason>; last read: '<text>'": the
    // text may be somebody's secret. Other errors are numbers out of range.
    constexpr int kSyntaxError = 101;
    if (error.id != kSyntaxError) return refuse("a number is too large");
    const std::string_view what = error.what();
    const size_t reason_at = what.find(" - ");
    if (reason_at == std::string_view::npos) return refuse("syntax error");
    const std::string_view reason = what.substr(reason_at + 3);
    return refuse(reason.substr(0, reason.find("; last read")));
  }

  json& root() { return root_; }
  const std::string& refusal() const { return refusal_; }

 private:
  bool refuse(std::string_view reason) {
    refusal_ = reason;
    return false;
  }

  json* add(json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*slot_ = std::move(value));
    return &open_.back()->emplace_back(std::move(value));
  }

  bool open(json value) {
    if (open_.size() == depth_max_) return refuse("nested too deeply");
    open_.push_back(add(std::move(value)));
    return true;
  }

  bool shut() {
    open_.pop_back();
    return true;
  }

  size_t depth_max_;
  json root_;
  // Stable: a container gets no new element while one of its elements is open.
  std::vector<json*> open_;
  json* slot_ = nullptr;
  std::string refusal_;
};

}  // namespace

bool has_canonical_form(const json& value) {
  return is_canonical(value, kJsonDepthMax);
}

std::string canonical_json(const json& value) {
  CHECK(has_canonical_form(value));
  std::string out;
  append_value(out, value);
  return out;
}

Result<json> parse_strict_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.size_max_bytes)
    return make_error(ErrorCode::kCorrupt, "line 1, column 1: the text is too large");
  // The library skips a byte order mark and takes a NUL byte for the end.
  if (text.starts_with("\xEF\xBB\xBF"))
    return error_at(text, 1, "a byte order mark stands before the text");
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    return error_at(text, nul + 1, "a NUL byte");
  size_t read = 0;
  StrictBuilder builder(limits.depth_max);
  const bool parsed = json::sax_parse(WatchedIterator(text, 0, &read),
                                      WatchedIterator(text, text.size(), &read), &builder);
  if (!parsed) {
    // At the end of the text the place is behind its last character.
    const bool at_end = builder.refusal().starts_with("unexpected end of input");
    return error_at(text, at_end ? text.size() + 1 : read, builder.refusal());
  }
  return std::move(builder.root());
}

}  // namespace stravinsky::codec
