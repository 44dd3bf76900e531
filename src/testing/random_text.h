// RandomText: texts of lines, and edits of them, out of a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testing/seeded_random.h"

namespace stravinsky::testing {

class RandomText {
 public:
  explicit RandomText(uint64_t seed) : random_(seed) {}

  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    for (uint64_t i = random_.below(25); i > 0; --i) lines.push_back(line());
    return lines;
  }
  std::vector<std::string> edited(const std::vector<std::string>& from) {
    std::vector<std::string> result;
    const uint64_t often = 2 + random_.below(20);
    for (const std::string& one : from) {
      const uint64_t what = random_.below(often);
      if (what == 0) result.push_back(line());
      if (what != 1) result.push_back(one);
    }
    if (random_.below(4) == 0) result.push_back(line());
    return result;
  }
  std::string join(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& one : lines) text += one + "\n";
    if (random_.below(5) == 0 && !text.empty()) text.pop_back();
    return text;
  }

 private:
  // Few different ones, many times the same, as braces and empty lines are.
  std::string line() {
    return random_.below(3) == 0 ? std::string("}") : "line " + std::to_string(random_.below(40));
  }
  SeededRandom random_;
};

}  // namespace stravinsky::testing
