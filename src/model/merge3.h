// merge3: one file that two sides changed, line by line.
//
// base is what both started from, mine the user's, theirs the new version's. Either
// all of both changes is in the result, or there is none: lines that both changed,
// or changed next to each other, are a conflict, and so is a merge that would come
// out differently when done again. Conflict markers are never made.
//
// The lines are compared by libgit2, which is loaded at the first merge that needs
// it: linked, it would bring 16 shared objects into every start of the program, and
// its static archive wants the same ones. Without the library every such file is a
// conflict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stravinsky::model {

// Beyond these a file is no text that people edit, and comparing it takes seconds.
inline constexpr size_t kMergeSizeMaxBytes = size_t{1} << 20U;
inline constexpr size_t kMergeLinesMax = 100'000;

// Whose version of something is meant.
enum class Side : uint8_t { kMine, kTheirs };

struct TextMerge {
  std::optional<std::string> text;  // nullopt: a conflict
  std::string why;                  // of a conflict: "the same lines were changed"
};

// Where only one side changed anything, its bytes, whatever they are.
TextMerge merge3(std::string_view base, std::string_view mine, std::string_view theirs);

// Who may run it, out of three modes: the exec bits of the side that changed them.
uint32_t merge3_exec_bits(uint32_t base, uint32_t mine, uint32_t theirs);

}  // namespace stravinsky::model
