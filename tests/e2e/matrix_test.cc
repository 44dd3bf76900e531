// The error matrix, a row a test: each error is provoked for real, before the first
// change and, where it can happen there, after it. Before: abort, nothing changed. After:
// taken back, whatever the cause. The class stands in --json and in the audit trail.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "sweep.h"

namespace stravinsky::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr uint32_t kUser = 64999;
const Variables kWithoutChecksBefore{{"STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false"}};

std::vector<std::string> update_from(const Home& home, const std::string& bundle) {
  return {"update", "2.0.0", "--from", home.bundle(bundle), "--json"};
}

// The newest event of a type.
json event_of(const Home& home, const std::string& type, const RunOptions& options = {}) {
  const json log = home.run({"audit", "log", "--json"}, options).json();
  for (const json& event : log["events"])
    if (event["event_type"] == type) return event;
  ADD_FAILURE() << "no " << type;
  return json::object();
}

void expect_aborted(json told, const std::string& error_class) {
  EXPECT_EQ(told["success"], false);
  EXPECT_EQ(told["error"]["class"], error_class) << told.dump(1);
  EXPECT_EQ(told["error"]["response"], "abort");
}

void expect_taken_back(json told, const std::string& error_class) {
  EXPECT_EQ(told["success"], false);
  EXPECT_EQ(told["auto_rolled_back"], true) << told.dump(1);
  EXPECT_EQ(told["rolled_back_to"], "v1.0.0");
  EXPECT_EQ(told["recovery_required"], false);
  EXPECT_FALSE(told["failures"].empty());
  EXPECT_EQ(told["error"]["class"], error_class) << told.dump(1);
  EXPECT_EQ(told["error"]["response"], "auto_rollback");
}

// UPDATE_FAILED says what is about to be done, and its outcome follows.
void expect_taken_back_on_record(const Home& home, const std::string& error_class,
                                 const RunOptions& options = {}) {
  json failed = event_of(home, "UPDATE_FAILED", options);
  EXPECT_EQ(failed["error_class"], error_class) << failed.dump(1);
  EXPECT_EQ(failed["recovery_action"], "INITIATING_AUTO_ROLLBACK");
  EXPECT_NE(failed["error"], "");
  json back = event_of(home, "AUTO_ROLLBACK_SUCCESS", options);
  EXPECT_EQ(back["error_class"], error_class) << back.dump(1);
  EXPECT_EQ(back["severity"], "warning");
  EXPECT_EQ(back["version"], "1.0.0");
  EXPECT_EQ(back["previous_version"], "2.0.0");
  EXPECT_EQ(failed["seq"].get<int>() + 1, back["seq"].get<int>());
}

// A health check of the user's: what runs right after the new files went live.
RunOptions with_health_check(const std::string& command) {
  const json checks =
      json::array({{{"argv", json::array({"sh", "-c", command})}, {"home", "real"}}});
  return {.env = {{"STRAVINSKY_VERIFY_COMMANDS", checks.dump()}}};
}

class Matrix : public ::testing::Test {
 protected:
  void SetUp() override {
    home_.install(1);
    before_ = home_.tree();
  }
  void expect_old_tree(bool is_whole = true) const {
    EXPECT_TRUE(same_tree(home_.tree(), before_));
    EXPECT_EQ(home_.litter(), std::vector<std::string>());
    if (is_whole) home_.expect(0, {"audit", "verify"});
  }

  const Home home_;
  Tree before_;
};

// An update in which one call fails, after the first change: the first such that ends in
// what is looked for. Which call that is, is found by going through them.
class FailingCall {
 public:
  FailingCall()
      : command_({"update", "2.0.0", "--from", "~/bundles/2", "--json"},
                 [](const Home& home) { home.install(1); }),
        first_change_(first_change()) {}

  const SweptCommand& command() const { return command_; }
  // With the tree and the store as that run left them.
  json find(const std::string& error, const std::string& error_class,
            const std::string& response) const {
    // Two threads share the count, so that it is not the same in each run.
    constexpr int kLookedAt = 400;
    const int first = response == "abort" ? command_.mutating_calls() : first_change_;
    for (int i = 0; i < kLookedAt; ++i) {
      // Every second one, then those between.
      const int call = first + (2 * i < kLookedAt ? 2 * i : 2 * i - kLookedAt + 1);
      command_.reset();
      const Ended run = command_.run("errno:" + error + "@" + std::to_string(call));
      if (run.exit == 0) continue;
      const json told = run.json();
      if (!told.contains("error") || told["error"]["class"] != error_class ||
          told["error"]["response"] != response)
        continue;
      exit_ = run.exit;
      return told;
    }
    ADD_FAILURE() << "no call fails so";
    return json::object();
  }
  int exit() const { return exit_; }

