#include "model/hook_reference.h"

#include <algorithm>
#include <utility>

#include "model/settings_merge.h"

namespace stravinsky::model {
namespace {

std::string text_member(const JsonText& document, JsonIndex object, std::string_view key) {
  const JsonIndex member = document.find(object, key);
  return member == JsonIndex::kNone ? std::string() : document.string_value(member);
}

void set_reading(HookReference& reference, CommandReading reading) {
  reference.files = std::move(reading.files);
  reference.programs = std::move(reading.programs);
  reference.is_undecided = reading.is_undecided;
  reference.runs_module = reading.runs_module;
}

HookReference read_entry(const JsonText& document, JsonIndex entry, std::string json_path,
                         Scope scope, const HookRoots& roots) {
  HookReference reference;
  reference.json_path = std::move(json_path);
  reference.offset = document[entry].begin();
  reference.type = text_member(document, entry, "type");
  reference.command = text_member(document, entry, "command");
  const JsonIndex args = document.find(entry, "args");
  const bool has_args = args != JsonIndex::kNone && document.kind(args) == JsonKind::kArray;
  if (has_args)
    for (const JsonIndex arg : document.children(args))
      reference.args.push_back(document.string_value(arg));
  if (!reference.command.empty() && (reference.type.empty() || reference.type == "command"))
    set_reading(reference, has_args ? read_exec(reference.command, reference.args, scope, roots)
                                    : read_command(reference.command, scope, roots));
  return reference;
}

}  // namespace

std::expected<std::vector<HookReference>, JsonFault> find_hook_references(std::string_view settings,
                                                                          Scope scope,
                                                                          const HookRoots& roots) {
  const auto document = JsonText::parse(settings);
  if (!document) return std::unexpected(document.error());
  std::vector<HookReference> all;
  const JsonIndex hooks = document->find(JsonIndex::kRoot, "hooks");
  if (hooks != JsonIndex::kNone) {
    for (const auto& [event, groups] : document->members(hooks)) {
      if (document->kind(groups) != JsonKind::kArray) continue;
      const std::string event_path = json_path("hooks", event);
      size_t group_number = 0;
      for (const JsonIndex group : document->children(groups)) {
        const std::string group_path = event_path + "[" + std::to_string(group_number++) + "]";
        const JsonIndex handlers = document->find(group, "hooks");
        if (handlers == JsonIndex::kNone) continue;
        size_t number = 0;
        for (const JsonIndex handler : document->children(handlers)) {
          HookReference reference =
              read_entry(*document, handler,
                         group_path + ".hooks[" + std::to_string(number++) + "]", scope, roots);
          reference.event = event;
          reference.matcher = text_member(*document, group, "matcher");
          all.push_back(std::move(reference));
        }
      }
    }
  }
  const JsonIndex status_line = document->find(JsonIndex::kRoot, "statusLine");
  if (status_line != JsonIndex::kNone)
    all.push_back(read_entry(*document, status_line, "statusLine", scope, roots));
  std::ranges::sort(all, {}, &HookReference::offset);
  size_t offset = 0;
  TextPosition position;
  for (HookReference& reference : all) {
    position = advance_position(settings, offset, position, reference.offset);
    offset = reference.offset;
    reference.position = position;
  }
  return all;
}

}  // namespace stravinsky::model
