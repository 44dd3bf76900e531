// What is said is true, complete and leads on: numbers, next steps, commands that work.
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint32_t kSomebody = 12345;

bool is_root() {
  return geteuid() == 0;
}

// The number that stands before the first match of the words.
int number_before(const std::string& text, const std::string& words) {
  std::smatch found;
  return std::regex_search(text, found, std::regex("([0-9]+) " + words)) ? std::stoi(found[1]) : -1;
}

TEST(Numbers, StepsAndReportCountTheSameFiles) {
  const Home home;
  const Ended update = home.install(1);
  const int added = number_before(update.out, "added\n");
  EXPECT_GT(added, 0) << update.out;
  EXPECT_EQ(number_before(update.out, "files by [0-9]+ renames in "), added) << update.out;
  EXPECT_EQ(number_before(update.out, "files as planned\n"), added) << update.out;
}

TEST(Numbers, ADryRunOfABackupCountsFilesAsTheBackupDoes) {
  const Home home;
  home.files(".claude", package(1));
  const json dry = home.expect(0, {"backup", "create", "--dry-run", "--json"}).json();
  const json real = home.expect(0, {"backup", "create", "--json"}).json();
  EXPECT_EQ(dry["files_count"], real["files_count"]);
  EXPECT_THAT(home.expect(0, {"backup", "create", "--dry-run"}).out,
              HasSubstr(" " + real["files_count"].dump() + " files, "));
}

TEST(BackupCreate, SaysThatThereIsNoTree) {
  const Home home;
  home.erase(".claude");
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"backup", "create", "--dry-run"}, {"backup", "create"}}) {
    const Ended made = home.expect(0, args);
    EXPECT_THAT(made.err, HasSubstr("there is no tree at " + home.at(".claude")));
  }
  EXPECT_EQ(home.expect(0, {"backup", "create", "--json"}).json()["warnings"].size(), 1U);
  home.dir(".claude");
  EXPECT_EQ(home.expect(0, {"backup", "create"}).err, "");
}

TEST(Usage, AnEmptyArgumentIsNoDefault) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"update", "2.0.0", "--from", ""},
        {"update", "", "--from", home.bundle("2")},
        {"check", ""},
        {"status", "--root", ""},
        {"status", "--root="},
        {"status", "--project", ""},
        {"recovery", "file", ""},
        {"recovery", "file", "~/.claude/hooks/guard.sh", ""},
        {"rollback", "to", ""},
        {"backup", "verify", ""},
        {"backup", "show", ""},
        {"audit", "log", "--from", ""}}) {
    const Ended refused = home.expect(2, args);
    EXPECT_THAT(refused.err, HasSubstr("othing was changed")) << args[0];
  }
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Usage, ALimitIsNotNegative) {
  const Home home;
  home.install(1);
  home.expect(2, {"audit", "log", "--limit", "-1"});
  home.expect(2, {"audit", "log", "--limit=-1"});
  home.expect(0, {"audit", "log", "--limit", "0"});
}

// The exit code of a command whose output goes to a full disk.
int exit_when_full(const Home& home, const std::string& words) {
  return home.run_program({"sh", "-c", STRAVINSKY_BINARY " " + words + " >/dev/full"}).exit;
}

TEST(FullOutput, FailsACommandThatOnlyReads) {
  const Home home;
  home.install(1);
  for (const char* words :
       {"status --json", "status", "backup list", "audit log", "config list", "version", "--help",
        "rollback undo --dry-run", "backup create --dry-run", "check"})
    EXPECT_EQ(exit_when_full(home, words), 1) << words;
  EXPECT_EQ(exit_when_full(home, "rollback show v9"), 5) << "the other failure is told";
}

TEST(FullOutput, DoesNotUndoOrDenyAChange) {
  const Home home;
  home.install(1);
  EXPECT_EQ(exit_when_full(home, "rollback undo"), 0);
  EXPECT_FALSE(home.exists(".claude/hooks/guard.sh"));
  EXPECT_EQ(exit_when_full(home, "backup create --label x"), 0);
}

TEST(Json, SaysVersionsAlike) {
  const Home home;
  home.install(1);
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"status", "--json"}, {"rollback", "list", "--json"}})
    EXPECT_EQ(home.expect(0, args).json()["current_version"], "v1.0.0") << args[0];
}

TEST(Json, ConfigurationValuesHaveTheirTypes) {
  const Home home;
  const json values = home.expect(0, {"config", "list", "--json"}).json()["values"];
  EXPECT_EQ(values["backup.max_versions"]["value"], 10);
  EXPECT_EQ(values["backup.verify_on_creation"]["value"], true);
  EXPECT_EQ(values["backup.compression"]["value"], "gzip");
}

TEST(Json, ABackupTellsItsTreesAndWhatTheUserChanged) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("mine"), 0755);
  const json made = home.expect(0, {"backup", "create", "--label", "x", "--json"}).json();
  const json shown = home.expect(0, {"backup", "show", "x", "--json"}).json();
  EXPECT_EQ(shown["files_count"], made["files_count"]);
  EXPECT_EQ(shown["roots"]["user_root"], home.at(".claude"));
  EXPECT_EQ(shown["roots"]["project_root"], "");
  EXPECT_EQ(shown["user_modifications"],
            json::array({{{"path", "~/.claude/hooks/guard.sh"}, {"status", "user_modified"}}}));
}

TEST(Json, ADamagedTrailIsAnErrorLikeAnyOther) {
  const Home home;
  home.install(1);
  const std::string log = home.store("audit/operations.log");
  std::string bytes = home.text(log);
  bytes[bytes.find("UPDATE_START")] = 'X';
  home.file(log, bytes, 0600);
  const json verdict = home.expect(7, {"audit", "verify", "--json"}).json();
  EXPECT_EQ(verdict["error"]["code"], "corrupt");
  EXPECT_THAT(verdict["error"]["message"].get<std::string>(),
              HasSubstr(verdict["message"].get<std::string>()));
  EXPECT_NE(verdict["error"]["remedy"], "");
}

