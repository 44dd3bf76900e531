#include "checks/settings_schema.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/check.h"
#include "base/strings.h"
#include "checks/hook_matcher.h"
#include "model/settings_merge.h"

namespace stravinsky::checks {
namespace {

using model::json_path;
using model::JsonIndex;
using model::JsonKind;
using model::JsonText;
using nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

struct KnownShape {
  json text;
  valijson::Schema schema;
};

const KnownShape& known_shape() {
  static const KnownShape* const kShape = [] {
    auto* shape = new KnownShape;
    shape->text = json::parse(settings_schema_text(), nullptr, /*allow_exceptions=*/false);
    CHECK(shape->text.is_object());
    const Adapter adapter(shape->text);
    valijson::SchemaParser().populateSchema(adapter, shape->schema);
    return shape;
  }();
  return *kShape;
}

const json& resolved(const json& schema) {
  const auto reference = schema.find("$ref");
  if (reference == schema.end()) return schema;
  const std::string name = reference->get<std::string>();
  return known_shape().text.at(json::json_pointer(name.substr(1)));
}

const json& anything() {
  static const json* const kEmpty = new json(json::object());
  return *kEmpty;
}

const json& member_schema(const json& schema, const std::string& key) {
  if (const auto listed = schema.find("properties"); listed != schema.end())
    if (const auto found = listed->find(key); found != listed->end()) return resolved(*found);
  const auto others = schema.find("additionalProperties");
  return others == schema.end() || !others->is_object() ? anything() : resolved(*others);
}

const json& item_schema(const json& schema) {
  const auto items = schema.find("items");
  return items == schema.end() ? anything() : resolved(*items);
}

json to_json(const JsonText& document, JsonIndex at) {
  switch (document.kind(at)) {
    case JsonKind::kNull:
      return nullptr;
    case JsonKind::kBoolean:
      return document.raw(document[at].value) == "true";
    case JsonKind::kNumber: {
      double number = 0;
      const std::string_view raw = document.raw(document[at].value);
      std::from_chars(raw.data(), raw.data() + raw.size(), number);
      return number;
    }
    case JsonKind::kString: {
      // valijson counts characters and takes every text for UTF-8.
      std::string text = document.string_value(at);
      return is_valid_utf8(text) ? text : escape(text);
    }
    case JsonKind::kArray: {
      json array = json::array();
      for (const JsonIndex child : document.children(at)) array.push_back(to_json(document, child));
      return array;
    }
    case JsonKind::kObject: {
      json object = json::object();
      for (const JsonIndex child : document.children(at))
        object[document.key(child)] = to_json(document, child);
      return object;
    }
  }
  return nullptr;
}

JsonKind kind_of_type(std::string_view type) {
  if (type == "object") return JsonKind::kObject;
  if (type == "array") return JsonKind::kArray;
  if (type == "string") return JsonKind::kString;
  if (type == "number" || type == "integer") return JsonKind::kNumber;
  return type == "boolean" ? JsonKind::kBoolean : JsonKind::kNull;
}

// A value of the document with the schema that is for it.
struct Place {
  JsonIndex at = JsonIndex::kRoot;
  const json* schema = nullptr;
  std::string path;
};

class FaultFinder {
 public:
  FaultFinder(const JsonText& document, size_t faults_max)
      : document_(document), faults_max_(faults_max) {}

  std::vector<SchemaFault> run() {
    const KnownShape& shape = known_shape();
    const json target = to_json(document_, JsonIndex::kRoot);
    valijson::ValidationResults results;
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    if (!validator.validate(shape.schema, Adapter(target), &results))
      for (const auto& error : results) explain(error.context);
    annotate({JsonIndex::kRoot, &shape.text, ""});
    std::ranges::sort(faults_, {}, [this](const SchemaFault& fault) {
      return std::tuple(document_[fault.at].begin(), std::string_view(fault.rule),
                        std::string_view(fault.message));
    });
    return std::move(faults_);
  }

 private:
  void say(JsonIndex at, std::string_view rule, std::string message, std::string remedy = {}) {
    if (!told_.insert({at, message}).second) return;
    if (++counts_[std::string(rule)] > faults_max_) return;
    faults_.push_back({at, std::string(rule), std::move(message), std::move(remedy)});
  }

  // "<root>", "[hooks]", "[Stop]", "[0]" as valijson writes a path.
  std::optional<Place> find(const std::vector<std::string>& context) const {
    Place place{JsonIndex::kRoot, &known_shape().text, ""};
    for (size_t i = 1; i < context.size(); ++i) {
      const std::string step = context[i].substr(1, context[i].size() - 2);
      if (document_.kind(place.at) == JsonKind::kObject) {
        place.at = document_.find(place.at, step);
        place.schema = &member_schema(*place.schema, step);
        place.path = json_path(place.path, step);
      } else {
        const auto children = document_.children(place.at);
        size_t number = children.size();
        std::from_chars(step.data(), step.data() + step.size(), number);
        if (number >= children.size()) return std::nullopt;
        place.at = children[number];
        place.schema = &item_schema(*place.schema);
        place.path += "[" + step + "]";
      }
      if (place.at == JsonIndex::kNone) return std::nullopt;
    }
    return place;
  }

