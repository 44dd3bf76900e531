// --json: one document on standard output, with the documented keys.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using nlohmann::json;

void expect_keys(const json& document, const std::vector<std::string>& keys) {
  ASSERT_TRUE(document.is_object()) << document.dump();
  for (const std::string& key : keys)
    EXPECT_TRUE(document.contains(key)) << key << " is not in " << document.dump(1);
}

const std::vector<std::string> kRollbackKeys{"success", "from_version", "to_version",
                                             "backup_created", "duration_seconds"};

TEST(Json, UpdateAndItsRollbacks) {
  const Home home;
  home.install(1);
  const json update =
      home.expect(0, {"update", "2.0.0", "--from", home.bundle("2"), "--json"}).json();
  expect_keys(update, kRollbackKeys);
  EXPECT_EQ(update["success"], true);
  EXPECT_EQ(update["from_version"], "v1.0.0");
  EXPECT_EQ(update["to_version"], "v2.0.0");
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"rollback", "undo", "--json"},
        std::vector<std::string>{"rollback", "redo", "--json"},
        std::vector<std::string>{"rollback", "to", "v1.0.0", "--json"}}) {
    const json back = home.expect(0, args).json();
    expect_keys(back, kRollbackKeys);
    EXPECT_EQ(back["success"], true);
  }
}

TEST(Json, AutomaticRollback) {
  const Home home;
  home.install(1);
  const json result =
      home.expect(1, {"update", "2.0.0", "--from", home.bundle("broken"), "--json"},
                  {.env = {{"STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false"}}})
          .json();
  expect_keys(result, {"success", "auto_rolled_back", "rolled_back_to", "failures"});
  EXPECT_EQ(result["success"], false);
  EXPECT_EQ(result["auto_rolled_back"], true);
  EXPECT_EQ(result["rolled_back_to"], "v1.0.0");
  EXPECT_FALSE(result["failures"].empty());
}

TEST(Json, ErrorsAreJsonToo) {
  const Home home;
  home.install(1);
  const json error = home.expect(5, {"rollback", "to", "v9.9.9", "--json"}).json();
  EXPECT_EQ(error["ok"], false) << error.dump();
  EXPECT_EQ(error["exit_code"], 5);
  EXPECT_EQ(error["error"]["code"], "not_found");
  const json refused =
      home.expect(3, {"update", "2.0.0", "--from", home.bundle("missing"), "--json"}).json();
  EXPECT_EQ(refused["ok"], false) << refused.dump();
  EXPECT_EQ(refused["exit_code"], 3);
}

TEST(Json, EveryReadingCommandParses) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"backup", "create", "--label", "odd-name", "--json"}).json();
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"status", "--json"},
        std::vector<std::string>{"backup", "list", "--json"},
        std::vector<std::string>{"backup", "show", "v1.0.0", "--json"},
        std::vector<std::string>{"backup", "verify", "--all", "--json"},
        std::vector<std::string>{"rollback", "list", "--json"},
        std::vector<std::string>{"audit", "log", "--json"},
        std::vector<std::string>{"audit", "verify", "--json"}})
    home.expect(0, args).json();
}

TEST(Json, BackupCreateNamesItsId) {
  const Home home;
  home.files(".claude", package(1));
  const json made = home.expect(0, {"backup", "create", "--label", "v7", "--json"}).json();
  EXPECT_NE(made.dump().find("v7"), std::string::npos);
  const json manifest = json::parse(home.text(home.store("backups/v7/manifest.json")));
  expect_keys(manifest, {"version", "timestamp", "python_version", "system", "backup_type", "files",
                         "pre_update_state", "integrity_checks", "format_version"});
  expect_keys(manifest["files"], {"hooks", "commands", "settings"});
  expect_keys(manifest["files"]["hooks"],
              {"path", "size_bytes", "sha256", "files_count", "timestamp"});
  expect_keys(manifest["integrity_checks"], {"all_files_readable", "disk_space_available",
                                             "permissions_verified", "no_locks_detected"});
  EXPECT_EQ(manifest["files"]["hooks"]["files_count"], 2);
}

// "pending" in a plan and "complete" in what was done is the one difference.
json without_status(json files) {
  for (json& file : files) file.erase("status");
  return files;
}

TEST(Scenario, 20_DryRunOutputEqualsTheRun) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("mine"), 0755);
  home.erase(".claude/agents/planner.md");
  const std::vector<std::vector<std::string>> commands{
      {"update", "2.0.0", "--from", home.bundle("2"), "--json"},
      {"rollback", "undo", "--json"},
      {"rollback", "redo", "--json"},
      {"rollback", "to", "v1.0.0", "--json"}};
  for (const std::vector<std::string>& args : commands) {
    std::vector<std::string> dry = args;
    dry.emplace_back("--dry-run");
    const Tree tree = home.tree();
    const Tree store = home.store_tree();
    const json planned = home.expect(0, dry).json();
    EXPECT_TRUE(same_tree(home.tree(), tree));
    EXPECT_TRUE(same_tree(home.store_tree(), store));
    const json done = home.expect(0, args).json();
    for (const char* key : {"from_version", "to_version"})
      EXPECT_EQ(planned[key], done[key]) << args[0] << " " << args[1] << ": " << key;
    EXPECT_EQ(without_status(planned["files"]), without_status(done["files"])) << args[1];
  }
}

}  // namespace
}  // namespace stravinsky::e2e
