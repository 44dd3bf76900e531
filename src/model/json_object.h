// JsonObject: reads the members of a parsed JSON object with their types checked.
//
// The first member that is missing or of another type is remembered, later reads
// give empty values, and status() says which it was: a reader of twenty members
// is twenty lines and one check. Never quotes a value. The object outlives it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/sha256.h"

namespace stravinsky::model {

class JsonObject {
 public:
  // where names the object in errors: "the manifest", "entry 12".
  JsonObject(const nlohmann::json& value, std::string where);

  bool has(std::string_view key) const;
  std::string text(std::string_view key);
  std::optional<std::string> text_or_null(std::string_view key);
  // Undoes base escape().
  std::string bytes(std::string_view key);
  uint64_t number(std::string_view key, uint64_t max = UINT64_MAX);
  // A signed number kept as decimal text, since it may exceed 2^53.
  int64_t long_number(std::string_view key);
  bool flag(std::string_view key);
  codec::Digest digest(std::string_view key);
  // An empty object or array after an error.
  const nlohmann::json& object(std::string_view key);
  const nlohmann::json& array(std::string_view key);

  void fail(std::string_view key, std::string_view expected);
  bool ok() const { return !error_; }
  Status status() const;

 private:
  const nlohmann::json* find(std::string_view key, std::string_view expected);
  const nlohmann::json& value_;
  std::string where_;
  std::optional<Error> error_;
};

// Checks "format_version" of a parsed file of ours: kUnsupported when it is newer
// than known, kCorrupt when it is missing. what is "manifest", "latest.json".
Status check_format_version(const nlohmann::json& value, uint64_t known, std::string_view what);

}  // namespace stravinsky::model
