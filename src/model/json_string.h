// How JSON spells a string: its escapes, read and written (RFC 8259, section 7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stravinsky::model {

// Four hexadecimal digits; nullopt when there are fewer.
std::optional<uint32_t> read_hex4(std::string_view text, size_t at);

// quoted has its quotes and only legal escapes. A lone surrogate becomes its three
// bytes, so that different strings stay different.
std::string decode_json_string(std::string_view quoted);

// Appends text with quotes and no more escapes than needed.
void append_json_string(std::string_view text, std::string& out);

}  // namespace stravinsky::model