  // valijson says where; why is said in our own words. A place that is wrong only by
  // what is in it is named by that.
  void explain(const std::vector<std::string>& context) {
    if (counts_["settings.shape"] > faults_max_) return;
    const std::optional<Place> place = find(context);
    if (!place) return;
    const json& schema = *place->schema;
    const std::string name = place->path.empty() ? "the file" : place->path;
    if (const auto type = schema.find("type"); type != schema.end()) {
      const JsonKind wanted = kind_of_type(type->get_ref<const std::string&>());
      const JsonKind kind = document_.kind(place->at);
      if (kind != wanted)
        return say(place->at, "settings.shape",
                   name + " must be " + std::string(with_article(wanted)) + ", not " +
                       std::string(with_article(kind)));
    }
    explain_missing(*place, schema);
    if (const auto conditions = schema.find("allOf"); conditions != schema.end())
      for (const json& condition : *conditions)
        if (holds(condition.at("if"), place->at)) explain_missing(*place, condition.at("then"));
    if (const auto minimum = schema.find("minimum"); minimum != schema.end()) {
      const json value = to_json(document_, place->at);
      if (value.is_number() && value.get<double>() < minimum->get<double>())
        say(place->at, "settings.shape", name + " must be at least " + minimum->dump());
    }
    if (schema.contains("minLength") && document_.string_value(place->at).empty())
      say(place->at, "settings.shape", name + " must not be empty");
    if (const auto values = schema.find("enum"); values != schema.end()) {
      const json value = to_json(document_, place->at);
      std::string all;
      for (const json& one : *values)
        all += (all.empty() ? "" : ", ") + one.get_ref<const std::string&>();
      if (std::ranges::find(*values, value) == values->end())
        say(place->at, "settings.shape", name + " is none of " + all);
    }
  }

  void explain_missing(const Place& place, const json& schema) {
    const auto required = schema.find("required");
    if (required == schema.end() || document_.kind(place.at) != JsonKind::kObject) return;
    for (const json& key : *required) {
      const auto& name = key.get_ref<const std::string&>();
      if (document_.find(place.at, name) == JsonIndex::kNone)
        say(place.at, "settings.shape", place.path + " has no \"" + name + "\"");
    }
  }

  // {"properties": {KEY: {"const": TEXT}}}, the only form that the schema uses.
  bool holds(const json& condition, JsonIndex at) const {
    for (const auto& [key, value] : condition.at("properties").items()) {
      const JsonIndex member = document_.find(at, key);
      if (member == JsonIndex::kNone ||
          document_.string_value(member) != value.at("const").get_ref<const std::string&>())
        return false;
    }
    return true;
  }

  void annotate(const Place& place) {
    const json& schema = *place.schema;
    if (schema.empty()) return;
    if (document_.kind(place.at) == JsonKind::kArray) {
      const json& items = item_schema(schema);
      const bool takes_no_matcher = schema.contains("x-matcher");
      size_t number = 0;
      for (const JsonIndex child : document_.children(place.at)) {
        const Place element{child, &items, place.path + "[" + std::to_string(number++) + "]"};
        if (place.path.starts_with("hooks")) matcher(element, place.path, takes_no_matcher);
        annotate(element);
      }
      return;
    }
    if (document_.kind(place.at) != JsonKind::kObject) return;
    for (const auto& [key, child] : document_.members(place.at)) {
      const Place member{child, &member_schema(schema, key), json_path(place.path, key)};
      if (const auto closed = schema.find("x-closed"); closed != schema.end())
        if (!schema.at("properties").contains(key))
          unknown(member, key, schema.at("properties"), closed->get_ref<const std::string&>());
      if (const auto instead = member.schema->find("x-deprecated"); instead != member.schema->end())
        say(child, "settings.deprecated", member.path + " is deprecated",
            "Use " + instead->get_ref<const std::string&>() + " instead.");
      annotate(member);
    }
  }

  void unknown(const Place& place, const std::string& key, const json& known,
               const std::string& rule) {
    if (counts_[rule] >= faults_max_) return;
    const auto folded = [](std::string text) {
      std::ranges::transform(text, text.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
      std::erase(text, '_');
      std::erase(text, '-');
      return text;
    };
    std::string remedy;
    for (const auto& [name, schema] : known.items())
      if (folded(name) == folded(key) || folded(name) == folded(key) + "s" ||
          folded(name) + "s" == folded(key))
        remedy = "Did you mean " + name + "?";
    const bool is_event = rule == "settings.unknown_event";
    say(place.at, rule,
        place.path + (is_event ? " is no event that is known, so its hooks may never run"
                               : " is no key that is known"),
        std::move(remedy));
  }

  void matcher(const Place& group, const std::string& event_path, bool takes_none) {
    const JsonIndex member = document_.find(group.at, "matcher");
    if (member == JsonIndex::kNone || document_.kind(member) != JsonKind::kString) return;
    const std::string text = document_.string_value(member);
    if (takes_none) {
      if (!text.empty() && text != "*")
        say(member, "settings.matcher_ignored",
            group.path + ".matcher is ignored: this event takes none",
            "Take the matcher out, and look in the hook itself at what it is called for.");
      return;
    }
    const bool about_tools = event_path.contains("Tool") || event_path.contains("Permission");
    if (const auto fault =
            matcher_fault(text, about_tools ? MatcherSubject::kTool : MatcherSubject::kOther))
      say(member, "settings.matcher", group.path + ".matcher can never match: " + *fault);
  }

  const JsonText& document_;
  size_t faults_max_;
  std::map<std::string, size_t> counts_;
  std::set<std::pair<JsonIndex, std::string>> told_;
  std::vector<SchemaFault> faults_;
};

}  // namespace

std::vector<SchemaFault> find_schema_faults(const JsonText& document, size_t faults_max) {
  return FaultFinder(document, faults_max).run();
}

}  // namespace stravinsky::checks