 private:
  // When this call and all later ones fail, an update cannot be taken back any more.
  int first_change() const {
    const auto is_past = [&](int call) {
      command_.reset();
      const int exit = command_.run("errno:EIO@" + std::to_string(call) + "+").exit;
      return exit == 8 || exit == 0;
    };
    int low = command_.mutating_calls();
    int high = low * 2;
    while (!is_past(high)) {
      low = high;
      high *= 2;
    }
    while (high - low > 1) {
      const int middle = low + (high - low) / 2;
      (is_past(middle) ? high : low) = middle;
    }
    return high;
  }

  SweptCommand command_;
  int first_change_;
  mutable int exit_ = 0;
};

// One for all of them: each run begins anew.
const FailingCall& failing_call() {
  static const FailingCall failing;
  return failing;
}

void expect_taken_back_at_some_call(const std::string& error, const std::string& error_class) {
#ifdef STRAVINSKY_FAULT_POINTS
  const FailingCall& failing = failing_call();
  const json told = failing.find(error, error_class, "auto_rollback");
  EXPECT_EQ(failing.exit(), 1);
  expect_taken_back(told, error_class);
  const Home& home = failing.command().home();
  EXPECT_TRUE(same_tree(home.tree(), failing.command().before()));
  expect_taken_back_on_record(home, error_class);
  failing.command().expect_whole(error);
#else
  GTEST_SKIP() << error << " " << error_class << ": needs the fault points of a test build";
#endif
}

TEST_F(Matrix, ParseError) {
  expect_aborted(home_.expect(3, update_from(home_, "broken")).json(), "parse_error");
  expect_old_tree();
  EXPECT_EQ(event_of(home_, "UPDATE_BLOCKED")["error_class"], "parse_error");

  const json told =
      home_.expect(1, update_from(home_, "broken"), {.env = kWithoutChecksBefore}).json();
  expect_taken_back(told, "parse_error");
  expect_taken_back_on_record(home_, "parse_error");
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED")["details"]["failed_verifications"],
            json::array({"hooks_syntax"}));
  expect_old_tree();
}

TEST_F(Matrix, ValidationError) {
  Files files = package(2);
  files.back().second = "{\n  \"hooks\": {,\n}\n";
  home_.make_bundle("bad", files);
  expect_aborted(home_.expect(3, update_from(home_, "bad")).json(), "validation_error");
  expect_old_tree();
  EXPECT_EQ(event_of(home_, "UPDATE_BLOCKED")["error_class"], "validation_error");

  // An installer that writes by itself is looked at when it is done.
  home_.expect(0, {"update", "begin", "2.0.0"});
  home_.files(".claude", files);
  const json told = home_.expect(1, {"update", "finish", "2.0.0", "--json"}).json();
  expect_taken_back(told, "validation_error");
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED")["error_class"], "validation_error");
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED")["details"]["failed_verifications"],
            json::array({"settings_schema"}));
  expect_old_tree();
}

TEST_F(Matrix, PermissionError) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  const auto as_root = [&](const std::string& command) {
    const Ended run = home_.run_program({"sh", "-c", command});
    ASSERT_EQ(run.exit, 0) << run.err;
  };
  const RunOptions user{.user_id = kUser};
  as_root("chown -R 64999:64999 ~ && chmod 755 ~/.. && chown -R 0 ~/.claude/hooks");
  const Ended refused = home_.expect(9, update_from(home_, "2"), user);
  expect_aborted(refused.json(), "permission_error");
  EXPECT_THAT(refused.json()["error"]["remedy"].get<std::string>(), HasSubstr("ls -ld"));
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED", user)["error_class"], "permission_error");
  expect_old_tree(false);
  as_root("chown -R 64999:64999 ~/.claude");
  home_.expect(0, update_from(home_, "2"), user);
}

TEST(MatrixAfterTheFirstChange, PermissionError) {
  expect_taken_back_at_some_call("EACCES", "permission_error");
}

TEST_F(Matrix, DiskFull) {
  const Ended refused =
      home_.expect(10, update_from(home_, "2"),
                   {.env = {{"STRAVINSKY_SAFETY_DISK_SPACE_THRESHOLD_MB", "100000000"}}});
  expect_aborted(refused.json(), "disk_full");
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED")["error_class"], "disk_full");
  expect_old_tree();
  home_.expect(0, update_from(home_, "2"));
}

