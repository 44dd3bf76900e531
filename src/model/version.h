// Version: the version of an installed package, as people write it.
//
// "0.3.8" and "v0.3.8" are the same; kept without the v, shown with it.
// "unknown" is a version too: of a tree that nobody labelled. Upstream's numbers
// went backwards and disagree with each other, so a version is a label and never
// a key: order comes from sequence numbers, compare() serves display alone.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stravinsky::model {

class Version {
 public:
  Version() = default;  // unknown

  // kUsage unless text is "unknown", or an optional 'v' and 1 to 64 bytes of
  // [A-Za-z0-9._+-] that begin with a digit.
  static Result<Version> parse(std::string_view text);

  bool is_unknown() const { return text_ == "unknown"; }
  const std::string& str() const { return text_; }  // "0.3.8", "unknown"
  std::string display() const;                      // "v0.3.8", "unknown"

  bool operator==(const Version&) const = default;

 private:
  explicit Version(std::string text) : text_(std::move(text)) {}
  std::string text_ = "unknown";
};

// As SemVer 2.0 section 11 where the text has that form; parts of other forms are
// compared as text, unknown comes first. Build metadata counts for nothing.
std::weak_ordering compare(const Version& a, const Version& b);

}  // namespace stravinsky::model
