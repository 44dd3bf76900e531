// JsonEdit: elements of one JSON text taken away, replaced and added, in its own style.
//
// The text is the user's and stays theirs: key order, indentation, line ends, spaces
// and byte order mark are kept, and a diff shows the edited elements alone. What is
// added comes out of another document and is written the way the user writes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/json_text.h"

namespace stravinsky::model {

class JsonEdit {
 public:
  // Both must outlive this.
  JsonEdit(const JsonText& mine, const JsonText& theirs) : mine_(mine), theirs_(theirs) {}

  // Indices of containers and elements are those of mine, but for "of theirs".
  void remove(JsonIndex container, JsonIndex element) { removed_[container].insert(element); }
  // Behind all that is there; an element of an object brings its key.
  void add(JsonIndex container, JsonIndex of_theirs) { added_[container].push_back(of_theirs); }
  void replace(JsonIndex value, JsonIndex of_theirs) { replaced_[value] = of_theirs; }
  // Never printed as a part of something that is added.
  void leave_out(JsonIndex of_theirs) { left_out_.insert(of_theirs); }

  bool is_left_out(JsonIndex of_theirs) const { return left_out_.contains(of_theirs); }
  bool is_removed(JsonIndex container, JsonIndex element) const;
  // Nothing would stand in the container.
  bool would_be_empty(JsonIndex container) const;

  struct Edited {
    std::string text;
    std::vector<ByteSpan> inserted;  // in text, ascending
    bool is_changed = false;
  };
  // Elements must not be edited inside of what is removed or replaced.
  Edited apply() const;

 private:
  const JsonText& mine_;
  const JsonText& theirs_;
  std::map<JsonIndex, std::set<JsonIndex>> removed_;   // by container
  std::map<JsonIndex, std::vector<JsonIndex>> added_;  // by container
  std::map<JsonIndex, JsonIndex> replaced_;
  std::set<JsonIndex> left_out_;
};

}  // namespace stravinsky::model