TEST(MatrixAfterTheFirstChange, DiskFull) {
  expect_taken_back_at_some_call("ENOSPC", "disk_full");
}

TEST_F(Matrix, CorruptedBackup) {
  const std::string older = home_.expect(0, {"backup", "create", "--json"}).json()["id"];
  home_.file(".claude/hooks/guard.sh", hook("guard, edited"));
  const std::string newer = home_.expect(0, {"backup", "create", "--json"}).json()["id"];
  const std::string archive = home_.store("backups/" + newer + "/hooks.tar.gz");
  std::string bytes = home_.text(archive);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  home_.file(archive, bytes, 0600);
  home_.file(".claude/hooks/guard.sh", "broken\n");
  const Tree now = home_.tree();
  const Ended refused = home_.expect(7, {"rollback", "to", newer, "--json"});
  expect_aborted(refused.json(), "corrupted_backup");
  EXPECT_THAT(refused.json()["error"]["remedy"].get<std::string>(), HasSubstr("backup list"));
  EXPECT_EQ(event_of(home_, "MANUAL_ROLLBACK")["error_class"], "corrupted_backup");
  EXPECT_TRUE(same_tree(home_.tree(), now));
  home_.expect(0, {"rollback", "to", older});
  expect_old_tree();
}

TEST_F(Matrix, LockTimeout) {
  const int lock = open(home_.store("lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(lock, 0);
  ASSERT_EQ(flock(lock, LOCK_EX | LOCK_NB), 0);
  const Ended refused = home_.expect(6, update_from(home_, "2"),
                                     {.env = {{"STRAVINSKY_SAFETY_LOCK_TIMEOUT_SECONDS", "0"}}});
  expect_aborted(refused.json(), "lock_timeout");
  EXPECT_NE(refused.json()["error"]["remedy"], "");
  close(lock);
  expect_old_tree();
  home_.expect(0, update_from(home_, "2"));
}

TEST_F(Matrix, DependencyFailure) {
  expect_aborted(home_.expect(3, update_from(home_, "missing")).json(), "dependency_failure");
  EXPECT_EQ(event_of(home_, "UPDATE_BLOCKED")["error_class"], "dependency_failure");
  expect_old_tree();

  const json told =
      home_.expect(1, update_from(home_, "missing"), {.env = kWithoutChecksBefore}).json();
  expect_taken_back(told, "dependency_failure");
  expect_taken_back_on_record(home_, "dependency_failure");
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED")["details"]["failed_verifications"],
            json::array({"dependencies"}));
  expect_old_tree();
}

TEST(MatrixAfterTheFirstChange, PartialWrite) {
  expect_taken_back_at_some_call("EIO", "partial_write");
}

TEST_F(Matrix, VersionMismatch) {
  // Somebody puts another latest.json in place while the update runs.
  home_.install(2);
  home_.file("other.json", home_.text(home_.store("backups/latest.json")));
  home_.expect(0, {"rollback", "undo"});
  const json told =
      home_
          .expect(1, update_from(home_, "2"),
                  with_health_check("cp ~/other.json ~/.stravinsky/rollback/backups/latest.json"))
          .json();
  expect_taken_back(told, "version_mismatch");
  expect_taken_back_on_record(home_, "version_mismatch");
  EXPECT_EQ(event_of(home_, "UPDATE_FAILED")["details"]["failed_verifications"],
            json::array({"version_consistency"}));
  expect_old_tree();
  EXPECT_THAT(home_.expect(0, {"status"}).out, HasSubstr("v1.0.0")) << "the records agree again";
  home_.expect(0, {"rollback", "redo"});
}

TEST(MatrixAfterTheFirstChange, UnknownError) {
  expect_taken_back_at_some_call("EIO", "unknown_error");
}

TEST_F(Matrix, UnknownError) {
  // An error of reading, before the first change.
#ifdef STRAVINSKY_FAULT_POINTS
  const FailingCall& failing = failing_call();
  const json told = failing.find("EIO", "unknown_error", "abort");
  EXPECT_EQ(failing.exit(), 1);
  expect_aborted(told, "unknown_error");
  EXPECT_TRUE(same_tree(failing.command().home().tree(), failing.command().before()));
#else
  GTEST_SKIP() << "needs the fault points of a test build";
#endif
}

// --- what cannot be taken back

class Emergency : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
    home_.install(1);
    before_ = home_.tree();
    as_root("chown -R 64999:64999 ~ && chmod 755 ~/..");
    // Once the new files are in place, the directory may not be changed any more.
    options_ = with_health_check("chmod 555 ~/.claude/hooks; exit 1");
    options_.user_id = kUser;
  }
  void as_root(const std::string& command) const {
    const Ended run = home_.run_program({"sh", "-c", command});
    ASSERT_EQ(run.exit, 0) << run.err;
  }
  // Without the leftovers of the transaction, which stay until it is recovered.
  Tree tree_without_leftovers() const {
    Tree tree = home_.tree();
    std::erase_if(tree,
                  [](const auto& one) { return one.first.find(".rbk-") != std::string::npos; });
    return tree;
  }

  const Home home_;
  Tree before_;
  RunOptions options_;
  const RunOptions user_{.user_id = kUser};
};

