#include "engine/guarded_install.h"

#include <gtest/gtest.h>

#include "testing/engine_fixture.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

// As many exchanges in the tree fail as it is told to.
class NoExchange final : public testing::ForwardingFs {
 public:
  NoExchange(fs::FileSystem& inner, int failures)
      : testing::ForwardingFs(inner), failures_(failures) {}
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (mode == fs::RenameMode::kExchange && failures_-- > 0)
      return make_error(ErrorCode::kIo, "made to fail", to.str());
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }

 private:
  int failures_;
};

std::string trail(EngineFixture& e) {
  return e.disk()
      .contents(std::string(EngineFixture::kStore) + "/audit/operations.log")
      .value_or("");
}

TEST(GuardedInstall, WhatCannotBeTakenBackIsNotCalledTheOldTree) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n");
  ASSERT_EQ(outcome(begin_update(**e.open(e.disk()), {.version = "2"})), "ok");
  e.file("hooks/a.py", "half\n");
  const FinishRequest failed{.version = "2", .installer = Installer::kFailed, .error = "no room"};
  NoExchange broken(e.disk(), 1000);
  const auto refused = finish_update(**e.open(broken), failed);
  ASSERT_EQ(outcome(refused), "ok");
  EXPECT_EQ(refused->outcome, Outcome::kRollbackFailed);
  ASSERT_TRUE(refused->failure && refused->rollback_error);
  EXPECT_EQ(refused->failure->message, "no room");
  EXPECT_EQ(refused->rollback_error->code, ErrorCode::kRecoveryRequired);
  EXPECT_NE(refused->rollback_error->remedy.find("stravinsky update finish 2 --failed"),
            std::string::npos);
  EXPECT_TRUE(refused->files.empty()) << "nothing was changed";
  for (const Step& step : refused->steps) EXPECT_NE(step.name, "AUTOROLLBACK");
  EXPECT_EQ(trail(e).find("AUTO_ROLLBACK_SUCCESS"), std::string::npos);
  EXPECT_NE(trail(e).find("AUTO_ROLLBACK_FAILED"), std::string::npos);
  const auto by_hand = e.disk().contents(refused->recovery_instructions);
  ASSERT_TRUE(by_hand);
  EXPECT_NE(by_hand->find("stravinsky update finish 2 --failed"), std::string::npos);
  EXPECT_EQ(e.contents("hooks/a.py"), "half\n");
  // It is still begun, and the next try takes it back.
  const auto back = finish_update(**e.open(e.disk()), failed);
  ASSERT_EQ(outcome(back), "ok");
  EXPECT_EQ(back->outcome, Outcome::kRolledBack);
  EXPECT_EQ(e.contents("hooks/a.py"), "old\n");
  EXPECT_FALSE(e.disk().contents(refused->recovery_instructions));
}

TEST(GuardedInstall, AFaultThatPassesIsNoReasonToLeaveABrokenTree) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n");
  ASSERT_EQ(outcome(begin_update(**e.open(e.disk()), {.version = "2"})), "ok");
  e.file("hooks/a.py", "half\n");
  NoExchange broken(e.disk(), 1);
  const auto back =
      finish_update(**e.open(broken), {.version = "2", .installer = Installer::kFailed});
  ASSERT_EQ(outcome(back), "ok");
  EXPECT_EQ(back->outcome, Outcome::kRolledBack);
  EXPECT_EQ(e.contents("hooks/a.py"), "old\n");
}

// begun.json stays when the process dies between the last change of the tree and the end.
TEST(GuardedInstall, AnUndoneUpdateIsNotDoneBecauseItsRecordIsThere) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n");
  ASSERT_EQ(outcome(begin_update(**e.open(e.disk()), {.version = "2"})), "ok");
  const std::string begun_json = std::string(EngineFixture::kStore) + "/recovery/begun.json";
  const std::string begun = e.disk().contents(begun_json).value_or("");
  e.file("hooks/a.py", "new\n");
  const auto done = finish_update(**e.open(e.disk()), {.version = "2"});
  ASSERT_EQ(outcome(done), "ok");
  EXPECT_EQ(done->outcome, Outcome::kDone);
  e.disk().write_file(begun_json, begun);
  const auto again = finish_update(**e.open(e.disk()), {.version = "2"});
  ASSERT_EQ(outcome(again), "ok");
  EXPECT_EQ(again->outcome, Outcome::kDone);
  e.disk().write_file(begun_json, begun);
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(outcome(finish_update(**e.open(e.disk()), {.version = "2"})), "changed");
  EXPECT_FALSE(e.disk().contents(begun_json));
  EXPECT_EQ(e.contents("hooks/a.py"), "old\n");
}

}  // namespace
}  // namespace stravinsky::engine
