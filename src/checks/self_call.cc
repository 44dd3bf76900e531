#include "checks/self_call.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/strings.h"

namespace stravinsky::checks {
namespace {

constexpr std::string_view kOurName = "stravinsky";
constexpr std::array<std::string_view, 3> kChanging = {"update", "rollback", "recovery"};
constexpr std::array<std::string_view, 9> kBefore = {"sudo", "exec", "nohup", "if",  "!",
                                                     "then", "do",   "env",   "time"};

// Words between blanks, quotes and the signs that part commands.
std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n;&|()\"'`";
  std::vector<std::string_view> words;
  while (true) {
    const size_t begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return words;
    const size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

bool is_our_name(std::string_view word) {
  return word.substr(word.rfind('/') + 1) == kOurName;
}

// What follows our name, options left out.
bool is_changing(const std::vector<std::string_view>& words, size_t after) {
  for (size_t i = after; i < words.size(); ++i) {
    if (words[i] == "--root" || words[i] == "--project" || words[i] == "--color") {
      ++i;
      continue;
    }
    if (words[i].starts_with('-')) continue;
    return std::ranges::find(kChanging, words[i]) != kChanging.end();
  }
  return false;
}

}  // namespace

bool runs_ourselves(std::string_view command) {
  if (!command.contains(kOurName)) return false;
  const auto words = words_of(command);
  for (size_t i = 0; i < words.size(); ++i)
    if (is_our_name(words[i]) && is_changing(words, i + 1)) return true;
  return false;
}

int own_call_line(std::string_view script) {
  if (!script.contains(kOurName)) return 0;
  int number = 0;
  for (const std::string_view line : split(script, '\n')) {
    ++number;
    if (!line.contains(kOurName)) continue;
    const auto words = words_of(line);
    size_t first = 0;
    while (first < words.size() && std::ranges::find(kBefore, words[first]) != kBefore.end())
      ++first;
    if (first < words.size() && is_our_name(words[first]) && is_changing(words, first + 1))
      return number;
  }
  return 0;
}

}  // namespace stravinsky::checks
