// What an update looks at before it begins and after it went live, beside the tree's own
// checks: the six verifications, health checks of the user's, earlier backups, live sessions.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const Variables kWithoutChecksBefore{{"STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false"}};

class Verify : public ::testing::Test {
 protected:
  void SetUp() override {
    home_.install(1);
    before_ = home_.tree();
  }
  std::vector<std::string> update(const std::string& bundle = "2") const {
    return {"update", "2.0.0", "--from", home_.bundle(bundle), "--json"};
  }
  void configure(const std::string& text) const {
    home_.file(home_.store("config.json"), text, 0600);
  }
  json event(const std::string& type) const {
    const json log = home_.expect(0, {"audit", "log", "--json"}).json();
    for (const json& one : log["events"])
      if (one["event_type"] == type) return one;
    ADD_FAILURE() << "no " << type;
    return json::object();
  }

  const Home home_;
  Tree before_;
};

TEST_F(Verify, SixNamedVerificationsTellAllTheirFailures) {
  const json good = home_.expect(0, update()).json();
  std::vector<std::string> names;
  for (const json& one : good["verifications"]) {
    names.push_back(one["name"]);
    EXPECT_EQ(one["success"], true);
  }
  EXPECT_THAT(names,
              ::testing::ElementsAre("hooks_syntax", "commands_valid", "settings_schema",
                                     "dependencies", "file_permissions", "version_consistency"));
  home_.expect(0, {"rollback", "undo"});

  Files files = package_with_missing_hook();
  files.front().second = "#!/bin/bash\nif true; then\n";  // and guard.sh does not parse
  home_.make_bundle("two", files);
  const json bad = home_.expect(1, update("two"), {.env = kWithoutChecksBefore}).json();
  EXPECT_EQ(bad["success"], false);
  EXPECT_EQ(bad["auto_rolled_back"], true);
  EXPECT_EQ(bad["rolled_back_to"], "v1.0.0");
  EXPECT_EQ(bad["rollback_error"], nullptr);
  EXPECT_EQ(bad["recovery_required"], false);
  const std::string failures = bad["failures"].dump();
  EXPECT_THAT(failures, HasSubstr("hooks_syntax: ~/.claude/hooks/guard.sh"));
  EXPECT_THAT(failures, HasSubstr("dependencies: ~/.claude/settings.json"));
  EXPECT_EQ(event("UPDATE_FAILED")["details"]["failed_verifications"],
            json::array({"hooks_syntax", "dependencies"}));
  EXPECT_TRUE(same_tree(home_.tree(), before_));
}

TEST_F(Verify, AModuleThatAHookImportsHasToBeThere) {
  Files files = package(2);
  files.emplace_back("hooks/run.js", "const lib = require('./lib/gone');\n");
  home_.make_bundle("imports", files);
  const Ended refused = home_.expect(3, {"update", "2.0.0", "--from", home_.bundle("imports")});
  EXPECT_THAT(refused.err, HasSubstr("hooks/run.js"));
  EXPECT_THAT(refused.err, HasSubstr("./lib/gone"));
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  files.emplace_back("hooks/lib/gone.js", "exports.x = 1;\n");
  home_.make_bundle("imports", files);
  home_.expect(0, update("imports"));
}

TEST_F(Verify, CanBeSwitchedOffByConfigurationAndVariable) {
  configure(R"({"update": {"pre_update_checks_enabled": false,
                           "post_update_verification_enabled": false}})");
  const json unverified = home_.expect(0, update("broken")).json();
  EXPECT_EQ(unverified["verifications"], json::array());
  home_.expect(0, {"rollback", "undo"});
  const RunOptions on{.env = {{"STRAVINSKY_UPDATE_POST_UPDATE_VERIFICATION_ENABLED", "true"}}};
  home_.expect(1, update("broken"), on);
  EXPECT_TRUE(same_tree(home_.tree(), before_));
}

