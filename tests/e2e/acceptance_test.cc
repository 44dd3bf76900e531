// Requirements that no other test shows, on the real program. docs/acceptance.md says
// which requirement is proved where.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <set>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* kSeconds = "....-..-..T..:..:..Z";
constexpr const char* kMicroseconds = "....-..-..T..:..:..\\.......Z";

json read_json(const Home& home, const std::string& path) {
  json value = json::parse(home.text(home.store(path)), nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << path;
  return value;
}

// As another program counts it.
std::string sha256sum(const Home& home, const std::string& path) {
  const Ended sum = home.run_program({"sha256sum", "--", home.at(path)});
  EXPECT_EQ(sum.exit, 0) << sum.err;
  return sum.out.substr(sum.out.starts_with('\\') ? 1 : 0, 64);
}

std::vector<json> events(const Home& home) {
  std::vector<json> out;
  const std::string log = home.text(home.store("audit/operations.log"));
  EXPECT_TRUE(log.ends_with('\n'));
  for (size_t start = 0; start < log.size();) {
    const size_t end = log.find('\n', start);
    out.push_back(json::parse(log.substr(start, end - start), nullptr, false));
    EXPECT_TRUE(out.back().is_object()) << log.substr(start, end - start);
    start = end + 1;
  }
  return out;
}

json last_event(const Home& home, const std::string& type) {
  json found;
  for (const json& event : events(home))
    if (event["event_type"] == type) found = event;
  EXPECT_FALSE(found.is_null()) << "no " << type;
  return found;
}

std::string current_version(const Home& home) {
  const json latest = read_json(home, "backups/latest.json");
  for (const json& tree : latest["trees"])
    if (tree["root"] == home.at(".claude")) return tree["version"];
  return "none";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

// A home with a project in ~/work/p, both full.
class TwoScopes : public Home {
 public:
  TwoScopes() {
    dir("work/p/.git");
    files(".claude", package(1));
    file(".claude/settings.local.json", "{ \"local\":1 }");
    files("work/p/.claude", {{"hooks/of project.sh", hook("of the project")},
                             {"commands/deploy.md", "Deploy.\n"},
                             {"settings.json", "{\"of\" :\t\"project\"}\n"},
                             {"settings.local.json", "{ not json, and kept"}});
  }
  RunOptions there() const { return {.directory = "work/p"}; }
};

TEST(Acceptance, FirstUseMakesTheDocumentedStoreApartFromTheTree) {
  const TwoScopes home;
  EXPECT_FALSE(home.exists(".stravinsky"));
  home.expect(0, {"update", "2.0.0", "--from", home.bundle("2")}, home.there());
  const std::string backup = "backups/unknown.pre_update";
  for (const char* name : {"manifest.json", "hooks.tar.gz", "commands.tar.gz", "settings.json",
                           "project_settings.json"})
    EXPECT_TRUE(home.exists(home.store(backup + "/" + name))) << name;
  for (const char* name : {"backups/latest.json", "audit/operations.log"})
    EXPECT_TRUE(home.exists(home.store(name))) << name;
  // The log of the transaction lies where it is documented.
  const auto done = home.names(home.store("recovery/tx/done"));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_TRUE(home.exists(home.store("recovery/tx/done/" + done[0] + "/journal")));
  EXPECT_EQ(current_version(home), "2.0.0");
  // Nothing of the store lies in the trees it protects.
  for (const char* tree : {".claude", "work/p/.claude"})
    for (const auto& [path, what] : home.tree(tree)) {
      EXPECT_EQ(path.find("manifest.json"), std::string::npos) << path;
      EXPECT_EQ(path.find(".tar.gz"), std::string::npos) << path;
    }
}

TEST(Acceptance, ABackupHoldsBothScopesAndByteExactSettings) {
  const TwoScopes home;
  const std::string of_project = home.text("work/p/.claude/settings.json");
  home.expect(0, {"backup", "create", "--label", "all"}, home.there());
  EXPECT_EQ(home.text(home.store("backups/all/settings.json")), home.text(".claude/settings.json"));
  EXPECT_EQ(home.text(home.store("backups/all/project_settings.json")), of_project);
  for (const auto& [archive, members] :
       {std::pair{"hooks", std::vector{"hooks/guard.sh", "project_hooks/of project.sh"}},
        std::pair{"commands",
                  std::vector{"commands/str/search.md", "project_commands/deploy.md"}}}) {
    const Ended list = home.run_program(
        {"tar", "tzf", home.store("backups/all/" + std::string(archive) + ".tar.gz")});
    EXPECT_EQ(list.exit, 0) << list.err;
    for (const char* member : members) EXPECT_THAT(list.out, HasSubstr(member));
  }
}

TEST(Acceptance, RollbackBringsBothScopesBackToTheirOwnPlaces) {
  const TwoScopes home;
  const Tree user = home.tree();
  const Tree project = home.tree("work/p/.claude");
  home.expect(0, {"backup", "create", "--label", "all"}, home.there());
  for (const char* tree : {".claude", "work/p/.claude"})
    for (const auto& [path, what] : home.tree(tree))
      if (what.starts_with("file")) home.file(std::string(tree) + "/" + path, "changed\n");
  home.expect(0, {"rollback", "to", "all"}, home.there());
  // The modes too: file() had not kept those of the scripts.
  EXPECT_TRUE(same_tree(home.tree(), user));
  EXPECT_TRUE(same_tree(home.tree("work/p/.claude"), project));
}

TEST(Acceptance, TheManifestIsTrue) {
  const TwoScopes home;
  home.expect(0, {"backup", "create", "--label", "all"}, home.there());
  const json manifest = read_json(home, "backups/all/manifest.json");
  EXPECT_EQ(manifest["version"], "unknown");
  EXPECT_THAT(manifest["timestamp"].get<std::string>(), MatchesRegex(kSeconds));
  EXPECT_EQ(manifest["backup_type"], "full");
  EXPECT_THAT(manifest["system"].get<std::string>(), MatchesRegex("[A-Za-z]+-[0-9].*-[a-z0-9_]+"));
  const Ended python = home.run_program({"sh", "-c", "python3 -V"});
  if (python.exit == 0) {
    EXPECT_EQ("Python " + manifest["python_version"].get<std::string>() + "\n", python.out);
  }
  EXPECT_EQ(manifest["integrity_checks"]["all_files_readable"], true);
  EXPECT_GT(manifest["integrity_checks"]["disk_space_available"], 0);

  const std::map<std::string, std::string> stored{{"hooks", "hooks.tar.gz"},
                                                  {"commands", "commands.tar.gz"},
                                                  {"settings", "settings.json"},
                                                  {"project_settings", "project_settings.json"}};
  for (const auto& [key, name] : stored) {
    const json& file = manifest["files"][key];
    const std::string path = home.store("backups/all/" + name);
    EXPECT_EQ(file["path"], name);
    EXPECT_EQ(file["size_bytes"], home.text(path).size()) << name;
    EXPECT_EQ(file["sha256"], sha256sum(home, path)) << name;
    EXPECT_THAT(file["timestamp"].get<std::string>(), MatchesRegex(kSeconds)) << name;
  }
  EXPECT_EQ(manifest["files"]["hooks"]["files_count"], 3) << "directories are none";
  EXPECT_EQ(manifest["files"]["commands"]["files_count"], 3);

  // Every file of both trees, with its own hash.
  std::map<std::string, std::string> hashes;
  for (const json& entry : manifest["entries"])
    if (entry.contains("sha256"))
      hashes[(entry["scope"] == "user" ? ".claude/" : "work/p/.claude/") +
             entry["path"].get<std::string>()] = entry["sha256"];
  for (const std::string tree : {".claude", "work/p/.claude"})
    for (const auto& [path, what] : home.tree(tree)) {
      if (!what.starts_with("file")) continue;
      EXPECT_EQ(hashes[tree + "/" + path], sha256sum(home, tree + "/" + path)) << path;
    }
}

TEST(Acceptance, ASecondBackupSaysThatItIsIncremental) {
  const TwoScopes home;
  home.expect(0, {"backup", "create", "--label", "one"});
  home.expect(0, {"backup", "create", "--label", "two"});
  EXPECT_EQ(read_json(home, "backups/two/manifest.json")["backup_type"], "incremental");
  // And is complete all the same.
  home.erase(home.store("backups/one"));
  home.expect(0, {"backup", "verify", "two"});
}

TEST(Acceptance, WhatCannotBeStoredIsSaidInTheManifest) {
  const Home home;
  home.files(".claude", package(1));
  ASSERT_EQ(mkfifo(home.at(".claude/hooks/pipe").c_str(), 0600), 0);
  const Ended made = home.expect(0, {"backup", "create", "--label", "with-pipe"});
  EXPECT_THAT(made.out + made.err, HasSubstr("hooks/pipe"));
  const json manifest = read_json(home, "backups/with-pipe/manifest.json");
  EXPECT_EQ(manifest["integrity_checks"]["all_files_readable"], false);
}

TEST(Acceptance, ABackupBeforeAnUpdateSaysWhatItIsOf) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("mine"), 0755);
  home.file(".claude/commands/own.md", "own\n");
  home.install(2);
  const json manifest = read_json(home, "backups/v1.0.0.pre_update/manifest.json");
  EXPECT_EQ(manifest["version"], "1.0.0");
  EXPECT_EQ(manifest["pre_update_state"]["previous_version"], "1.0.0");
  std::set<std::string> told;
  for (const json& one : manifest["pre_update_state"]["user_modifications"]) {
    told.insert(one["status"].get<std::string>() + " " + one["path"].get<std::string>());
    EXPECT_EQ(one["backed_up"], true);
  }
  EXPECT_EQ(told, (std::set<std::string>{"user_added ~/.claude/commands/own.md",
                                         "user_modified ~/.claude/hooks/guard.sh"}));
}

