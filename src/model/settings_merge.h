// The merge of a new settings.json into the user's.
//
// Known base (what the installed version had shipped), by JSON path:
//   only the new version changed it    the change is made
//   only the user changed it           the user's stays
//   both changed it, not to the same   a conflict: one side is in force, and told
// Without a base what is missing is added, and everything that differs stays.
//
//   objects                        by key, at every depth
//   permissions.allow, deny, ask,
//   additionalDirectories,
//   top-level enabled... lists     as sets
//   hooks.<Event>                  by handler: a handler is known by the matcher of its group, its
//                                  type, command and args; another member of it (a timeout) is
//                                  merged like any key. One that the user deleted stays deleted
//   statusLine, any other array    as one value
//
// The result is the user's text with elements added, replaced and removed in its own
// style (model/json_edit.h). A text that holds a key twice is refused: an edit could
// meet the one that has no effect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/json_text.h"
#include "model/merge3.h"

namespace stravinsky::model {

inline constexpr size_t kSettingsMergeMaxBytes = size_t{8} << 20U;

// The lists hold paths and numbers, never values: "env.FOO", "permissions.allow: 2
// entries", "hooks.PreToolUse: 1 handler", "hooks.PreToolUse[0].hooks[1].timeout".
struct SettingsMerge {
  std::string text;
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> removed;
  std::vector<std::string> kept;       // without a base: what differs, and stays
  std::vector<std::string> conflicts;  // with a base: what both changed
  std::vector<ByteSpan> inserted;      // in text, ascending
};

// kConflict when mine cannot be merged into: a decision of the user is needed.
// kChecksRefused when theirs is no settings file. Both say line and column.
// mine must not be empty: a caller without settings takes theirs as they are.
// A base that is no JSON object is no base.
Result<SettingsMerge> merge_settings(std::string_view base, std::string_view mine,
                                     std::string_view theirs, Side in_force);
Result<SettingsMerge> merge_settings_additive(std::string_view mine, std::string_view theirs);

// "a.b", with keys that are no plain names as a["x.y"], escaped for people. A long key is
// cut, and a long path ends in "...": a file may have a million keys of any length.
std::string json_path(std::string_view parent, std::string_view key);

}  // namespace stravinsky::model
