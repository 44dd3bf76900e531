// SettingsSchema: where a settings file departs from the shape that is known.
//
// The shape is data, settings_schema.json (draft-07, compiled in), and valijson is
// what judges by it. Three annotations of our own say what a schema cannot warn of:
// x-closed (the rule that names a key which is not listed), x-deprecated (what
// replaces a key) and x-matcher (an event that takes none). Messages are made of
// keys, paths and the schema; never of a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/json_text.h"

namespace stravinsky::checks {

std::string_view settings_schema_text();

struct SchemaFault {
  model::JsonIndex at = model::JsonIndex::kRoot;
  std::string rule;  // "settings.shape", "settings.unknown_key", ...
  std::string message;
  std::string remedy;
};

// In the order of the text; at most faults_max of one rule. document must hold an object.
std::vector<SchemaFault> find_schema_faults(const model::JsonText& document, size_t faults_max);

}  // namespace stravinsky::checks
