#include "model/config.h"

#include <gtest/gtest.h>

#include <map>

namespace stravinsky::model {
namespace {

using Environment = std::map<std::string, std::string>;

Result<Config> load(std::string_view text, const Environment& environment = {}) {
  return Config::load(text, [&](const std::string& name) {
    const auto at = environment.find(name);
    return at == environment.end() ? std::nullopt : std::optional(at->second);
  });
}

// The message of the refusal; empty when the file is accepted.
std::string refusal(std::string_view text, const Environment& environment = {}) {
  const auto config = load(text, environment);
  return config ? "" : config.error().to_string();
}

TEST(Config, DefaultsAreTheDocumentedOnes) {
  const Config config;
  EXPECT_EQ(config.values().size(), 28U);
  EXPECT_EQ(config.integer("backup.max_versions"), 10);
  EXPECT_EQ(config.integer("backup.max_total_size_mb"), 500);
  EXPECT_EQ(config.integer("backup.retention_days"), 730);
  EXPECT_EQ(config.text("backup.compression"), "gzip");
  EXPECT_EQ(config.text("update.conflict"), "keep-mine");
  EXPECT_EQ(config.text("update.unknown_base"), "take-theirs");
  EXPECT_TRUE(config.boolean("update.auto_rollback_on_failure"));
  EXPECT_FALSE(config.boolean("safety.require_manual_confirmation_for_rollback"));
  EXPECT_EQ(config.integer("safety.lock_timeout_seconds"), 5);
}

TEST(Config, AChoiceIsOneOfItsList) {
  const auto chosen = load(R"({"update": {"conflict": "take-theirs"}})");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->text("update.conflict"), "take-theirs");
  for (const char* wrong : {"\"take\"", "\"\"", "\"keep-mine, ask\"", "true"})
    EXPECT_NE(refusal(R"({"update": {"conflict": )" + std::string(wrong) + "}}")
                  .find("one of keep-mine, take-theirs, ask, fail"),
              std::string::npos)
        << wrong;
  EXPECT_NE(refusal("", {{"STRAVINSKY_UPDATE_UNKNOWN_BASE", "no"}}), "");
  const auto set = set_config_value("", "update.conflict", "fail");
  ASSERT_TRUE(set);
  EXPECT_EQ(load(*set)->text("update.conflict"), "fail");
}

TEST(Config, HealthCommandsAreJsonInTheFileAndElsewhere) {
  const std::string text = R"([{"argv": ["a", "b"], "timeout_seconds": 2}])";
  EXPECT_TRUE(load("")->commands("verify.commands").empty());
  EXPECT_EQ(load(R"({"verify": {"commands": )" + text + "}}")->commands("verify.commands").size(),
            1U);
  EXPECT_EQ(load("", {{"STRAVINSKY_VERIFY_COMMANDS", text}})->commands("verify.commands").size(),
            1U);
  EXPECT_EQ(load(set_config_value("", "verify.commands", text).value())
                ->commands("verify.commands")[0]
                .timeout_seconds,
            2);
  EXPECT_NE(refusal(R"({"verify": {"commands": "ls"}})"), "");
  EXPECT_NE(refusal(R"({"verify": {"commands": [{"argv": []}]}})"), "");
}

TEST(Config, AMissingFileAndMissingKeysFallBack) {
  EXPECT_EQ(load("")->integer("backup.max_versions"), 10);
  const auto config = load(R"({"version": "1.0", "backup": {"max_versions": 3}})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->integer("backup.max_versions"), 3);
  EXPECT_EQ(config->integer("backup.retention_days"), 730);
  EXPECT_EQ(config->values()[0].origin, ConfigOrigin::kFile);
  EXPECT_EQ(config->values()[1].origin, ConfigOrigin::kDefault);
}

TEST(Config, TheEnvironmentWinsOverTheFile) {
  const Environment environment = {{"STRAVINSKY_BACKUP_MAX_VERSIONS", "7"},
                                   {"STRAVINSKY_AUTO_ROLLBACK", "false"},
                                   {"STRAVINSKY_AUDIT_RETENTION_DAYS", "30"},
                                   {"STRAVINSKY_SAFETY_LOCK_TIMEOUT_SECONDS", "0"}};
  const auto config = load(R"({"backup": {"max_versions": 3}})", environment);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->integer("backup.max_versions"), 7);
  EXPECT_FALSE(config->boolean("update.auto_rollback_on_failure"));
  EXPECT_EQ(config->integer("audit.log_retention_days"), 30);
  EXPECT_EQ(config->integer("safety.lock_timeout_seconds"), 0);
  EXPECT_EQ(config->values()[0].variable, "STRAVINSKY_BACKUP_MAX_VERSIONS");
}

TEST(Config, TheExactVariableWinsOverItsAlias) {
  const Environment environment = {{"STRAVINSKY_AUTO_ROLLBACK", "false"},
                                   {"STRAVINSKY_UPDATE_AUTO_ROLLBACK_ON_FAILURE", "YES"}};
  EXPECT_TRUE(load("", environment)->boolean("update.auto_rollback_on_failure"));
}

TEST(Config, ABadVariableIsNamedAndItsValueIsNot) {
  const std::string message = refusal("", {{"STRAVINSKY_BACKUP_MAX_VERSIONS", "hunter2"}});
  EXPECT_NE(message.find("STRAVINSKY_BACKUP_MAX_VERSIONS"), std::string::npos);
  EXPECT_NE(message.find("from 1 to"), std::string::npos);
  EXPECT_EQ(message.find("hunter2"), std::string::npos);
  EXPECT_EQ(refusal("", {{"STRAVINSKY_BACKUP_MAX_VERSIONS", ""}}), "");
}

TEST(Config, WrongTypesNameFileLineKeyAndWhatIsExpected) {
  const std::string message = refusal("{\n  \"backup\": {\n    \"max_versions\": \"ten\"\n  }\n}");
  EXPECT_EQ(message,
            "config.json: line 3: \"backup.max_versions\" is a string; expected a whole number "
            "from 1 to 100000");
  for (const char* text :
       {R"({"backup": []})", R"({"backup": {"max_versions": 0}})",
        R"({"backup": {"max_versions": 1.5}})", R"({"backup": {"max_versions": 1e2}})",
        R"({"backup": {"max_versions": 99999999999999999999}})",
        R"({"backup": {"verify_on_creation": "true"}})", R"({"backup": {"compression": "xz"}})",
        R"({"audit": {"enable_audit_logging": null}})", "[]", "{", "x", R"({"version": 1})"})
    EXPECT_NE(refusal(text), "") << text;
}

TEST(Config, ANewerVersionIsRefused) {
  const auto config = load(R"({"version": "2.0"})");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kUnsupported);
}