TEST_F(Emergency, IsCriticalAndSaysThatManualRecoveryIsRequired) {
  const Ended failed = home_.expect(8, {"update", "2.0.0", "--from", home_.bundle("2")}, options_);
  EXPECT_THAT(failed.err, HasSubstr("CRITICAL: Rollback Failed"));
  EXPECT_THAT(failed.err, HasSubstr("Automatic rollback failed: "));
  EXPECT_THAT(failed.err, HasSubstr("Manual recovery required."));
  EXPECT_THAT(failed.err, HasSubstr("health check 1 (sh) ended with 1"));
  EXPECT_THAT(failed.err, HasSubstr(home_.store("recovery/manual-")));
  json event = event_of(home_, "AUTO_ROLLBACK_FAILED", user_);
  EXPECT_EQ(event["severity"], "critical");
  EXPECT_EQ(event["recovery_action"], "MANUAL_RECOVERY_REQUIRED");
  EXPECT_EQ(event["error_class"], "validation_error");
  // Once the cause is gone, the program does the rest.
  as_root("chmod 755 ~/.claude/hooks");
  home_.expect(0, {"recovery", "resume"}, user_);
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  for (const std::string& name : home_.names(home_.store("recovery")))
    EXPECT_FALSE(name.starts_with("manual-")) << "it is over";
  home_.expect(0, {"audit", "verify"}, user_);
}

TEST_F(Emergency, JsonHasTheResultOfTheVerification) {
  const json told = home_.expect(8, update_from(home_, "2"), options_).json();
  EXPECT_EQ(told["success"], false);
  EXPECT_EQ(told["auto_rolled_back"], false);
  EXPECT_EQ(told["rolled_back_to"], nullptr);
  EXPECT_EQ(told["recovery_required"], true);
  EXPECT_THAT(told["rollback_error"].get<std::string>(), HasSubstr("ermission"));
  EXPECT_THAT(told["failures"][0].get<std::string>(),
              HasSubstr("health: health check 1 (sh) ended with 1"));
  EXPECT_EQ(told["error"]["response"], "emergency_recovery");
  EXPECT_TRUE(home_.exists(told["recovery_instructions"].get<std::string>()));
}

TEST_F(Emergency, TheInstructionsWorkWithoutThisProgram) {
  const json told = home_.expect(8, update_from(home_, "2"), options_).json();
  EXPECT_FALSE(same_tree(tree_without_leftovers(), before_));
  const std::string text = home_.text(told["recovery_instructions"].get<std::string>());
  EXPECT_THAT(text, HasSubstr("stravinsky recovery resume"));
  const size_t by_hand = text.find("without the program");
  ASSERT_NE(by_hand, std::string::npos) << text;
  std::string commands;
  for (size_t at = by_hand; at != std::string::npos && at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("    ")) commands += line.substr(4) + "\n";
    at = end == std::string::npos ? end : end + 1;
  }
  EXPECT_THAT(commands, HasSubstr("tar xz"));
  EXPECT_EQ(commands.find("stravinsky "), std::string::npos) << commands;
  as_root("chmod 755 ~/.claude/hooks");
  const Ended by_shell = home_.run_program({"sh", "-e", "-c", commands}, user_);
  EXPECT_EQ(by_shell.exit, 0) << commands << by_shell.err;
  EXPECT_TRUE(same_tree(tree_without_leftovers(), before_)) << text;
  // And the program finds it so.
  home_.expect(0, {"recovery", "resume"}, user_);
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  home_.expect(0, update_from(home_, "2"), user_);
}

}  // namespace
}  // namespace stravinsky::e2e
