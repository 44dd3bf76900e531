#include "engine/hold.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "testing/engine_fixture.h"
#include "testing/fault_fs.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::FaultFs;
using testing::FaultKind;
using testing::MemFs;
using testing::outcome;

// Two versions installed; what is held follows from which of them is in force.
class HoldRecovery : public ::testing::Test {
 protected:
  void SetUp() override {
    e_.bundle("v1", {{"hooks/a.py", "a1\n"}}).bundle("v2", {{"hooks/a.py", "a2\n"}});
    ASSERT_EQ(outcome(e_.update("v1")), "ok");
    ASSERT_EQ(outcome(e_.update("v2")), "ok");
  }

  // Meets the fault at every call; after the next command hold.json fits the tree.
  void sweep(FaultKind kind, const std::function<Result<OperationResult>(fs::FileSystem&)>& run,
             const std::function<std::string(const std::string& tree)>& held_for) {
    e_.disk().sync_everything();
    const auto before = e_.disk().crashed({});
    bool is_over = false;
    for (uint64_t at = 1; !is_over; ++at) {
      SCOPED_TRACE(at);
      const auto disk = before->crashed({});
      FaultFs faulty(*disk, {.kind = kind, .at = at, .sys_errno = EIO});
      (void)run(faulty);
      is_over = !faulty.fired().has_value();
      ASSERT_EQ(outcome(e_.recover(*disk)), "ok");
      const auto session = e_.open(*disk).value();
      const auto held = held_version(*disk, session->store().fd());
      ASSERT_EQ(outcome(held), "ok");
      ASSERT_EQ(*held, held_for(EngineFixture::contents(*disk, "hooks/a.py")));
    }
  }

  EngineFixture e_;
};

std::string held_after_undo(const std::string& tree) {
  return tree == "a1\n" ? "1" : "";
}

TEST_F(HoldRecovery, IsThereAfterAnUndoThatWasInterruptedAnywhere) {
  sweep(FaultKind::kStop, [&](fs::FileSystem& fs) { return e_.undo(fs); }, held_after_undo);
}

TEST_F(HoldRecovery, IsThereAfterAnUndoInWhichOneCallFailed) {
  sweep(FaultKind::kFailOnce, [&](fs::FileSystem& fs) { return e_.undo(fs); }, held_after_undo);
}

TEST_F(HoldRecovery, IsGoneAfterAnUpdateThatWasInterruptedAnywhere) {
  ASSERT_EQ(outcome(e_.undo()), "ok");
  sweep(FaultKind::kStop, [&](fs::FileSystem& fs) { return e_.update(fs, "v2"); }, held_after_undo);
}

TEST_F(HoldRecovery, IsGoneAfterAnUpdateInWhichOneCallFailed) {
  ASSERT_EQ(outcome(e_.undo()), "ok");
  sweep(
      FaultKind::kFailOnce, [&](fs::FileSystem& fs) { return e_.update(fs, "v2"); },
      held_after_undo);
}

}  // namespace
}  // namespace stravinsky::engine
