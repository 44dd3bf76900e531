// An automatic rollback that fails at first: tried again, and given up in time.
#include "engine/roll_back_again.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "engine/updater.h"
#include "testing/engine_fixture.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using ::testing::HasSubstr;
using testing::outcome;

// Refuses exchanges of names, once the update has made its own.
class Refusing final : public testing::ForwardingFs {
 public:
  Refusing(fs::FileSystem& inner, int passed, int refused)
      : ForwardingFs(inner), passed_(passed), refused_(refused) {}
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (mode == fs::RenameMode::kExchange && passed_-- <= 0 && refused_-- > 0)
      return errno_error(EACCES, "");
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }

 private:
  int passed_;
  int refused_;
};

class RollBackAgain : public ::testing::Test {
 protected:
  RollBackAgain() {
    e_.variable("STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false")
        .file("hooks/a.py", "a\n")
        .file("settings.json", "{}\n")
        .bundle("v1", {{"hooks/a.py", "new\n"},
                       {"settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
                    "command": "python3 ~/.claude/hooks/missing.py"}]}]}})"}});
    before_ = e_.tree();
  }
  Result<OperationResult> update_refused(int times) {
    constexpr int kChanges = 2;
    Refusing fs(e_.disk(), kChanges, times);
    return e_.update(fs, "v1");
  }
  std::vector<model::AuditRecord> events(model::AuditEventType type) {
    auto session = e_.open(e_.disk());
    store::AuditFilter filter;
    filter.type = type;
    return (*session)->audit().query(filter)->events;
  }

  EngineFixture e_;
  testing::Snapshot before_;
};

TEST_F(RollBackAgain, AFaultThatPassesIsHealed) {
  const auto result = update_refused(1);
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kRolledBack);
  EXPECT_EQ(result->error_class, "dependency_failure");
  EXPECT_EQ(testing::difference(before_, e_.tree()), "");
  EXPECT_EQ(e_.clock().slept_ms(), 5'000);
  EXPECT_EQ(events(model::AuditEventType::kAutoRollbackSuccess).size(), 1U);
  EXPECT_TRUE(events(model::AuditEventType::kCrashRecovered).empty());
  EXPECT_EQ(e_.broken_rules(e_.disk()), std::vector<std::string>());
}

TEST_F(RollBackAgain, AFaultThatStaysIsAnEmergencyAndLeavesTheRestToTheNextCommand) {
  const auto result = update_refused(1'000);
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kRollbackFailed);
  ASSERT_TRUE(result->failure && result->rollback_error);
  EXPECT_EQ(result->failure->code, ErrorCode::kChecksRefused);
  EXPECT_EQ(result->rollback_error->code, ErrorCode::kRecoveryRequired);
  EXPECT_EQ(e_.clock().slept_ms(), 10'000) << "two of three attempts";
  const auto failed = events(model::AuditEventType::kAutoRollbackFailed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].event.severity, "critical");
  EXPECT_TRUE(events(model::AuditEventType::kTransactionSetAside).empty());
  const std::string name = result->recovery_instructions;
  ASSERT_TRUE(e_.disk().contents(name)) << name;
  EXPECT_THAT(*e_.disk().contents(name), HasSubstr("tar xzpf"));
  ASSERT_EQ(outcome(e_.recover(e_.disk())), "ok");
  EXPECT_EQ(testing::difference(before_, e_.tree()), "");
  EXPECT_FALSE(e_.disk().contents(name)) << "it is over";
  EXPECT_EQ(e_.broken_rules(e_.disk()), std::vector<std::string>());
}

TEST_F(RollBackAgain, NoAttemptBeginsAfterTheTimeout) {
  e_.variable("STRAVINSKY_UPDATE_AUTO_ROLLBACK_TIMEOUT_SECONDS", "7");
  const auto result = update_refused(1'000);
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kRollbackFailed);
  EXPECT_EQ(e_.clock().slept_ms(), 5'000) << "the second attempt would begin after ten seconds";
}

}  // namespace
}  // namespace stravinsky::engine
