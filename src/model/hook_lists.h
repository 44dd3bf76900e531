// The handlers in the hooks of settings.json, and what makes two of them the same.
//
//   hooks.<Event> = [ {matcher?, hooks: [ {type, command, args?, ...}, ... ]}, ... ]
#pragma once

#include <string>
#include <vector>

#include "model/json_text.h"

namespace stravinsky::model {

// A handler in the list of an event.
struct HookPlace {
  JsonIndex handler = JsonIndex::kNone;
  JsonIndex handlers = JsonIndex::kNone;  // the array that it stands in
  size_t group_number = 0;                // of its group in the event, from 0
  size_t number = 0;                      // of it in its group
  // Equal for handlers that are the same one: the group's matcher, then type, command
  // and args; the whole handler when it has no command.
  std::string identity;
};

// A group without matcher stands for every tool, and so do "" and "*".
std::string matcher_of(const JsonText& document, JsonIndex group);
// The array of handlers; kNone for a group that has none.
JsonIndex handlers_of(const JsonText& document, JsonIndex group);

// In the order of the text; groups and handlers of another shape are passed over.
std::vector<HookPlace> hooks_in(const JsonText& document, JsonIndex event);
std::vector<HookPlace> hooks_in_group(const JsonText& document, JsonIndex group,
                                      JsonIndex handlers);

// True for an array of objects, each with an array of objects as its "hooks" or none.
bool is_list_of_groups(const JsonText& document, JsonIndex event);
// Nothing but a matcher and handlers.
bool is_plain_group(const JsonText& document, JsonIndex group);
// Its handlers and their matchers say all there is to say, and none is there twice.
bool is_plain_event(const JsonText& document, JsonIndex event);

}  // namespace stravinsky::model