TEST(Acceptance, AnUpdateRunsItsPhasesInOrderAndLeavesNothingBehind) {
  const Home home;
  home.install(1);
  const json done =
      home.expect(0, {"update", "2.0.0", "--from", home.bundle("2"), "--json"}).json();
  std::vector<std::string> names;
  for (const json& step : done["steps"]) {
    names.push_back(step["name"]);
    EXPECT_EQ(step["status"], "ok") << step.dump();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"PREPARE", "VALIDATE", "SWAP", "VERIFY"}));
  home.expect(3, {"update", "2.0.1", "--from", home.bundle("missing")});
  (void)home.run({"update", "2.0.1", "--from", home.bundle("broken")},
                 {.env = {{"STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false"}}});
  EXPECT_EQ(home.names(home.store("recovery/staging")), std::vector<std::string>());
  EXPECT_EQ(home.names(home.store("recovery/tx")), std::vector<std::string>{"done"});
  EXPECT_EQ(home.litter(), std::vector<std::string>());
  for (const auto& [path, what] : home.store_tree())
    EXPECT_EQ(path.find(".partial"), std::string::npos) << path;
}

TEST(Acceptance, ATakenBackUpdateNamesItsPhasesAndItsVersions) {
  const Home home;
  home.install(1);
  const json result =
      home.expect(1, {"update", "2.0.0", "--from", home.bundle("broken"), "--json"},
                  {.env = {{"STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false"}}})
          .json();
  std::vector<std::string> steps;
  for (const json& step : result["steps"])
    steps.push_back(step["name"].get<std::string>() + " " + step["status"].get<std::string>());
  EXPECT_EQ(joined(steps), "PREPARE ok\nVALIDATE ok\nSWAP ok\nVERIFY failed\nAUTOROLLBACK ok\n");
  const json success = last_event(home, "AUTO_ROLLBACK_SUCCESS");
  EXPECT_EQ(success["previous_version"], "2.0.0") << "from";
  EXPECT_EQ(success["version"], "1.0.0") << "to";
  EXPECT_THAT(success["error"].get<std::string>(), HasSubstr("hooks/guard.sh"));
  EXPECT_EQ(current_version(home), "1.0.0");
}

