// Config: the settings of stravinsky itself; config.json in the store's root.
//
// One table holds every key with its type, default, range and variables, and
// everything else follows from it. A value comes from the environment
// (STRAVINSKY_<SECTION>_<KEY>, or a documented alias), else from the file, else
// from the table. Keys that the table lacks are kept and warned about. A wrong
// type or a value out of range is an error that names the line and the key, or the
// variable; nothing is guessed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/health_command.h"

namespace stravinsky::model {

enum class ConfigType {
  kBoolean,
  kInteger,
  kText,
  kChoice,
  kKeyList,   // public keys: in the file a list of strings, elsewhere with commas between
  kCommands,  // health commands, as JSON everywhere (model/health_command.h)
};

struct ConfigKey {
  std::string_view name;  // "backup.max_versions"
  ConfigType type;
  std::string_view default_text;
  int64_t min = 0;  // of an integer
  int64_t max = 0;
  std::string_view only_text = {};  // the one value of a text that is supported
  std::string_view choices = {};    // of a choice: "keep-mine, ask, fail"
  std::string_view alias = {};      // a second variable, which the documents promise
};

std::span<const ConfigKey> config_keys();
const ConfigKey* find_config_key(std::string_view name);
std::string variable_of(const ConfigKey& key);  // "STRAVINSKY_BACKUP_MAX_VERSIONS"

enum class ConfigOrigin { kDefault, kFile, kEnvironment };
std::string_view origin_name(ConfigOrigin origin);  // "default", "file", "environment"

struct ConfigValue {
  const ConfigKey* key = nullptr;
  std::string text;  // "10", "true", "gzip"
  ConfigOrigin origin = ConfigOrigin::kDefault;
  std::string variable{};  // for kEnvironment
};

class Config {
 public:
  using Variables = std::function<std::optional<std::string>(const std::string&)>;

  Config();  // the defaults
  // file_text is that of config.json; empty: there is none. kUsage for whatever is
  // wrong; kUnsupported for a newer "version".
  static Result<Config> load(std::string_view file_text, const Variables& variables);

  // CHECK that the name is in the table and of this type.
  bool boolean(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  const std::string& text(std::string_view name) const;  // of a choice, too
  std::vector<std::string> list(std::string_view name) const;
  std::vector<HealthCommand> commands(std::string_view name) const;

  // All keys, in the order of the table.
  const std::vector<ConfigValue>& values() const { return values_; }
  // A sentence each: unknown and repeated keys.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  const ConfigValue& value(std::string_view name, ConfigType type) const;
  Status read_file(std::string_view file_text);
  Status read_variables(const Variables& variables);

  std::vector<ConfigValue> values_;
  std::vector<std::string> warnings_;
};

// The text of config.json with one key set; every other byte stays. Empty
// file_text makes a new file. kUsage for an unknown key, a bad value, a file that
// load() refuses.
Result<std::string> set_config_value(std::string_view file_text, std::string_view name,
                                     std::string_view value);

}  // namespace stravinsky::model
