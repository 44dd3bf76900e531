#include "model/json_path.h"

#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "model/json_edit.h"

namespace stravinsky::model {
namespace {

bool is_object(const JsonText& text, JsonIndex index) {
  return text.kind(index) == JsonKind::kObject;
}

}  // namespace

JsonIndex value_at(const JsonText& text, std::string_view path) {
  JsonIndex at = JsonIndex::kRoot;
  for (const std::string_view key : split(path, '.')) {
    at = text.find(at, key);
    if (at == JsonIndex::kNone) break;
  }
  return at;
}

std::optional<std::string> with_value_of(const JsonText& mine, const JsonText& theirs,
                                         std::string_view path) {
  JsonEdit edit(mine, theirs);
  JsonIndex at_mine = JsonIndex::kRoot;
  JsonIndex at_theirs = JsonIndex::kRoot;
  bool is_new = false;  // what is at at_theirs will be added
  for (const std::string_view key : split(path, '.')) {
    const JsonIndex next = theirs.find(at_theirs, key);
    CHECK(next != JsonIndex::kNone);
    if (is_new) {
      for (const JsonIndex other : theirs.children(at_theirs))
        if (other != next) edit.leave_out(other);
    } else {
      if (!is_object(mine, at_mine)) return std::nullopt;
      const JsonIndex mine_next = mine.find(at_mine, key);
      is_new = mine_next == JsonIndex::kNone;
      if (is_new) {
        edit.add(at_mine, next);
      } else {
        at_mine = mine_next;
      }
    }
    at_theirs = next;
  }
  if (!is_new) edit.replace(at_mine, at_theirs);
  return edit.apply().text;
}

}  // namespace stravinsky::model
