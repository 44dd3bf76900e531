#include "testing/fault_fs.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "base/strings.h"
#include "fs/file.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {
namespace {

using fs::Fd;
using fs::OpenMode;
using fs::RelPath;

const RelPath kFile = RelPath::of("x");

class FaultFsTest : public ::testing::Test {
 protected:
  FaultFsTest() {
    disk.make_dirs("/d");
    disk.sync_everything();
  }

  // Calls 1 to 5: open root, create, write, sync, close. Mutating ones: 2, 3, 4.
  // The number of the call that failed, 0 for none.
  int first_failure(fs::FileSystem& through) {
    const auto dir = through.open_root("/d");
    if (!dir) return 1;
    const auto fd = through.open(*dir, kFile, OpenMode::kCreateExclusive, 0600);
    if (!fd) return failed(2, fd.error());
    if (auto done = through.write(*fd, 0, as_byte_span("1234")); !done) {
      return failed(3, done.error());
    }
    if (auto done = through.sync(*fd, fs::SyncKind::kFull); !done) return failed(4, done.error());
    if (auto done = through.close(*fd); !done) return failed(5, done.error());
    return 0;
  }
  int failed(int call, const Error& error) {
    last_error = error;
    return call;
  }

  MemFs disk;
  Error last_error;
};

TEST_F(FaultFsTest, CountsCallsAndMutations) {
  FaultFs fault(disk, {});
  EXPECT_EQ(first_failure(fault), 0);
  EXPECT_EQ(fault.call_count(), 5U);
  EXPECT_EQ(fault.mutating_count(), 3U);
  EXPECT_EQ(fault.calls(),
            (std::vector{Op::kOpenRoot, Op::kCreate, Op::kWrite, Op::kSync, Op::kClose}));
  EXPECT_FALSE(fault.fired());
}

TEST_F(FaultFsTest, FailsOneCallOnce) {
  FaultFs fault(disk, {.kind = FaultKind::kFailOnce, .at = 2, .sys_errno = EDQUOT});
  EXPECT_EQ(first_failure(fault), 2);
  EXPECT_EQ(last_error.sys_errno, EDQUOT);
  EXPECT_EQ(last_error.code, ErrorCode::kNoSpace);
  EXPECT_EQ(fault.fired(), Op::kCreate);
  EXPECT_EQ(first_failure(fault), 0);
}

TEST_F(FaultFsTest, FailsFromOneCallOn) {
  FaultFs fault(disk, {.kind = FaultKind::kFailFromOn, .at = 2, .sys_errno = EIO});
  EXPECT_EQ(first_failure(fault), 2);
  EXPECT_EQ(first_failure(fault), 1);
  fault.disarm();
  EXPECT_EQ(first_failure(fault), 0);
}

TEST_F(FaultFsTest, StopsAtAMutation) {
  FaultFs fault(disk, {.kind = FaultKind::kStop, .at = 2});
  EXPECT_EQ(first_failure(fault), 3);
  EXPECT_TRUE(is_stop(last_error));
  EXPECT_EQ(first_failure(fault), 1) << "reads fail too once the power is out";
  EXPECT_EQ(disk.contents("/d/x"), "");
}

TEST_F(FaultFsTest, AFailedWriteHasWrittenAPart) {
  FaultFs fault(disk, {.kind = FaultKind::kFailOnce, .at = 3, .sys_errno = ENOSPC});
  EXPECT_EQ(first_failure(fault), 3);
  EXPECT_EQ(disk.contents("/d/x"), "12");
}

TEST_F(FaultFsTest, AFailedSyncDropsThePages) {
  FaultFs fault(disk, {.kind = FaultKind::kFailOnce, .at = 4, .sys_errno = EIO});
  EXPECT_EQ(first_failure(fault), 4);
  const Fd dir = disk.open_root("/d").value();
  const Fd fd = disk.open(dir, kFile, OpenMode::kReadWrite, 0).value();
  ASSERT_TRUE(disk.sync(fd, fs::SyncKind::kFull));
  ASSERT_TRUE(disk.sync(dir, fs::SyncKind::kFull));
  EXPECT_EQ(disk.contents("/d/x"), "1234");
  EXPECT_EQ(disk.crashed({})->contents("/d/x"), "");
}

TEST_F(FaultFsTest, AFailedCloseHasClosed) {
  FaultFs fault(disk, {.kind = FaultKind::kFailOnce, .at = 5, .sys_errno = EIO});
  const size_t before = disk.open_descriptors();
  EXPECT_EQ(first_failure(fault), 5);
  EXPECT_EQ(disk.open_descriptors(), before + 1) << "only the directory is left open";
}

TEST_F(FaultFsTest, KillsTheProcess) {
  EXPECT_EXIT(
      {
        FaultFs fault(disk, {.kind = FaultKind::kKill, .at = 3});
        (void)first_failure(fault);
      },
      ::testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FaultFsTest, ReportsItsCount) {
  ::testing::internal::CaptureStderr();
  {
    FaultFs fault(disk, fault_plan_from_environment("count").value());
    (void)first_failure(fault);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "fault-points: 3 5\n");
}

TEST(FaultPlanText, IsParsed) {
  const auto kill = fault_plan_from_environment("kill@12");
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->kind, FaultKind::kKill);
  EXPECT_EQ(kill->at, 12U);
  const auto once = fault_plan_from_environment("errno:ENOSPC@3");
  ASSERT_TRUE(once);
  EXPECT_EQ(once->kind, FaultKind::kFailOnce);
  EXPECT_EQ(once->sys_errno, ENOSPC);
  const auto ever = fault_plan_from_environment("errno:EIO@4+");
  ASSERT_TRUE(ever);
  EXPECT_EQ(ever->kind, FaultKind::kFailFromOn);
  EXPECT_EQ(ever->at, 4U);
}

TEST(FaultPlanText, IsRefusedWhenWrong) {
  EXPECT_FALSE(fault_plan_from_environment(nullptr));
  for (const char* text : {"", "kill", "kill@", "kill@0", "kill@x", "kill@1+", "kill@1 ",
                           "errno:@1", "errno:EWHAT@1", "errno:EIO", "stop@1"}) {
    EXPECT_FALSE(fault_plan_from_environment(text)) << text;
  }
}

TEST(Ops, EveryErrnoHasANameAndNoneIsAbsence) {
  for (int i = 0; i <= static_cast<int>(Op::kPathOf); ++i) {
    const auto op = static_cast<Op>(i);
    EXPECT_FALSE(possible_errnos(op).empty()) << op_name(op);
    for (const int sys_errno : possible_errnos(op)) {
      EXPECT_NE(code_of_errno(sys_errno), ErrorCode::kNotFound);
      EXPECT_TRUE(errno_name(sys_errno).starts_with("E")) << sys_errno;
    }
  }
}

}  // namespace
}  // namespace stravinsky::testing