TEST(Acceptance, WithoutAVerifiedBackupNothingIsChanged) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.copy(home.store("backups"), "kept");
  home.erase(home.store("backups"));
  home.file(home.store("backups"), "in the way\n", 0600);
  EXPECT_NE(home.run({"update", "2.0.0", "--from", home.bundle("2")}).exit, 0);
  EXPECT_NE(home.run({"rollback", "undo"}).exit, 0);
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Acceptance, EveryUserFileIsInPlaceOrInTheBackup) {
  const Home home;
  home.file(".claude/hooks/guard.sh", hook("of the user"), 0700);
  home.file(".claude/hooks/own.py", "print('own')\n");
  home.file(".claude/commands/str/search.md", "mine\n");
  home.file(".claude/settings.json", "{\"model\": \"opus\"}\n", 0600);
  const Tree before = home.tree();
  const json done =
      home.expect(0, {"update", "1.0.0", "--from", home.bundle("1"), "--json"}).json();
  EXPECT_FALSE(same_tree(home.tree(), before));
  EXPECT_EQ(home.text(".claude/hooks/own.py"), "print('own')\n");
  home.expect(0, {"rollback", "to", done["backup_created"]});
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Acceptance, AfterAnUpdateVersionsFilesAndChecksumsAgree) {
  const Home home;
  home.install(1);
  home.install(2);
  for (const auto& [path, bytes] : package(2)) {
    if (path == "settings.json") continue;  // merged
    EXPECT_EQ(home.text(".claude/" + path), bytes) << path;
  }
  EXPECT_EQ(hooks_named_by(home.text(".claude/settings.json")),
            (std::vector<std::string>{"guard.sh", "log.sh", "audit.sh"}));
  const json status = home.expect(0, {"status", "--json"}).json();
  const json list = home.expect(0, {"rollback", "list", "--json"}).json();
  EXPECT_EQ(current_version(home), "2.0.0");
  EXPECT_EQ(list["current_version"], "v2.0.0");
  EXPECT_THAT(status["current_version"].get<std::string>(), HasSubstr("2.0.0"));
  EXPECT_TRUE(status["drift"].empty()) << status.dump(1);
  home.file(".claude/hooks/guard.sh", hook("edited"), 0755);
  EXPECT_FALSE(home.expect(0, {"status", "--json"}).json()["drift"].empty());
}

