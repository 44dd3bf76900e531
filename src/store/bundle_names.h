// check_names: what the names of a bundle must not be, wherever it comes from.
//
// The same tree must come out on every file system. Two names are one where case or
// the composition of accents does not count (APFS, NTFS, a folder with casefold), or
// where code points without a shape do not (HFS+); so names are compared after NFC,
// full case folding and the removal of those (Unicode, by utf8proc). A name that a
// terminal could act on, or that shows in another order than it is (control
// characters, line and paragraph separators, overrides of direction), is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fs/rel_path.h"

namespace stravinsky::store {

// kCorrupt naming the path: the same name twice, in two spellings, a file that is also
// a directory, or a character as above.
Status check_names(const std::vector<fs::RelPath>& files);

// Equal for names that some file system takes for one. Bytes that are not UTF-8 are
// compared as ASCII.
std::string fold_name(std::string_view name);

}  // namespace stravinsky::store
