// merge_settings_additive: brings what a new settings.json has into the user's.
//
// Adds what is missing and does nothing else: no key is removed, no value is
// changed, and no byte of the user's text moves except to make room. The result
// is the user's text with insertions, in its own indentation and line ends.
//   objects                        missing keys, at every depth
//   permissions.allow, deny, ask,
//   additionalDirectories,
//   top-level enabled... lists     missing entries
//   hooks.<Event>                  missing groups, and missing handlers in the groups of the same
//                                  matcher; a handler is known by its type, command and args,
//                                  so a changed timeout is the user's and stays
//   any other array or value       the user's stays
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/json_text.h"

namespace stravinsky::model {

// added and kept hold paths and numbers, never values.
struct SettingsMerge {
  std::string text;
  // "env.FOO", "permissions.allow: 2 entries", "hooks.PreToolUse[matcher Bash]: 1 handler"
  std::vector<std::string> added;
  std::vector<std::string> kept;   // where both have something else and mine stays
  std::vector<ByteSpan> inserted;  // in text, ascending; without them text is mine
};

// kConflict when mine is not a JSON object: a decision of the user is needed.
// kChecksRefused when theirs is none. Both say line and column.
// mine must not be empty: a caller without settings takes theirs as they are.
Result<SettingsMerge> merge_settings_additive(std::string_view mine, std::string_view theirs);

// "a.b", with keys that are no plain names as a["x.y"], escaped for people.
std::string json_path(std::string_view parent, std::string_view key);

}  // namespace stravinsky::model
