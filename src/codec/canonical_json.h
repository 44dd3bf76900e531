// Canonical JSON: the one way to write a value, so that its bytes can be hashed
// (RFC 8785, JSON Canonicalization Scheme), and a parser that refuses what is
// ambiguous.
//
// Restricted to objects, arrays, strings, integers within +-(2^53 - 1), booleans
// and null: how a fraction is printed is the hardest part of RFC 8785, and nothing
// of ours needs one. Durations are integers or decimal strings.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stravinsky::codec {

inline constexpr size_t kJsonDepthMax = 64;
inline constexpr int64_t kJsonIntegerMax = (int64_t{1} << 53) - 1;

// False for a value with a fraction, an integer out of range, a string that is not
// UTF-8, or more than kJsonDepthMax levels. Ask it about values from outside.
bool has_canonical_form(const nlohmann::json& value);

// Members ordered by UTF-16 code units, no white space. CHECKs has_canonical_form.
std::string canonical_json(const nlohmann::json& value);

struct JsonLimits {
  size_t depth_max = kJsonDepthMax;  // levels of objects and arrays
  uint64_t size_max_bytes = 64ULL << 20U;
};

// Any JSON text (RFC 8259), numbers with a fraction included. Refuses duplicate
// names, bytes that are not UTF-8, a byte order mark, bytes after the value, and
// what is over the limits, with kCorrupt. The message begins with "line L, column C:"
// (from 1, columns in characters) and never quotes a value of the text.
Result<nlohmann::json> parse_strict_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace stravinsky::codec