TEST(Printed, APathOfTheProjectIsUnderstoodInItsSubdirectories) {
  const Home home;
  home.dir("p/.claude");
  home.dir("p/src/deep");
  const RunOptions project{.directory = home.at("p")};
  const RunOptions deep{.directory = home.at("p/src/deep")};
  home.make_bundle("p", {{"hooks/guard.sh", hook("theirs")}});
  home.file("p/.claude/hooks/guard.sh", hook("mine"), 0755);
  const Ended update = home.expect(
      0, {"update", "1.0.0", "--from", home.bundle("p"), "--scope", "project"}, project);
  const std::string command =
      "stravinsky recovery file .claude/hooks/guard.sh unknown.pre_update\n";
  ASSERT_THAT(update.out, HasSubstr(command));
  home.expect(0, {"recovery", "file", ".claude/hooks/guard.sh", "unknown.pre_update"}, deep);
  EXPECT_EQ(home.text("p/.claude/hooks/guard.sh"), hook("mine"));
  EXPECT_FALSE(home.exists("p/src/deep/.claude"));
}

TEST(List, DamagedBackupsAreMarked) {
  const Home home;
  home.install(1);
  home.install(2);
  home.file(home.store("backups/v1.0.0.pre_update/manifest.json"), "{", 0600);
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"backup", "list"}, {"rollback", "list"}}) {
    const Ended list = home.expect(0, args);
    EXPECT_THAT(list.out + list.err, HasSubstr("v1.0.0.pre_update is damaged")) << args[0];
    EXPECT_EQ(home.expect(0, {args[0], "list", "--json"}).json()["damaged"].size(), 1U) << args[0];
  }
}

// Cause with the whole path, what was untouched, what to do.
void expect_three_parts(const Ended& refused, const std::string& path) {
  EXPECT_THAT(refused.err, AllOf(HasSubstr("error: "), HasSubstr(path)));
  EXPECT_THAT(refused.err, ContainsRegex("\n  [^\n]*Nothing[^\n]*\n  [^\n]+\n")) << refused.err;
}

TEST(Errors, SayWhatToDo) {
  const Home home;
  home.install(1);
  home.install(2);
  expect_three_parts(home.expect(5, {"update", "3.0.0", "--from", "/nope"}), "/nope");
  expect_three_parts(home.expect(5, {"status", "--project", "/nope"}), "/nope");
  expect_three_parts(home.expect(5, {"check", "/nope"}), "/nope");
  expect_three_parts(home.expect(2, {"recovery", "file", "/etc/passwd"}), "/etc/passwd");
  home.erase(".claude/settings.json");
  home.link(".claude/settings.json", "nowhere");
  expect_three_parts(home.run({"update", "3.0.0", "--from", home.bundle("3")}),
                     "~/.claude/settings.json");
}

TEST(Errors, OfAClosedStoreNameItAndTheWayOut) {
  if (!is_root()) GTEST_SKIP() << "needs root, to become another user";
  const Home home;
  home.install(1);
  home.dir("closed", 0700);
  home.dir("closed/store", 0700);
  const Ended refused =
      home.expect(9, {"status", "--root", home.at("closed/store")}, {.user_id = kSomebody});
  expect_three_parts(refused, home.at("closed/store"));
}

TEST(Errors, ADirectoryIsNoFileToRecover) {
  const Home home;
  home.install(1);
  home.install(2);
  const Ended directory = home.expect(2, {"recovery", "file", "~/.claude/hooks"});
  EXPECT_THAT(directory.err, HasSubstr("is a directory"));
  EXPECT_THAT(directory.err, HasSubstr("stravinsky recovery directory '~/.claude/hooks'"));
  for (const char* path : {"~/.claude", "~/.claude/"}) {
    const Ended refused = home.expect(2, {"recovery", "file", path});
    EXPECT_THAT(refused.err, HasSubstr("is a whole tree")) << path;
    EXPECT_THAT(refused.err, HasSubstr("stravinsky recovery version")) << path;
  }
  home.erase(".claude/hooks");
  EXPECT_THAT(home.expect(2, {"recovery", "file", "~/.claude/hooks"}).err,
              HasSubstr("is a directory"));
}

TEST(Rollback, WhatIsNotConfirmedFails) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  constexpr const char* kOnATerminal =
      "import os, pty, sys\n"
      "pid, terminal = pty.fork()\n"
      "if pid == 0: os.execv(sys.argv[1], sys.argv[1:])\n"
      "os.write(terminal, b'n\\n')\n"
      "said = b''\n"
      "try:\n"
      "  while piece := os.read(terminal, 999): said += piece\n"
      "except OSError: pass\n"
      "print(said.decode())\n"
      "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n";
  const Ended asked = home.run_program(
      {"python3", "-c", kOnATerminal, STRAVINSKY_BINARY, "rollback", "undo"},
      {.env = {{"STRAVINSKY_SAFETY_REQUIRE_MANUAL_CONFIRMATION_FOR_ROLLBACK", "true"}}});
  EXPECT_THAT(asked.out, HasSubstr("[y/N]"));
  EXPECT_TRUE(asked.out.ends_with("\n1\n")) << asked.out;
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(Rollback, TellsItsDurationInSeconds) {
  const Home home;
  home.install(1);
  EXPECT_THAT(home.expect(0, {"rollback", "undo"}).out,
              ContainsRegex("   Duration: [0-9]+\\.[0-9]+ seconds\n"));
}

}  // namespace
}  // namespace stravinsky::e2e
