#include "store/bundle_names.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <unordered_map>

#include "base/strings.h"
#include "store/bundle_source.h"

namespace stravinsky::store {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool misleads(int32_t code_point) {
  constexpr int32_t kDelete = 0x7f;
  return code_point < ' ' || (code_point >= kDelete && code_point < 0xa0) ||  // C0, C1
         code_point == 0x2028 || code_point == 0x2029 ||                      // separators
         (code_point >= 0x202a && code_point <= 0x202e) ||                    // direction
         (code_point >= 0x2066 && code_point <= 0x2069);
}

bool has_misleading_character(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t size =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
    if (size > 0 && misleads(code_point)) return true;
    at += size > 0 ? static_cast<size_t>(size) : 1;  // a byte that is not UTF-8
  }
  return false;
}

// Not even the message may reorder what is on the terminal.
std::string shown_as_ascii(std::string_view text) {
  std::string shown;
  for (const char c : text)
    shown += static_cast<unsigned char>(c) < 0x80 ? escape(std::string_view(&c, 1))
                                                  : "\\x" + to_hex(as_byte_span({&c, 1}));
  return shown;
}

enum class Kind { kFile, kDirectory };
struct Known {
  std::string spelling;
  Kind kind;
};

}  // namespace

std::string fold_name(std::string_view name) {
  if (is_ascii(name)) return lower_ascii(name);
  utf8proc_uint8_t* folded = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(name.data()),
                   static_cast<utf8proc_ssize_t>(name.size()), &folded,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE |
                                                  UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(folded, std::free);
  if (size < 0) return lower_ascii(name);
  return {reinterpret_cast<const char*>(folded), static_cast<size_t>(size)};
}

Status check_names(const std::vector<fs::RelPath>& files) {
  std::unordered_map<std::string, Known> names;
  for (const fs::RelPath& file : files) {
    if (has_misleading_character(file.str())) {
      Error error = refuse_bundle("", "its name holds a control character");
      error.path = shown_as_ascii(file.str());
      return error;
    }
    const std::string folded = fold_name(file.str());
    const auto [known, is_new] = names.try_emplace(folded, Known{file.str(), Kind::kFile});
    if (!is_new && known->second.kind == Kind::kDirectory)
      return refuse_bundle(file.str(), "the name is both a file and a directory");
    if (!is_new)
      return refuse_bundle(file.str(),
                           known->second.spelling == file.str()
                               ? "the name is there twice"
                               : "the name is there twice, in another case or another form");
    for (fs::RelPath path = file; path.has_parent();) {
      path = path.parent();
      const auto [above, is_first] =
          names.try_emplace(fold_name(path.str()), Known{path.str(), Kind::kDirectory});
      if (is_first) continue;
      if (above->second.kind == Kind::kFile)
        return refuse_bundle(path.str(), "the name is both a file and a directory");
      if (above->second.spelling != path.str())
        return refuse_bundle(path.str(),
                             "the name is there twice, in another case or another form");
      break;  // what is above it was looked at with it
    }
  }
  return {};
}

}  // namespace stravinsky::store