TEST(Acceptance, ThePreRollbackBackupHoldsTheStateBeforeAndReplacesNone) {
  const Home home;
  home.install(1);
  home.install(2);
  home.file(".claude/hooks/guard.sh", hook("edited"), 0755);
  const Tree edited = home.tree();
  const json first = home.expect(0, {"rollback", "to", "v1.0.0", "--json"}).json();
  EXPECT_EQ(first["backup_created"], "v2.0.0.pre_rollback");
  home.expect(0, {"rollback", "undo"});
  const json second = home.expect(0, {"rollback", "to", "v1.0.0", "--json"}).json();
  EXPECT_NE(second["backup_created"], first["backup_created"]);
  home.expect(0, {"backup", "verify", "v2.0.0.pre_rollback"});
  home.expect(0, {"rollback", "to", "v2.0.0.pre_rollback", "--exact"});
  EXPECT_TRUE(same_tree(home.tree(), edited));
}

TEST(Acceptance, ABrokenTreeDoesNotBlockTheWayBack) {
  const Home home;
  home.install(1);
  const Tree good = home.tree();
  home.expect(0, {"backup", "create", "--label", "good"});
  home.file(".claude/hooks/guard.sh", "#!/bin/bash\nif true; then\n", 0755);
  home.file(".claude/settings.json", "{ broken");
  home.file(".claude/commands/str/search.md", "---\nno end of the header\n");
  home.expect(0, {"rollback", "to", "good"});
  EXPECT_TRUE(same_tree(home.tree(), good));
}

