// docs/checks.md names every rule that is in the code, and no others; and for each rule
// of a tree there is a tree in the corpus that trips it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace stravinsky::checks {
namespace {

const std::filesystem::path kProject = STRAVINSKY_SOURCE_DIR;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern, std::regex::multiline);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    found.insert((*at)[1]);
  return found;
}

std::set<std::string> rules_in_code() {
  std::string all = content_of(kProject / "src/checks/settings_schema.json");
  for (const char* engine : {"check", "surroundings", "version_check", "health_checks", "emptied"})
    all += content_of(kProject / "src/engine" / (std::string(engine) + ".cc"));
  for (const auto& entry : std::filesystem::directory_iterator(kProject / "src/checks")) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".cc") && !name.ends_with("_test.cc")) all += content_of(entry.path());
  }
  std::set<std::string> rules = matches(
      all,
      "\"((?:agents?|backups?|capacity|commands?|disk|disk_space|document|front_matter|guards?|"
      "health|hooks?|imports|locks?|permissions?|sessions?|settings|skills?|tree|update|version)\\."
      "[a-"
      "z0-9_]+)\"");
  // Names of files and of configuration keys.
  for (const char* other :
       {"settings.json", "skill.md", "backup.max_versions", "backup.max_total_size_mb",
        "backup.spot_check_percentage", "permissions.allow", "permissions.deny"})
    rules.erase(other);
  return rules;
}

std::set<std::string> rules_in(const std::string& document) {
  return matches(document, "^\\| `([a-z0-9_.]+)` \\|");
}

TEST(Rules, CodeAndDocumentNameTheSame) {
  const auto code = rules_in_code();
  EXPECT_GT(code.size(), 60U);
  const auto document = rules_in(content_of(kProject / "docs/checks.md"));
  for (const std::string& rule : code)
    EXPECT_TRUE(document.contains(rule)) << rule << " is not in docs/checks.md";
  for (const std::string& rule : document)
    EXPECT_TRUE(code.contains(rule)) << rule << " is in docs/checks.md only";
}

TEST(Rules, EachRuleOfATreeHasATreeThatTripsIt) {
  std::string corpus;
  for (const auto& entry : std::filesystem::directory_iterator(kProject / "tests/corpus/checks"))
    corpus += content_of(entry.path());
  std::set<std::string> tripped = matches(corpus, "^expect [a-z]+ ([a-z0-9_.]+)$");
  // These need a failing parser, machine or check; their tests stand beside the checks.
  for (const char* rule : {"hook.not_read", "hook.interpreter_missing", "hook.unlisted"})
    tripped.insert(rule);
  const std::string document = content_of(kProject / "docs/checks.md");
  std::set<std::string> rules = rules_in(document.substr(0, document.find("## Round the tree")));
  std::erase_if(rules, [](const std::string& rule) { return rule.ends_with(".failed"); });
  EXPECT_EQ(tripped, rules);
}

}  // namespace
}  // namespace stravinsky::checks
