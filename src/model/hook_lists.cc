#include "model/hook_lists.h"

#include <algorithm>
#include <set>

namespace stravinsky::model {
namespace {

std::string identity_of(const JsonText& document, JsonIndex handler) {
  const auto members = document.members(handler);
  if (!members.contains("command")) return document.canonical(handler);
  std::string identity;
  for (const char* name : {"type", "command", "args"}) {
    const auto found = members.find(name);
    if (found != members.end()) identity += document.canonical(found->second);
    identity += '\n';  // never part of a canonical text
  }
  return identity;
}

}  // namespace

std::string matcher_of(const JsonText& document, JsonIndex group) {
  const JsonIndex matcher = document.find(group, "matcher");
  if (matcher == JsonIndex::kNone) return "";
  const std::string text = document.string_value(matcher);
  if (document.kind(matcher) == JsonKind::kString && (text.empty() || text == "*")) return "";
  return document.canonical(matcher);
}

JsonIndex handlers_of(const JsonText& document, JsonIndex group) {
  const JsonIndex handlers = document.find(group, "hooks");
  if (handlers == JsonIndex::kNone || document.kind(handlers) != JsonKind::kArray)
    return JsonIndex::kNone;
  return handlers;
}

std::vector<HookPlace> hooks_in_group(const JsonText& document, JsonIndex group,
                                      JsonIndex handlers) {
  std::vector<HookPlace> places;
  if (handlers == JsonIndex::kNone) return places;
  const std::string matcher = matcher_of(document, group) + "\n";
  size_t number = 0;
  for (const JsonIndex handler : document.children(handlers))
    places.push_back({.handler = handler,
                      .handlers = handlers,
                      .group_number = 0,
                      .number = number++,
                      .identity = matcher + identity_of(document, handler)});
  return places;
}

std::vector<HookPlace> hooks_in(const JsonText& document, JsonIndex event) {
  std::vector<HookPlace> places;
  size_t group_number = 0;
  for (const JsonIndex group : document.children(event)) {
    for (HookPlace& place : hooks_in_group(document, group, handlers_of(document, group))) {
      place.group_number = group_number;
      places.push_back(std::move(place));
    }
    ++group_number;
  }
  return places;
}

bool is_list_of_groups(const JsonText& document, JsonIndex event) {
  if (document.kind(event) != JsonKind::kArray) return false;
  return std::ranges::all_of(document.children(event), [&](JsonIndex group) {
    if (document.kind(group) != JsonKind::kObject) return false;
    const JsonIndex handlers = document.find(group, "hooks");
    if (handlers == JsonIndex::kNone) return true;
    return document.kind(handlers) == JsonKind::kArray &&
           std::ranges::all_of(document.children(handlers), [&](JsonIndex handler) {
             return document.kind(handler) == JsonKind::kObject;
           });
  });
}

bool is_plain_group(const JsonText& document, JsonIndex group) {
  return std::ranges::all_of(document.children(group), [&](JsonIndex member) {
    const std::string key = document.key(member);
    return key == "matcher" || key == "hooks";
  });
}

bool is_plain_event(const JsonText& document, JsonIndex event) {
  std::set<std::string> identities;
  for (const JsonIndex group : document.children(event)) {
    const JsonIndex handlers = handlers_of(document, group);
    if (!is_plain_group(document, group) || handlers == JsonIndex::kNone ||
        document[handlers].first_child == JsonIndex::kNone)
      return false;
  }
  return std::ranges::all_of(hooks_in(document, event), [&](const HookPlace& place) {
    return identities.insert(place.identity).second;
  });
}

}  // namespace stravinsky::model
