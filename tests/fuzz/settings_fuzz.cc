// A settings file: the reader of JSON that knows places, the schema, and the commands.
// Another reader of JSON must take what ours takes, and the other way round.
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/strings.h"
#include "checks/settings_schema.h"
#include "fuzz_target.h"
#include "model/hook_reference.h"
#include "model/json_text.h"

using namespace stravinsky;

namespace {

// What nlohmann-json says of a text. Nothing is said of numbers that no double holds, nor
// of a text with a NUL, where it stops reading.
class Other final : public nlohmann::json_sax<nlohmann::json> {
 public:
  enum class Answer { kTaken, kRefused, kNothing };

  static Answer ask(std::string_view text) {
    if (text.contains('\0')) return Answer::kNothing;
    Other other;
    const bool is_taken = nlohmann::json::sax_parse(text, &other);
    if (other.is_out_of_range_) return Answer::kNothing;
    return is_taken ? Answer::kTaken : Answer::kRefused;
  }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t value, const string_t& text) override {
    const std::string_view digits = std::string_view(text).substr(0, text.find_first_of("eE"));
    const bool is_zero = digits.find_first_of("123456789") == std::string_view::npos;
    if (value == 0 && !is_zero) is_out_of_range_ = true;
    return true;
  }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(size_t /*elements*/) override { return true; }
  bool key(string_t& /*value*/) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t /*elements*/) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t /*position*/, const std::string& /*last_token*/,
                   const nlohmann::json::exception& error) override {
    constexpr int kOutOfRange = 406;
    if (error.id == kOutOfRange) is_out_of_range_ = true;
    return false;
  }

 private:
  bool is_out_of_range_ = false;
};

void check_place(const model::TextPosition& place) {
  CHECK(place.line >= 1 && place.column >= 1);
}

}  // namespace

FUZZ_TARGET(settings) {
  const auto json = model::JsonText::parse(input);
  const Other::Answer other = Other::ask(input);
  if (!json) {
    check_place(json.error().position);
    // Limits are ours alone; none is met by inputs as small as these but the depth.
    CHECK(other != Other::Answer::kTaken || json.error().rule.contains("level"));
    return;
  }
  // A lone surrogate is one for JSON.parse and for us.
  CHECK(other != Other::Answer::kRefused || !is_valid_utf8(input) || input.contains("\\u"));
  if (other == Other::Answer::kTaken) {
    // The other one's spelling of the same document is the same document.
    const std::string spelt = nlohmann::json::parse(input).dump();
    const auto again = model::JsonText::parse(spelt);
    CHECK(again &&
          again->canonical(model::JsonIndex::kRoot) == json->canonical(model::JsonIndex::kRoot));
  }
  for (const model::JsonIndex hidden : json->hidden_members()) check_place(json->position(hidden));
  if (json->kind(model::JsonIndex::kRoot) == model::JsonKind::kObject) {
    for (const checks::SchemaFault& fault : checks::find_schema_faults(*json, 20)) {
      check_place(json->position(fault.at));
      CHECK(!fault.rule.empty() && !fault.message.empty());
    }
  }
  const model::HookRoots roots{"/home/u", "/home/u/.claude", "/home/u/project"};
  const auto references = model::find_hook_references(input, model::Scope::kProject, roots);
  CHECK(references.has_value());
  for (const model::HookReference& reference : *references) check_place(reference.position);
}
