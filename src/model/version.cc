#include "model/version.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "model/store_layout.h"

namespace stravinsky::model {
namespace {

constexpr size_t kVersionMaxBytes = 64;

bool is_number(std::string_view part) {
  return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
}

std::weak_ordering compare_parts(std::string_view a, std::string_view b) {
  if (!is_number(a) || !is_number(b)) {
    if (is_number(a) != is_number(b))
      return is_number(a) ? std::weak_ordering::less : std::weak_ordering::greater;
    return a <=> b;
  }
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

// Missing parts of the core count as 0; of two pre-releases the longer one is later.
enum class Missing { kIsZero, kIsLess };

std::weak_ordering compare_lists(std::string_view a, std::string_view b, Missing missing) {
  const auto left = split(a, '.');
  const auto right = split(b, '.');
  for (size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    if (missing == Missing::kIsLess && i >= left.size()) return std::weak_ordering::less;
    if (missing == Missing::kIsLess && i >= right.size()) return std::weak_ordering::greater;
    const auto order =
        compare_parts(i < left.size() ? left[i] : "0", i < right.size() ? right[i] : "0");
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

Result<Version> Version::parse(std::string_view text) {
  const std::string_view given = text;
  const auto refuse = [&](const char* rule) {
    return make_error(ErrorCode::kUsage, rule, escape(given.substr(0, kVersionMaxBytes)))
        .with_untouched("Nothing was changed.")
        .with_remedy("Write a version like 0.3.8 or v0.3.8.");
  };
  if (text == "unknown") return Version();
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9')
    return refuse("not a version: it must begin with a number");
  if (text.size() > kVersionMaxBytes) return refuse("not a version: it is longer than 64 bytes");
  // A version becomes part of names in the store.
  if (!layout::is_backup_id(text))
    return refuse("not a version: it may hold only letters, digits and . _ + -");
  return Version(std::string(text));
}

std::string Version::display() const {
  return is_unknown() ? text_ : "v" + text_;
}

std::weak_ordering compare(const Version& a, const Version& b) {
  if (a.is_unknown() || b.is_unknown()) return b.is_unknown() <=> a.is_unknown();
  const auto without_build = [](std::string_view text) { return text.substr(0, text.find('+')); };
  const std::string_view left = without_build(a.str());
  const std::string_view right = without_build(b.str());
  const size_t left_dash = left.find('-');
  const size_t right_dash = right.find('-');
  const auto core =
      compare_lists(left.substr(0, left_dash), right.substr(0, right_dash), Missing::kIsZero);
  if (core != 0) return core;
  const bool left_final = left_dash == std::string_view::npos;
  const bool right_final = right_dash == std::string_view::npos;
  if (left_final || right_final) return left_final <=> right_final;
  return compare_lists(left.substr(left_dash + 1), right.substr(right_dash + 1), Missing::kIsLess);
}

}  // namespace stravinsky::model