TEST(Config, UnknownKeysWarnWithTheirLine) {
  const auto config = load("{\n\"safety\": {\"keep_version_copies\": 3},\n\"extra\": 1}");
  ASSERT_TRUE(config);
  ASSERT_EQ(config->warnings().size(), 2U);
  std::string all = config->warnings()[0] + config->warnings()[1];
  EXPECT_NE(all.find("line 2: \"safety.keep_version_copies\""), std::string::npos);
  EXPECT_NE(all.find("line 3: \"extra\""), std::string::npos);
}

TEST(Config, SettingAKeyKeepsEveryOtherByte) {
  const std::string file =
      "{\n  \"backup\": {\n    \"max_versions\":  3, \"mine\": [1,2]\n  },\n  \"x\": 1\n}\n";
  EXPECT_EQ(
      set_config_value(file, "backup.max_versions", "12").value(),
      "{\n  \"backup\": {\n    \"max_versions\":  12, \"mine\": [1,2]\n  },\n  \"x\": 1\n}\n");
  EXPECT_EQ(set_config_value(file, "backup.retention_days", "5").value(),
            "{\n  \"backup\": {\n    \"max_versions\":  3, \"mine\": [1,2],\n"
            "    \"retention_days\": 5\n  },\n  \"x\": 1\n}\n");
  EXPECT_EQ(set_config_value("", "audit.enable_audit_logging", "off").value(),
            "{\n  \"version\": \"1.0\",\n  \"audit\": {\n    \"enable_audit_logging\": false\n"
            "  }\n}\n");
  EXPECT_EQ(load(set_config_value("{\"audit\": {}}", "audit.log_retention_days", "9").value())
                ->integer("audit.log_retention_days"),
            9);
}

TEST(Config, EveryKeyCanBeSetAndReadBack) {
  std::string file;
  for (const ConfigKey& key : config_keys())
    file = set_config_value(file, key.name, key.default_text).value();
  const auto config = load(file);
  ASSERT_TRUE(config);
  for (const ConfigValue& value : config->values()) {
    EXPECT_EQ(value.text, value.key->default_text);
    EXPECT_EQ(value.origin, ConfigOrigin::kFile) << value.key->name;
  }
}

TEST(Config, AListOfKeysIsReadFromTheFileAndTheEnvironment) {
  const std::string a = "ed25519:" + std::string(64, 'a');
  const std::string b = "ed25519:" + std::string(64, 'b');
  const auto config = load(R"({"update": {"trusted_keys": [")" + a + R"(", ")" + b + R"("]}})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->list("update.trusted_keys"), (std::vector{a, b}));
  EXPECT_EQ(load(set_config_value("", "update.trusted_keys", a + ", " + b).value())
                ->list("update.trusted_keys"),
            (std::vector{a, b}));
  EXPECT_FALSE(load(R"({"update": {"trusted_keys": [")" + a + R"(x"]}})"));
  EXPECT_FALSE(load(R"({"update": {"trusted_keys": ")" + a + R"("}})"));
  EXPECT_FALSE(load(R"({"update": {"trusted_keys": [1]}})"));
}

TEST(Config, BadKeysAndValuesAreNotSet) {
  EXPECT_FALSE(set_config_value("", "backup.nothing", "1"));
  EXPECT_FALSE(set_config_value("", "backup.max_versions", "many"));
  EXPECT_FALSE(set_config_value("{", "backup.max_versions", "1"));
}

}  // namespace
}  // namespace stravinsky::model