TEST_F(Verify, AutomaticRollbackCanBeSwitchedOffByConfigurationAndVariable) {
  configure(R"({"update": {"pre_update_checks_enabled": false,
                           "auto_rollback_on_failure": false}})");
  const json left = home_.expect(1, update("broken")).json();
  EXPECT_EQ(left["outcome"], "verify_failed");
  EXPECT_EQ(left["auto_rolled_back"], false);
  EXPECT_EQ(left["error"]["class"], "parse_error");
  EXPECT_EQ(left["error"]["response"], "stay");
  EXPECT_EQ(event("VERIFICATION_FAILURE")["error_class"], "parse_error");
  EXPECT_TRUE(home_.exists(".claude/hooks/audit.sh"));
  home_.expect(0, {"rollback", "undo"});
  home_.expect(1, update("broken"), {.env = {{"STRAVINSKY_AUTO_ROLLBACK", "true"}}});
  EXPECT_TRUE(same_tree(home_.tree(), before_));
}

// --- health checks

TEST_F(Verify, AHealthCheckSeesTheNewFilesInAScratchHome) {
  configure(R"({"verify": {"commands": [{"argv": ["sh", "-c",
      "test -f ~/.claude/hooks/audit.sh && test $CLAUDE_CONFIG_DIR = ~/.claude && echo broken > ~/.claude/hooks/guard.sh"]},
      {"argv": ["bash", "~/.claude/hooks/audit.sh"], "home": "real"}]}})");
  home_.expect(0, update());
  EXPECT_EQ(home_.text(".claude/hooks/guard.sh"), hook("guard of version 2"));
  EXPECT_EQ(home_.names(home_.store("recovery/staging")), std::vector<std::string>());
}

TEST_F(Verify, AFailingHealthCheckTakesTheUpdateBackAndItsWordsAreNotKept) {
  configure(R"({"verify": {"commands": [{"argv": ["sh", "-c",
      "grep -q v2-marker ~/.claude/settings.json; echo token-$((20+22)); echo token-$((20+22)) >&2; exit 3"]}]}})");
  const Ended failed = home_.expect(1, {"update", "2.0.0", "--from", home_.bundle("2")});
  EXPECT_THAT(failed.err, HasSubstr("health check 1 (sh) ended with 3"));
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  EXPECT_THAT(failed.out + failed.err, Not(HasSubstr("token-42")));
  for (const auto& [path, what] : home_.store_tree())
    EXPECT_THAT(what, Not(HasSubstr("token-42"))) << path;
  const json told = home_.expect(1, update()).json();
  EXPECT_THAT(told["failures"][0].get<std::string>(), HasSubstr("health: health check 1"));
  EXPECT_EQ(event("UPDATE_FAILED")["details"]["failed_verifications"], json::array({"health"}));
}

TEST_F(Verify, AHealthCheckThatDoesNotEndIsEnded) {
  const RunOptions slow{
      .env = {{"STRAVINSKY_VERIFY_COMMANDS",
               R"([{"argv": ["sleep", "60"], "timeout_seconds": 1, "home": "real"}])"}}};
  const Ended failed = home_.expect(1, {"update", "2.0.0", "--from", home_.bundle("2")}, slow);
  EXPECT_THAT(failed.err, HasSubstr("health check 1 (sleep) did not end within 1 second"));
  EXPECT_TRUE(same_tree(home_.tree(), before_));
}

TEST_F(Verify, HealthChecksThatCannotBeUnderstoodRefuseTheUpdate) {
  configure(R"({"verify": {"commands": [{"argv": "rm -rf"}]}})");
  const Ended refused = home_.expect(2, {"update", "2.0.0", "--from", home_.bundle("2")});
  EXPECT_THAT(refused.err, HasSubstr("verify.commands"));
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  home_.expect(0, {"rollback", "undo"});  // no way back is barred
}

// --- earlier backups

