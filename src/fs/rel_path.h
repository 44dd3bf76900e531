// RelPath: a checked relative path beneath a directory descriptor.
//
// Invariants: not empty; components joined by one '/'; no component is empty,
// "." or ".."; none is longer than 255 bytes; the whole is at most 4,000 bytes;
// no NUL byte; does not begin with '/'. Bytes otherwise free: spaces, newlines,
// a leading dash and bytes that are not UTF-8 are legal names on Linux.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stravinsky::fs {

class RelPath {
 public:
  // kUsage, naming the rule that text breaks.
  static Result<RelPath> parse(std::string_view text);
  // For names made by our own code: a broken invariant crashes.
  static RelPath of(std::string_view text);

  const std::string& str() const { return text_; }
  std::string_view name() const;  // the last component
  bool has_parent() const;        // more than one component
  RelPath parent() const;         // CHECKs has_parent()
  RelPath operator/(const RelPath& tail) const;
  RelPath sibling(std::string_view name) const;  // same parent, other last component
  bool starts_with(const RelPath& head) const;   // equal, or beneath head
  std::vector<std::string_view> components() const;

  auto operator<=>(const RelPath&) const = default;

 private:
  explicit RelPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace stravinsky::fs
