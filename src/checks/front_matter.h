// FrontMatter: the YAML block at the head of a command, an agent or a skill.
//
//   ---
//   name: reviewer
//   description: Reads what was changed
//   ---
//
// Only the keys of the block itself are kept. The parser's events are counted and
// no tree is built from them, so that an alias is a name here and never expands; a
// block is at most 64 KiB, its flow brackets at most 32 deep, and yaml-cpp ends at
// 500 levels of its own accord. A file without a block is no fault.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stravinsky::checks {

inline constexpr size_t kFrontMatterMaxBytes = size_t{64} << 10U;

enum class FieldKind { kNull, kScalar, kList, kMap, kAlias };

struct FrontField {
  FieldKind kind = FieldKind::kNull;
  std::string text;  // of a scalar
  int line = 0;      // of the file, from 1

  // Something is said: neither nothing nor an empty text.
  bool says_something() const {
    return kind != FieldKind::kNull && (kind != FieldKind::kScalar || !text.empty());
  }
};

// Why a block cannot be read; rule is a sentence without full stop.
struct FrontMatterFault {
  int line = 0;
  int column = 0;
  std::string rule;
};

struct FrontMatter {
  bool is_there = false;
  std::map<std::string, FrontField> fields;  // of duplicates the last
  std::map<std::string, int> duplicates;     // key and line
  std::optional<FrontMatterFault> fault;     // then fields may be incomplete
  // It is YAML only once the texts behind the keys are put in quotes, as Claude Code
  // does: "argument-hint: [file] [line]", "description: Use it when: always".
  std::optional<FrontMatterFault> strict_fault;

  const FrontField* find(std::string_view key) const;
};

FrontMatter read_front_matter(std::string_view text);

}  // namespace stravinsky::checks
