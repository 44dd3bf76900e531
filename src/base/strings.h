// Text helpers used by every layer: hex, bytes, times, quoting for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stravinsky {

std::span<const std::byte> as_byte_span(std::string_view text);
std::string_view as_text(std::span<const std::byte> bytes);

std::string to_hex(std::span<const std::byte> bytes);
// nullopt unless text is an even number of lower-case hexadecimal digits.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);

// "2026-01-08T15:34:22Z" and "2026-01-08T15:34:22.123456Z", from nanoseconds since the epoch.
std::string utc_seconds(int64_t time_ns);
std::string utc_micros(int64_t time_ns);

bool is_valid_utf8(std::string_view text);

// For output to people and logs: control characters, DEL and bytes that are not
// UTF-8 become \xHH, a backslash becomes \\, so that a hostile file name cannot
// move the cursor. Reversible: unescape(escape(x)) == x.
std::string escape(std::string_view bytes);
std::optional<std::string> unescape(std::string_view text);

// "1,234"
std::string with_thousands(uint64_t number);
// "1 file", "1,234 files"
std::string counted(uint64_t number, std::string_view noun);
// "812 bytes", "45 KB", "1.2 MB" (powers of 1,000 as `ls --si` and disk makers use)
std::string human_size(uint64_t bytes);
// "0.2 ms", "12.3 seconds"
std::string human_duration(int64_t duration_ns);

// A word quoted for a POSIX shell; unchanged when it needs no quotes.
std::string shell_quote(std::string_view word);

}  // namespace stravinsky