TEST(Acceptance, AnArchiveOfAnotherBackupIsNotBelieved) {
  const Home home;
  home.files(".claude", package(1));
  home.expect(0, {"backup", "create", "--label", "fewer"});
  home.file(".claude/hooks/more.sh", hook("one more"), 0755);
  home.expect(0, {"backup", "create", "--label", "more"});
  const std::string fewer = home.text(home.store("backups/fewer/hooks.tar.gz"));
  home.file(home.store("backups/more/hooks.tar.gz"), fewer, 0600);
  home.erase(".claude/hooks");
  const Tree before = home.tree();
  EXPECT_THAT(home.expect(7, {"backup", "verify", "more"}).err, HasSubstr("hooks.tar.gz"));
  const Ended refused = home.expect(7, {"rollback", "to", "more"});
  EXPECT_THAT(refused.err, HasSubstr("hooks.tar.gz"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.expect(0, {"rollback", "to", "fewer"});
}

TEST(Acceptance, ListsAndShowsTellVersionTimeAndSize) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"backup", "create", "--label", "by-hand"});
  const std::string text = home.expect(0, {"backup", "list"}).out;
  const std::string versions = home.expect(0, {"rollback", "list"}).out;
  for (const char* id : {"unknown.pre_update", "v1.0.0.pre_update", "by-hand"}) {
    EXPECT_THAT(text, HasSubstr(id));
    EXPECT_THAT(versions, HasSubstr(id));
  }
  const json list = home.expect(0, {"backup", "list", "--json"}).json()["backups"];
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["id"], "by-hand") << "newest first";
  EXPECT_EQ(list[0]["version"], "2.0.0");
  EXPECT_EQ(list[1]["version"], "1.0.0");
  const json back = home.expect(0, {"rollback", "list", "--json"}).json()["versions"];
  ASSERT_EQ(back.size(), 3U);
  for (size_t i = 0; i < 3; ++i)
    for (const json& one : {list[i], back[i]}) {
      EXPECT_THAT(one["timestamp"].get<std::string>(), MatchesRegex(kSeconds));
      EXPECT_GT(one["size_bytes"], 0);
    }
  for (const char* group : {"backup", "rollback"}) {
    const Ended shown = home.expect(0, {group, "show", "v1.0.0"});
    EXPECT_THAT(shown.out, HasSubstr("v1.0.0.pre_update")) << group;
    EXPECT_THAT(shown.out, HasSubstr("hooks.tar.gz")) << group;
    const json object = home.expect(0, {group, "show", "1.0.0", "--json"}).json();
    EXPECT_EQ(object["version"], "1.0.0");
    EXPECT_EQ(object["files"]["hooks.tar.gz"]["files_count"], 2) << group;
  }
}

TEST(Acceptance, RollbackAutoNeverAsks) {
  const Home home;
  home.install(1);
  const Tree first = home.tree();
  home.install(2);
  const Variables confirm{{"STRAVINSKY_SAFETY_REQUIRE_MANUAL_CONFIRMATION_FOR_ROLLBACK", "true"}};
  EXPECT_NE(home.run({"rollback", "to", "1.0.0"}, {.env = confirm}).exit, 0);
  home.expect(0, {"rollback", "auto", "1.0.0"}, {.env = confirm});
  EXPECT_TRUE(same_tree(home.tree(), first));
}

TEST(Acceptance, SuccessIsGreenAndFailureIsRedAndNotZero) {
  const Home home;
  home.install(1);
  home.install(2);
  const Ended good = home.expect(0, {"--color", "always", "rollback", "to", "v1.0.0"});
  EXPECT_THAT(good.out, HasSubstr("\x1b[32mRollback successful!"));
  const Ended bad = home.expect(5, {"--color", "always", "rollback", "to", "v9.9.9"});
  EXPECT_THAT(bad.err, HasSubstr("\x1b[31merror: "));
  const Ended plain = home.expect(5, {"rollback", "to", "v9.9.9"});
  EXPECT_THAT(plain.err, Not(HasSubstr("\x1b"))) << "not on a terminal";
}

