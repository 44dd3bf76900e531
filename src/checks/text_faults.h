// What can be wrong with any text of a tree, whatever it is for.
#pragma once

#include <string_view>

namespace stravinsky::checks {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The line of the first marker of a merge conflict; 0 when there is none.
int conflict_line(std::string_view text);
// The line of the first byte that is not UTF-8; 0 when there is none.
int not_utf8_line(std::string_view text);

}  // namespace stravinsky::checks
