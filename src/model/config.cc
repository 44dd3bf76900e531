#include "model/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"
#include "base/strings.h"
#include "model/json_text.h"

namespace stravinsky::model {
namespace {

constexpr std::string_view kFileName = "config.json";
constexpr std::string_view kFileVersion = "1.0";

constexpr ConfigKey boolean_key(std::string_view name, bool is_on, std::string_view alias = {}) {
  return {.name = name,
          .type = ConfigType::kBoolean,
          .default_text = is_on ? "true" : "false",
          .alias = alias};
}
constexpr ConfigKey integer_key(std::string_view name, std::string_view default_text, int64_t min,
                                int64_t max, std::string_view alias = {}) {
  return {.name = name,
          .type = ConfigType::kInteger,
          .default_text = default_text,
          .min = min,
          .max = max,
          .alias = alias};
}
constexpr ConfigKey text_key(std::string_view name, std::string_view only_text) {
  return {
      .name = name, .type = ConfigType::kText, .default_text = only_text, .only_text = only_text};
}

constexpr std::string_view kMergePolicies = "keep-mine, take-theirs, ask, fail";
constexpr ConfigKey choice_key(std::string_view name, std::string_view default_text,
                               std::string_view choices) {
  return {
      .name = name, .type = ConfigType::kChoice, .default_text = default_text, .choices = choices};
}

constexpr std::array kKeys = {
    integer_key("backup.max_versions", "10", 1, 100'000),
    integer_key("backup.max_total_size_mb", "500", 1, 100'000'000),
    integer_key("backup.retention_days", "730", 1, 36'500),
    text_key("backup.compression", "gzip"),
    boolean_key("backup.verify_on_creation", true),
    integer_key("backup.spot_check_percentage", "10", 1, 100),
    boolean_key("update.auto_backup_before_update", true),
    boolean_key("update.pre_update_checks_enabled", true),
    boolean_key("update.post_update_verification_enabled", true),
    boolean_key("update.require_signature", false),
    ConfigKey{.name = "update.trusted_keys", .type = ConfigType::kKeyList, .default_text = ""},
    integer_key("update.download_timeout_seconds", "30", 1, 3'600),
    boolean_key("update.auto_rollback_on_failure", true, "STRAVINSKY_AUTO_ROLLBACK"),
    integer_key("update.auto_rollback_timeout_seconds", "60", 1, 86'400),
    choice_key("update.conflict", "keep-mine", kMergePolicies),
    choice_key("update.unknown_base", "take-theirs", kMergePolicies),
    ConfigKey{.name = "verify.commands", .type = ConfigType::kCommands, .default_text = "[]"},
    boolean_key("recovery.enable_auto_recovery", true),
    integer_key("recovery.max_recovery_attempts", "3", 1, 1'000),
    integer_key("recovery.recovery_retry_delay_seconds", "5", 0, 3'600),
    boolean_key("audit.enable_audit_logging", true),
    integer_key("audit.log_retention_days", "730", 1, 36'500, "STRAVINSKY_AUDIT_RETENTION_DAYS"),
    integer_key("audit.log_rotation_size_mb", "50", 1, 100'000),
    boolean_key("audit.tamper_detection_enabled", true),
    boolean_key("safety.require_manual_confirmation_for_rollback", false),
    boolean_key("safety.fail_safe_on_backup_error", true),
    integer_key("safety.disk_space_threshold_mb", "100", 0, 100'000'000),
    integer_key("safety.lock_timeout_seconds", "5", 0, 3'600),
};

std::string_view section_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}
std::string_view key_of(std::string_view name) {
  return name.substr(name.find('.') + 1);
}

bool is_section(std::string_view name) {
  for (const ConfigKey& key : kKeys)
    if (section_of(key.name) == name) return true;
  return false;
}

std::string expected(const ConfigKey& key) {
  switch (key.type) {
    case ConfigType::kBoolean:
      return "true or false";
    case ConfigType::kInteger:
      return fmt::format("a whole number from {} to {}", key.min, key.max);
    case ConfigType::kText:
      return fmt::format("\"{}\"", key.only_text);
    case ConfigType::kChoice:
      return fmt::format("one of {}", key.choices);
    case ConfigType::kKeyList:
      return "a list of public keys like \"ed25519:<64 hexadecimal digits>\"";
    case ConfigType::kCommands:
      return "a list like [{\"argv\": [\"program\", \"word\"], \"timeout_seconds\": 10, "
             "\"home\": \"scratch\"}]";
  }
  return {};
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_choice(const ConfigKey& key, std::string_view text) {
  for (std::string_view rest = key.choices; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(", "));
    if (one == text) return true;
    rest.remove_prefix(std::min(rest.size(), one.size() + 2));
  }
  return false;
}

bool is_string(const ConfigKey& key) {
  return key.type == ConfigType::kText || key.type == ConfigType::kChoice;
}

// Public keys with commas between, without spaces; nullopt when one is none.
std::optional<std::string> normal_keys(std::string_view text) {
  constexpr std::string_view kPrefix = "ed25519:";
  constexpr size_t kHexDigits = 64;
  std::string normal;
  for (std::string_view key : split(text, ',')) {
    while (key.starts_with(' ')) key.remove_prefix(1);
    while (key.ends_with(' ')) key.remove_suffix(1);
    if (key.empty()) continue;
    if (!key.starts_with(kPrefix) || key.size() != kPrefix.size() + kHexDigits ||
        !from_hex(key.substr(kPrefix.size())))
      return std::nullopt;
    normal.append(normal.empty() ? "" : ",").append(key);
  }
  return normal;
}

// The value as it is kept; nullopt when it is not one of the key. Both forms that
// people type in a shell are known for booleans.
std::optional<std::string> normal_form(const ConfigKey& key, std::string_view text) {
  if (key.type == ConfigType::kInteger) {
    const auto number = parse_integer(text);
    if (!number || *number < key.min || *number > key.max) return std::nullopt;
    return std::to_string(*number);
  }
  if (key.type == ConfigType::kKeyList) return normal_keys(text);
  if (key.type == ConfigType::kCommands)
    return parse_health_commands(text) ? std::optional(std::string(text)) : std::nullopt;
  if (key.type == ConfigType::kText)
    return text == key.only_text ? std::optional(std::string(text)) : std::nullopt;
  if (key.type == ConfigType::kChoice)
    return is_choice(key, text) ? std::optional(std::string(text)) : std::nullopt;
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const char* yes : {"true", "1", "yes", "on"})
    if (lower == yes) return "true";
  for (const char* no : {"false", "0", "no", "off"})
    if (lower == no) return "false";
  return std::nullopt;
}

Error file_error(std::string message) {
  return make_error(ErrorCode::kUsage, std::move(message), std::string(kFileName))
      .with_untouched("Nothing was changed.")
      .with_remedy("Correct the file, or see the keys: stravinsky config list");
}

Result<JsonText> parse_file(std::string_view file_text) {
  auto document = JsonText::parse(file_text);
  if (!document) return file_error(document.error().to_string());
  if (document->kind(JsonIndex::kRoot) != JsonKind::kObject)
    return file_error(
        fmt::format("line {}: it must be an object", document->position(JsonIndex::kRoot).line));
  return std::move(*document);
}

// A JSON value as the text that normal_form understands; nullopt for another type.
std::optional<std::string> file_value(const ConfigKey& key, const JsonText& document,
                                      JsonIndex index) {
  const JsonKind kind = document.kind(index);
  if (is_string(key))
    return kind == JsonKind::kString ? normal_form(key, document.string_value(index))
                                     : std::nullopt;
  if (key.type == ConfigType::kKeyList) {
    if (kind != JsonKind::kArray) return std::nullopt;
    std::string all;
    for (const JsonIndex item : document.children(index)) {
      if (document.kind(item) != JsonKind::kString || document.string_value(item).contains(','))
        return std::nullopt;
      all.append(document.string_value(item)).append(",");
    }
    return normal_form(key, all);
  }
  if (key.type == ConfigType::kCommands)
    return normal_form(key, document.raw(document[index].value));
  const JsonKind wanted = key.type == ConfigType::kBoolean ? JsonKind::kBoolean : JsonKind::kNumber;
  if (kind != wanted) return std::nullopt;
  return normal_form(key, document.raw(document[index].value));
}

Status check_version(const JsonText& document) {
  const JsonIndex version = document.find(JsonIndex::kRoot, "version");
  if (version == JsonIndex::kNone) return {};
  const int line = document.position(version).line;
  if (document.kind(version) != JsonKind::kString)
    return file_error(fmt::format("line {}: \"version\" is {}; expected \"{}\"", line,
                                  with_article(document.kind(version)), kFileVersion));
  if (document.string_value(version) == kFileVersion) return {};
  Error error = file_error(fmt::format(
      "line {}: \"version\" is not \"{}\", the one this program knows", line, kFileVersion));
  error.code = ErrorCode::kUnsupported;
  return error;
}

std::string json_value(const ConfigKey& key, const std::string& normal) {
  if (key.type == ConfigType::kKeyList) {
    std::string list;
    for (const std::string_view one : split(normal, ','))
      if (!one.empty()) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", one);
    return "[" + list + "]";
  }
  return is_string(key) ? "\"" + normal + "\"" : normal;
}

// A member put behind the last one of an object.
std::string insert_member(const JsonText& document, JsonIndex object, std::string_view member,
                          std::string_view indent) {
  std::string text(document.text());
  const JsonIndex last = document[object].last_child;
  if (last == JsonIndex::kNone) {
    const size_t at = document[object].value.begin + 1;
    const std::string closing = indent.size() > 2 ? "\n  " : "\n";
    const size_t end = document[object].value.end - 1;
    text.replace(at, end - at, fmt::format("\n{}{}{}", indent, member, closing));
  } else {
    text.insert(document[last].value.end, fmt::format(",\n{}{}", indent, member));
  }
  return text;
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  return kKeys;
}

const ConfigKey* find_config_key(std::string_view name) {
  for (const ConfigKey& key : kKeys)
    if (key.name == name) return &key;
  return nullptr;
}

std::string variable_of(const ConfigKey& key) {
  std::string variable = "STRAVINSKY_";
  for (const char c : key.name)
    variable += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

std::string_view origin_name(ConfigOrigin origin) {
  switch (origin) {
    case ConfigOrigin::kDefault:
      return "default";
    case ConfigOrigin::kFile:
      return "file";
    case ConfigOrigin::kEnvironment:
      return "environment";
  }
  return "default";
}

Config::Config() {
  for (const ConfigKey& key : kKeys)
    values_.push_back({.key = &key, .text = std::string(key.default_text)});
}

Result<Config> Config::load(std::string_view file_text, const Variables& variables) {
  Config config;
  if (!file_text.empty()) RETURN_IF_ERROR(config.read_file(file_text));
  RETURN_IF_ERROR(config.read_variables(variables));
  return config;
}

Status Config::read_file(std::string_view file_text) {
  ASSIGN_OR_RETURN(const JsonText document, parse_file(file_text));
  RETURN_IF_ERROR(check_version(document));
  const auto warn = [&](JsonIndex at, const std::string& name, std::string_view why) {
    warnings_.push_back(fmt::format("{}, line {}: \"{}\" {}", kFileName, document.position(at).line,
                                    escape(name), why));
  };
  for (const JsonIndex hidden : document.hidden_members())
    warn(hidden, document.key(hidden), "is given twice; the last one counts");
  for (const auto& [section, index] : document.members(JsonIndex::kRoot)) {
    if (section == "version") continue;
    if (!is_section(section)) {
      warn(index, section, "is not a section of this program and has no effect");
      continue;
    }
    if (document.kind(index) != JsonKind::kObject)
      return file_error(fmt::format("line {}: \"{}\" is {}; expected an object",
                                    document.position(index).line, section,
                                    with_article(document.kind(index))));
    for (const auto& [name, at] : document.members(index)) {
      const std::string full = fmt::format("{}.{}", section, name);
      if (find_config_key(full) == nullptr)
        warn(at, full, "is not a key of this program and has no effect");
    }
  }
  std::sort(warnings_.begin(), warnings_.end());
  for (ConfigValue& value : values_) {
    const ConfigKey& key = *value.key;
    const JsonIndex section = document.find(JsonIndex::kRoot, section_of(key.name));
    if (section == JsonIndex::kNone) continue;
    const JsonIndex at = document.find(section, key_of(key.name));
    if (at == JsonIndex::kNone) continue;
    auto text = file_value(key, document, at);
    if (!text)
      return file_error(fmt::format("line {}: \"{}\" is {}; expected {}",
                                    document.position(at).line, key.name,
                                    with_article(document.kind(at)), expected(key)));
    value.text = std::move(*text);
    value.origin = ConfigOrigin::kFile;
  }
  return {};
}

Status Config::read_variables(const Variables& variables) {
  for (ConfigValue& value : values_) {
    const ConfigKey& key = *value.key;
    for (const std::string& variable : {std::string(key.alias), variable_of(key)}) {
      if (variable.empty()) continue;
      const auto given = variables(variable);
      if (!given || given->empty()) continue;
      auto text = normal_form(key, *given);
      if (!text)
        return make_error(ErrorCode::kUsage,
                          fmt::format("the variable {} must be {}", variable, expected(key)))
            .with_untouched("Nothing was changed.")
            .with_remedy("Correct it, or unset " + variable + ".");
      value.text = std::move(*text);
      value.origin = ConfigOrigin::kEnvironment;
      value.variable = variable;
    }
  }
  return {};
}

const ConfigValue& Config::value(std::string_view name, ConfigType type) const {
  for (const ConfigValue& value : values_) {
    if (value.key->name != name) continue;
    CHECK(value.key->type == type);
    return value;
  }
  CHECK(false);
}

bool Config::boolean(std::string_view name) const {
  return value(name, ConfigType::kBoolean).text == "true";
}

int64_t Config::integer(std::string_view name) const {
  const auto number = parse_integer(value(name, ConfigType::kInteger).text);
  CHECK(number.has_value());
  return *number;
}

const std::string& Config::text(std::string_view name) const {
  const ConfigKey* key = find_config_key(name);
  CHECK(key != nullptr && is_string(*key));
  return value(name, key->type).text;
}

std::vector<std::string> Config::list(std::string_view name) const {
  std::vector<std::string> all;
  for (const std::string_view one : split(value(name, ConfigType::kKeyList).text, ','))
    if (!one.empty()) all.emplace_back(one);
  return all;
}

std::vector<HealthCommand> Config::commands(std::string_view name) const {
  auto commands = parse_health_commands(value(name, ConfigType::kCommands).text);
  CHECK(commands.has_value());
  return std::move(*commands);
}

Result<std::string> set_config_value(std::string_view file_text, std::string_view name,
                                     std::string_view value) {
  const ConfigKey* key = find_config_key(name);
  if (key == nullptr)
    return make_error(ErrorCode::kUsage, fmt::format("there is no key \"{}\"", escape(name)))
        .with_untouched("Nothing was changed.")
        .with_remedy("See the keys: stravinsky config list");
  const auto normal = normal_form(*key, value);
  if (!normal)
    return make_error(ErrorCode::kUsage, fmt::format("\"{}\" must be {}", name, expected(*key)))
        .with_untouched("Nothing was changed.");
  const std::string new_file = fmt::format("{{\n  \"version\": \"{}\"\n}}\n", kFileVersion);
  if (file_text.empty()) file_text = new_file;

  ASSIGN_OR_RETURN(const JsonText document, parse_file(file_text));
  const std::string member = fmt::format("\"{}\": {}", key_of(name), json_value(*key, *normal));
  const JsonIndex section = document.find(JsonIndex::kRoot, section_of(name));
  const JsonIndex at =
      section == JsonIndex::kNone ? JsonIndex::kNone : document.find(section, key_of(name));
  std::string text;
  if (at != JsonIndex::kNone) {
    text = document.text();
    const ByteSpan span = document[at].value;
    text.replace(span.begin, span.size(), json_value(*key, *normal));
  } else if (section != JsonIndex::kNone) {
    text = insert_member(document, section, member, "    ");
  } else {
    text = insert_member(document, JsonIndex::kRoot,
                         fmt::format("\"{}\": {{\n    {}\n  }}", section_of(name), member), "  ");
  }
  const auto no_variables = [](const std::string&) { return std::optional<std::string>(); };
  ASSIGN_OR_RETURN(const Config checked, Config::load(text, no_variables));
  return text;
}

}  // namespace stravinsky::model
