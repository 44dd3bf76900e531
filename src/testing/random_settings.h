// RandomSettings: settings.json documents out of a seed, in every style that people write.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "testing/seeded_random.h"

namespace stravinsky::testing {

class RandomSettings {
 public:
  using Json = nlohmann::ordered_json;

  explicit RandomSettings(uint64_t seed) : random_(seed) {}

  Json settings() {
    Json root = Json::object();
    for (unsigned i = below(5); i > 0; --i) root["key" + std::to_string(below(6))] = value(3);
    if (below(3) > 0) {
      Json& permissions = root["permissions"] = Json::object();
      for (const char* list : {"allow", "deny", "additionalDirectories"})
        if (below(2) == 0) permissions[list] = strings();
    }
    if (below(3) > 0) root["hooks"] = hooks();
    if (below(4) == 0) root["enabledServers"] = strings();
    return root;
  }

  // The same document in a random style.
  std::string print(const Json& json) {
    unit_ = std::vector<std::string>{"  ", "    ", "\t", "", " "}[below(5)];
    newline_ = below(3) == 0 ? "\r\n" : "\n";
    colon_ = std::vector<std::string>{": ", ":", " : "}[below(3)];
    is_compact_ = below(4) == 0;
    is_ragged_ = below(4) == 0;
    std::string out = below(6) == 0 ? "\xEF\xBB\xBF" : "";
    print(json, "", out);
    for (unsigned i = below(3); i > 0; --i) out += newline_;
    return out;
  }

  // Another version of a document: entries come, go and change, at every depth.
  Json changed(const Json& from) {
    if (from.is_object()) {
      Json result = Json::object();
      for (const auto& [key, item] : from.items()) {
        const unsigned what = below(10);
        if (what == 0) continue;
        result[key] = what < 5 ? changed(item) : item;
      }
      if (below(3) == 0) result["key" + std::to_string(below(6))] = value(2);
      return result;
    }
    if (from.is_array()) {
      Json result = Json::array();
      for (const Json& item : from)
        if (below(5) > 0) result.push_back(item.is_object() ? changed_group(item) : item);
      if (!from.empty() && from.front().is_string() && below(2) == 0)
        result.push_back("Tool" + std::to_string(below(9)));
      return result;
    }
    return below(2) == 0 ? from : value(1);
  }

 private:
  // A group of handlers, or a handler: what it is known by stays.
  Json changed_group(const Json& from) {
    Json result = from;
    if (from.contains("hooks") && from["hooks"].is_array()) {
      Json handlers = Json::array();
      for (const Json& handler : from["hooks"])
        if (below(5) > 0) handlers.push_back(changed_group(handler));
      if (below(3) == 0)
        handlers.push_back({{"type", "command"}, {"command", "n" + std::to_string(below(4))}});
      result["hooks"] = std::move(handlers);
    } else if (from.contains("command") && below(3) == 0) {
      result["timeout"] = below(5);
    }
    return result;
  }

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_.below(limit)); }

  Json value(unsigned depth) {
    switch (below(depth == 0 ? 4 : 7)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return below(4);
      case 3:
        return "te\"xt\\\n\xC3\xA4" + std::to_string(below(3));
      case 4: {
        Json list = Json::array();
        for (unsigned i = below(4); i > 0; --i) list.push_back(value(depth - 1));
        return list;
      }
      default: {
        Json object = Json::object();
        for (unsigned i = below(4); i > 0; --i)
          object["k." + std::to_string(below(4))] = value(depth - 1);
        return object;
      }
    }
  }
  Json strings() {
    Json list = Json::array();
    for (unsigned i = below(5); i > 0; --i) list.push_back("Tool" + std::to_string(below(6)));
    return list;
  }
  Json hooks() {
    Json hooks = Json::object();
    for (unsigned i = below(4); i > 0; --i) {
      Json& event = hooks[std::vector<std::string>{"PreToolUse", "Stop", "Setup"}[below(3)]];
      event = Json::array();
      for (unsigned groups = below(4); groups > 0; --groups) {
        Json group = Json::object();
        if (below(3) > 0) group["matcher"] = std::vector<std::string>{"", "*", "A", "B"}[below(4)];
        Json& handlers = group["hooks"] = Json::array();
        for (unsigned count = below(4); count > 0; --count) {
          Json handler = {{"type", "command"}, {"command", "c" + std::to_string(below(3))}};
          if (below(3) == 0) handler["args"] = {std::to_string(below(2))};
          if (below(3) == 0) handler["timeout"] = below(3);
          handlers.push_back(handler);
        }
        event.push_back(group);
      }
    }
    return hooks;
  }

  void print(const Json& json, const std::string& indent, std::string& out) {
    if (!json.is_structured()) {
      out += json.dump();
      return;
    }
    const bool one_line = is_compact_ || (is_ragged_ && below(2) == 0);
    out += json.is_object() ? '{' : '[';
    if (json.empty() && is_ragged_ && below(2) == 0) out += newline_ + indent;
    bool is_first = true;
    for (const auto& [key, item] : json.items()) {
      if (!is_first) out += one_line && below(2) == 0 ? ", " : ",";
      if (!one_line) out += newline_ + indent + unit_;
      if (json.is_object()) out += Json(key).dump() + colon_;
      print(item, indent + unit_, out);
      is_first = false;
    }
    if (!one_line && !json.empty()) out += newline_ + indent;
    out += json.is_object() ? '}' : ']';
  }

  SeededRandom random_;
  std::string unit_, newline_, colon_;
  bool is_compact_ = false;
  bool is_ragged_ = false;
};

}  // namespace stravinsky::testing
