// json_path: one value of a JSON text put into the place that it has in another.
//
// A path is the keys of nested objects joined by dots: "hooks.PreToolUse". Elements of
// an array have no name that would mean the same one in another text, so no path leads
// into an array.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/json_text.h"

namespace stravinsky::model {

// kNone when nothing stands there. Of duplicate keys the last counts, as for every reader.
JsonIndex value_at(const JsonText& text, std::string_view path);

// mine with the value that theirs has at the path; the rest keeps every byte. Objects on
// the way that mine lacks are made, with that value alone in them. CHECKs that theirs has
// one; nullopt when something other than an object stands on the way in mine.
std::optional<std::string> with_value_of(const JsonText& mine, const JsonText& theirs,
                                         std::string_view path);

}  // namespace stravinsky::model
