#include "fuzz_target.h"

#include <limits>

namespace stravinsky::fuzz {
namespace {

constexpr std::string_view kSeparator = "\n%%\n";

std::vector<std::string_view> split_at_most(std::string_view input, size_t most) {
  std::vector<std::string_view> all;
  while (all.size() + 1 < most) {
    const size_t at = input.find(kSeparator);
    if (at == std::string_view::npos) break;
    all.push_back(input.substr(0, at));
    input.remove_prefix(at + kSeparator.size());
  }
  all.push_back(input);
  return all;
}

}  // namespace

std::vector<NamedTarget>& targets() {
  static std::vector<NamedTarget> all;
  return all;
}

bool add_target(std::string_view name, Target run) {
  targets().push_back({name, run});
  return true;
}

std::vector<std::string_view> parts(std::string_view input, size_t wanted) {
  std::vector<std::string_view> all = split_at_most(input, wanted);
  all.resize(wanted);
  return all;
}

std::vector<std::string_view> parts(std::string_view input) {
  return split_at_most(input, std::numeric_limits<size_t>::max());
}

}  // namespace stravinsky::fuzz