TEST(Acceptance, VersionIsTold) {
  const Home home;
  EXPECT_THAT(home.expect(0, {"--version"}).out,
              MatchesRegex("stravinsky [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Acceptance, EventsAreUniqueTimedAndTellWhatHappened) {
  const Home home;
  home.install(1);
  home.install(2);
  home.expect(0, {"rollback", "to", "v1.0.0"});
  home.file(".claude/hooks/guard.sh", hook("broken"), 0755);
  home.expect(0, {"recovery", "file", "~/.claude/hooks/guard.sh"});
  home.expect(0, {"backup", "verify", "--all"});
  home.expect(3, {"update", "2.0.1", "--from", home.bundle("missing")});
  std::set<std::string> ids;
  for (const json& event : events(home)) {
    const std::string id = event["event_id"];
    EXPECT_THAT(id, MatchesRegex("evt_[0-9a-f]+"));
    EXPECT_TRUE(ids.insert(id).second) << id;
    EXPECT_THAT(event["timestamp"].get<std::string>(), MatchesRegex(kMicroseconds));
  }
  const json back = last_event(home, "MANUAL_ROLLBACK");
  EXPECT_EQ(back["previous_version"], "2.0.0");
  EXPECT_EQ(back["version"], "1.0.0");
  EXPECT_EQ(back["status"], "success");
  EXPECT_TRUE(back.contains("operation_duration_seconds"));
  EXPECT_EQ(back["backup_created"], "v2.0.0.pre_rollback");
  EXPECT_EQ(last_event(home, "RECOVERY_SUCCESS")["status"], "success");
  EXPECT_EQ(last_event(home, "BACKUP_VERIFIED")["status"], "success");
  EXPECT_EQ(last_event(home, "UPDATE_BLOCKED")["version"], "2.0.1");
}

TEST(Acceptance, WhatIsRefusedBeforeTheFirstChangeIsOnRecordToo) {
  const Home home;
  home.expect(5, {"rollback", "undo"});
  EXPECT_FALSE(home.exists(".stravinsky")) << "where nothing ever happened there is no record";
  home.install(1);
  home.install(2);
  const size_t before = events(home).size();
  const auto refused = [&](int exit, const std::vector<std::string>& args, const std::string& type,
                           const std::string& asked_for) {
    home.expect(exit, args);
    const json event = last_event(home, type);
    EXPECT_EQ(event.value("status", ""), "failed") << type;
    EXPECT_EQ(event.value("version", ""), asked_for) << type;
    EXPECT_EQ(event.value("previous_version", ""), "2.0.0") << type;
    EXPECT_TRUE(event.contains("operation_duration_seconds")) << type;
    EXPECT_NE(event.value("error", ""), "") << type;
  };
  refused(5, {"rollback", "to", "v9.9.9"}, "MANUAL_ROLLBACK", "v9.9.9");
  refused(5, {"rollback", "redo"}, "REDO", "");
  refused(5, {"recovery", "file", "~/.claude/hooks/never-was.sh"}, "RECOVERY_FAILED", "");
  refused(5, {"update", "3.0.0", "--from", home.at("bundles/nowhere")}, "UPDATE_FAILED", "3.0.0");
  const std::string archive = home.store("backups/v1.0.0.pre_update/hooks.tar.gz");
  home.file(archive, home.text(archive).substr(1), 0600);
  refused(7, {"rollback", "to", "v1.0.0.pre_update"}, "MANUAL_ROLLBACK", "v1.0.0.pre_update");
  EXPECT_EQ(last_event(home, "CORRUPTED_BACKUP")["version"], "v1.0.0.pre_update");
  EXPECT_EQ(events(home).size(), before + 6) << "an event each, and the damaged backup";
  home.expect(5, {"rollback", "to", "v9.9.9", "--dry-run"});
  EXPECT_EQ(events(home).size(), before + 6);
  home.expect(0, {"audit", "verify"});
  // None of them left a backup that nobody asked for.
  EXPECT_THAT(
      home.names(home.store("backups")),
      ElementsAre("latest.json", "sequence.json", "unknown.pre_update", "v1.0.0.pre_update"));
}

TEST(Scenario, 22_AProjectOnAnotherFileSystem) {
  const Home home;
  const Scratch other(Place::kMemory);
  struct stat here{};
  struct stat there{};
  ASSERT_EQ(stat(home.home().c_str(), &here), 0);
  ASSERT_EQ(stat(other.home().c_str(), &there), 0);
  if (here.st_dev == there.st_dev) GTEST_SKIP() << "there is no second file system to write to";
  other.dir("p/.git");
  other.files("p/.claude", {{"hooks/x.sh", hook("x")}, {"commands/c.md", "c\n"}});
  home.files(".claude", package(1));
  const Tree user = home.tree();
  const Tree project = other.tree("p/.claude");
  const RunOptions in_project{.directory = other.at("p")};
  home.expect(0, {"backup", "create", "--label", "both"}, in_project);
  home.file(".claude/hooks/guard.sh", hook("changed"), 0755);
  other.file("p/.claude/hooks/x.sh", hook("changed"), 0755);
  other.erase("p/.claude/commands/c.md");
  home.expect(0, {"rollback", "to", "both"}, in_project);
  EXPECT_TRUE(same_tree(home.tree(), user));
  EXPECT_TRUE(same_tree(other.tree("p/.claude"), project));
  home.expect(0, {"rollback", "undo"}, in_project);
  EXPECT_FALSE(other.exists("p/.claude/commands/c.md"));
}

}  // namespace
}  // namespace stravinsky::e2e