TEST_F(Verify, ADamagedBackupIsQuarantinedAndTheUpdateGoesOn) {
  const std::string id = home_.expect(0, {"backup", "create", "--json"}).json()["id"];
  const std::string archive = home_.store("backups/" + id + "/hooks.tar.gz");
  std::string bytes = home_.text(archive);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  home_.file(archive, bytes, 0600);
  const RunOptions all{.env = {{"STRAVINSKY_BACKUP_SPOT_CHECK_PERCENTAGE", "100"}}};
  const Tree store = home_.store_tree();
  home_.expect(0, {"update", "2.0.0", "--from", home_.bundle("2"), "--dry-run"}, all);
  EXPECT_TRUE(same_tree(home_.store_tree(), store)) << "a dry run moves nothing";
  const Ended done = home_.expect(0, {"update", "2.0.0", "--from", home_.bundle("2")}, all);
  EXPECT_THAT(done.err, HasSubstr("warning: backup " + id));
  EXPECT_THAT(done.err, HasSubstr("quarantine/" + id));
  EXPECT_EQ(home_.text(".claude/hooks/audit.sh"), hook("audit of version 2"));
  EXPECT_FALSE(home_.exists(home_.store("backups/" + id)));
  EXPECT_EQ(home_.text(home_.store("quarantine/" + id + "/hooks.tar.gz")), bytes);
  EXPECT_EQ(event("CORRUPTED_BACKUP")["backup_created"], id);
  EXPECT_EQ(event("CORRUPTED_BACKUP")["severity"], "warning");
  home_.expect(0, {"backup", "verify", "--all"});
  home_.expect(0, {"audit", "verify"});
}

TEST_F(Verify, TheOldestBackupsGoAndTheProtectedStay) {
  home_.expect(0, {"backup", "create", "--label", "by-hand"});
  for (const char* version : {"2", "3"})
    home_.expect(0, {"update", version + std::string(".0.0"), "--from", home_.bundle(version)});
  const RunOptions two{.env = {{"STRAVINSKY_BACKUP_MAX_VERSIONS", "2"}}};
  home_.expect(0, {"rollback", "undo"});
  // Those before it: of the first installation, of 2, of 3, of the undo.
  const auto done =
      home_.expect(0, {"update", "3.0.0", "--from", home_.bundle("3"), "--json"}, two).json();
  const auto& deleted = done["backups_deleted"];
  EXPECT_THAT(deleted, ::testing::Contains("unknown.pre_update"));
  EXPECT_THAT(deleted, ::testing::Contains("v1.0.0.pre_update"));
  EXPECT_TRUE(home_.exists(home_.store("backups/by-hand"))) << "the user made it";
  EXPECT_FALSE(home_.exists(home_.store("backups/unknown.pre_update")));
  EXPECT_TRUE(home_.exists(home_.store("backups/" + std::string(done["backup_created"]))))
      << "the last committed update leads back to it";
  EXPECT_EQ(event("BACKUP_DELETED")["status"], "success");
  home_.expect(0, {"rollback", "undo"});
  home_.expect(0, {"rollback", "to", "by-hand"});
  home_.expect(0, {"audit", "verify"});
}

// --- live sessions

TEST_F(Verify, LiveSessionsAreToldInThePlanAndInTheRun) {
  home_.dir("bin");
  ASSERT_EQ(home_.run_program({"sh", "-c", "cp \"$(command -v sleep)\" ~/bin/claude"}).exit, 0);
  const Ended started =
      home_.run_program({"sh", "-c", "~/bin/claude 60 </dev/null >/dev/null 2>&1 & echo $!"});
  const std::string pid = started.out.substr(0, started.out.find('\n'));
  for (const bool is_plan : {true, false}) {
    std::vector<std::string> args{"update", "2.0.0", "--from", home_.bundle("2")};
    if (is_plan) args.emplace_back("--dry-run");
    const Ended told = home_.expect(0, args);
    EXPECT_THAT(told.err, HasSubstr("Claude Code session"));
    EXPECT_THAT(told.err, HasSubstr(pid));
    EXPECT_THAT(told.err, HasSubstr("restart them after an update"));
  }
  home_.expect(0, {"rollback", "undo"});
  EXPECT_THAT(home_.expect(0, update()).json()["findings"].dump(), HasSubstr("session.live"));
  home_.run_program({"kill", pid});
}

// --- who asks for it gets the old tree back

TEST_F(Verify, AUserWhoAsksGetsTheOldTreeBackFromAnyState) {
  home_.expect(0, update());
  home_.file(".claude/settings.json", "{ not json");
  home_.file(".claude/hooks/guard.sh", "if\n");
  configure("{ not json either");
  const Ended back = home_.expect(0, {"rollback", "auto", "v1.0.0", "--json"});
  EXPECT_EQ(back.json()["to_version"], "v1.0.0");
  for (const char* path : {"settings.json", "hooks/guard.sh"})
    EXPECT_EQ(home_.text(".claude/" + std::string(path)), before_.at(path).substr(10)) << path;
}

}  // namespace
}  // namespace stravinsky::e2e
