#include "model/json_object.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/strings.h"

namespace stravinsky::model {
namespace {

const nlohmann::json kEmptyObject = nlohmann::json::object();
const nlohmann::json kEmptyArray = nlohmann::json::array();

}  // namespace

JsonObject::JsonObject(const nlohmann::json& value, std::string where)
    : value_(value.is_object() ? value : kEmptyObject), where_(std::move(where)) {
  if (!value.is_object())
    error_ = make_error(ErrorCode::kCorrupt, fmt::format("{} is not a JSON object", where_));
}

void JsonObject::fail(std::string_view key, std::string_view expected) {
  if (error_) return;
  error_ =
      make_error(ErrorCode::kCorrupt, fmt::format("\"{}\" of {} is not {}", key, where_, expected));
}

Status JsonObject::status() const {
  if (error_) return *error_;
  return {};
}

bool JsonObject::has(std::string_view key) const {
  return value_.contains(key);
}

const nlohmann::json* JsonObject::find(std::string_view key, std::string_view expected) {
  const auto at = value_.find(key);
  if (at != value_.end()) return &*at;
  fail(key, expected);
  return nullptr;
}

std::string JsonObject::text(std::string_view key) {
  const auto* value = find(key, "text");
  if (value == nullptr) return {};
  if (value->is_string()) return value->get_ref<const std::string&>();
  fail(key, "text");
  return {};
}

std::optional<std::string> JsonObject::text_or_null(std::string_view key) {
  const auto* value = find(key, "text or null");
  if (value == nullptr || value->is_null()) return std::nullopt;
  return text(key);
}

std::string JsonObject::bytes(std::string_view key) {
  auto unescaped = unescape(text(key));
  if (unescaped) return std::move(*unescaped);
  fail(key, "an escaped name");
  return {};
}

uint64_t JsonObject::number(std::string_view key, uint64_t max) {
  const auto* value = find(key, "a number");
  if (value == nullptr) return 0;
  if (value->is_number_unsigned() && value->get<uint64_t>() <= max) return value->get<uint64_t>();
  fail(key, max == UINT64_MAX ? "a whole number from 0"
                              : fmt::format("a whole number from 0 to {}", max));
  return 0;
}

int64_t JsonObject::long_number(std::string_view key) {
  const std::string digits = text(key);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size()) return number;
  fail(key, "a whole number as text");
  return 0;
}

bool JsonObject::flag(std::string_view key) {
  const auto* value = find(key, "true or false");
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  fail(key, "true or false");
  return false;
}

codec::Digest JsonObject::digest(std::string_view key) {
  const auto digest = codec::Digest::from_hex(text(key));
  if (digest) return *digest;
  fail(key, "a SHA-256");
  return {};
}

const nlohmann::json& JsonObject::object(std::string_view key) {
  const auto* value = find(key, "an object");
  if (value != nullptr && value->is_object()) return *value;
  fail(key, "an object");
  return kEmptyObject;
}

const nlohmann::json& JsonObject::array(std::string_view key) {
  const auto* value = find(key, "an array");
  if (value != nullptr && value->is_array()) return *value;
  fail(key, "an array");
  return kEmptyArray;
}

Status check_format_version(const nlohmann::json& value, uint64_t known, std::string_view what) {
  JsonObject object(value, "the " + std::string(what));
  const uint64_t version = object.number("format_version");
  RETURN_IF_ERROR(object.status());
  if (version == 0) return make_error(ErrorCode::kCorrupt, "the format version is 0");
  if (version <= known) return {};
  return make_error(ErrorCode::kUnsupported,
                    fmt::format("the {} has format version {}; this program knows up to {}", what,
                                version, known))
      .with_untouched("It was left as it is.")
      .with_remedy("Use the newer stravinsky that wrote it.");
}

}  // namespace stravinsky::model
