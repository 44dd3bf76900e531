#include "testing/crash_sweep.h"

#include <gtest/gtest.h>

#include "base/mutant.h"
#include "base/strings.h"
#include "fs/atomic_file.h"
#include "fs/file.h"

namespace stravinsky::testing {
namespace {

using fs::File;
using fs::OpenMode;
using fs::RelPath;

const RelPath kName = RelPath::of("sub/x");

// Removes what a cut-off write_atomically leaves.
Status remove_partial(fs::FileSystem& fs) {
  ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
  const RelPath partial = RelPath::of("sub/.x.partial");
  ASSIGN_OR_RETURN(const auto left, fs::stat_if_present(fs, root.fd(), partial));
  if (!left) return {};
  RETURN_IF_ERROR(fs.unlink(root.fd(), partial));
  ASSIGN_OR_RETURN(const File sub,
                   File::open(fs, root.fd(), RelPath::of("sub"), OpenMode::kDirectory));
  return fs.sync(sub.fd(), fs::SyncKind::kFull);
}

// Replaces /d/sub/x, "old", by "newnew".
SweepCase replacing() {
  return {
      .make_initial =
          [] {
            auto disk = std::make_unique<MemFs>();
            disk->write_file("/d/sub/x", "old", 0600);
            return disk;
          },
      .operation = [](fs::FileSystem& fs) -> Status {
        ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
        return fs::write_atomically(fs, root.fd(), kName, "newnew");
      },
      .recover = remove_partial,
      .violations = [](MemFs& after, bool acknowledged) -> std::vector<std::string> {
        std::vector<std::string> broken;
        const auto x = after.contents("/d/sub/x");
        if (x != "newnew" && (acknowledged || x != "old")) {
          broken.push_back("x is " + (x ? "\"" + escape(*x) + "\"" : "absent"));
        }
        if (after.snapshot("/d").size() != 3) broken.emplace_back("litter");
        return broken;
      },
  };
}

constexpr CrashSweepOptions kThorough = {.crash_in_recovery = RecoveryCrashes::kEveryPoint};

bool mentions(const SweepReport& report, std::string_view text) {
  return report.to_string().find(text) != std::string::npos;
}

TEST(CrashSweep, FindsNothingInACorrectOperation) {
  const SweepReport report = run_crash_sweep(replacing(), kThorough);
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_EQ(report.points, 6U);  // create, write, sync, rename, sync; after the last
  EXPECT_GT(report.images, 6U);
}

TEST(CrashSweep, IsTheSameEveryTime) {
  EXPECT_EQ(run_crash_sweep(replacing()).to_string(), run_crash_sweep(replacing()).to_string());
}

TEST(CrashSweep, TakesFewerPointsWhenTold) {
  EXPECT_EQ(run_crash_sweep(replacing(), {.points_max = 2}).points, 2U);
}

#ifdef STRAVINSKY_FAULT_POINTS
class MutantScope {
 public:
  explicit MutantScope(std::string_view name) { set_mutant(name); }
  MutantScope(const MutantScope&) = delete;
  MutantScope& operator=(const MutantScope&) = delete;
  ~MutantScope() { set_mutant(""); }
};

TEST(CrashSweep, SeesAMissingFileSync) {
  const MutantScope mutant("atomic_file_no_sync");
  const SweepReport report = run_crash_sweep(replacing());
  EXPECT_TRUE(mentions(report, "x is \"\"")) << report.to_string();
}

TEST(CrashSweep, SeesAMissingDirectorySync) {
  const MutantScope mutant("atomic_file_no_dir_sync");
  const SweepReport report = run_crash_sweep(replacing());
  EXPECT_TRUE(mentions(report, "x is \"old\"")) << report.to_string();
}

TEST(CrashSweep, ReplaysAViolation) {
  const MutantScope mutant("atomic_file_no_sync");
  // Points: create, write, rename, sync; 4 is before the last sync.
  const auto image = replay_crash(replacing(), 4, {.kept = {true, true}, .data = DataFate::kNul});
  EXPECT_EQ(image->contents("/d/sub/x"), std::string(6, '\0'));
}
#endif

TEST(CrashSweep, SeesARecoveryThatIsNotFinished) {
  SweepCase lazy = replacing();
  lazy.recover = [](fs::FileSystem&) -> Status { return {}; };
  EXPECT_TRUE(mentions(run_crash_sweep(lazy), "litter"));
}

TEST(CrashSweep, SeesARecoveryThatFails) {
  SweepCase failing = replacing();
  failing.recover = [](fs::FileSystem&) -> Status { return make_error(ErrorCode::kIo, "no"); };
  EXPECT_TRUE(mentions(run_crash_sweep(failing), "recovery failed: no"));
}

TEST(CrashSweep, SeesARecoveryThatDoesMoreTheSecondTime) {
  SweepCase growing = replacing();
  growing.recover = [](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
    ASSIGN_OR_RETURN(const auto entries, fs.list(root.fd()));
    return fs.make_dir(root.fd(), RelPath::of("attempt" + std::to_string(entries.size())), 0700);
  };
  EXPECT_TRUE(mentions(run_crash_sweep(growing), "recovering twice differs from once"));
}

// A recovery that is wrong only when it is itself cut off: the original goes
// before its copy is there.
TEST(CrashSweep, SeesACrashDuringRecovery) {
  SweepCase moving = replacing();
  moving.recover = [](fs::FileSystem& fs) -> Status {
    RETURN_IF_ERROR(remove_partial(fs));
    ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
    ASSIGN_OR_RETURN(const std::string bytes, fs::read_file(fs, root.fd(), kName, 100));
    RETURN_IF_ERROR(fs.unlink(root.fd(), kName));
    ASSIGN_OR_RETURN(const File copy, File::open(fs, root.fd(), kName, OpenMode::kCreateExclusive));
    RETURN_IF_ERROR(fs.write(copy.fd(), 0, as_byte_span(bytes)));
    return fs.sync_file_system(copy.fd());
  };
  CrashSweepOptions options;
  options.crash_in_recovery = RecoveryCrashes::kNone;
  EXPECT_TRUE(run_crash_sweep(moving, options).is_clean());
  EXPECT_TRUE(mentions(run_crash_sweep(moving, kThorough), "cut again at"));
}

TEST(ErrnoSweep, FindsNothingInACorrectOperation) {
  const SweepReport report = run_errno_sweep(replacing());
  EXPECT_TRUE(report.is_clean()) << report.to_string();
  EXPECT_GT(report.points, 50U);
}

TEST(ErrnoSweep, SeesASwallowedError) {
  SweepCase careless = replacing();
  careless.operation = [](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
    (void)fs::write_atomically(fs, root.fd(), kName, "newnew");
    return {};
  };
  EXPECT_TRUE(mentions(run_errno_sweep(careless), "success reported"));
}

TEST(ErrnoSweep, SeesASyncThatIsTriedAgain) {
  SweepCase stubborn = replacing();
  stubborn.operation = [](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
    {
      ASSIGN_OR_RETURN(File file, File::open(fs, root.fd(), RelPath::of("sub/.x.partial"),
                                             OpenMode::kCreateExclusive));
      RETURN_IF_ERROR(fs.write(file.fd(), 0, as_byte_span("newnew")));
      if (!fs.sync(file.fd(), fs::SyncKind::kFull)) {
        RETURN_IF_ERROR(fs.sync(file.fd(), fs::SyncKind::kFull));
      }
    }
    RETURN_IF_ERROR(fs.rename(root.fd(), RelPath::of("sub/.x.partial"), root.fd(), kName,
                              fs::RenameMode::kReplace));
    ASSIGN_OR_RETURN(const File sub,
                     File::open(fs, root.fd(), RelPath::of("sub"), OpenMode::kDirectory));
    return fs.sync(sub.fd(), fs::SyncKind::kFull);
  };
  EXPECT_TRUE(run_crash_sweep(stubborn).is_clean());
  EXPECT_TRUE(mentions(run_errno_sweep(stubborn), "success reported"));
}

// A living process hides the failed sync: its recovery makes the name durable.
TEST(ErrnoSweep, SeesACutBeforeTheRecovery) {
  SweepCase careless = replacing();
  careless.operation = [](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
    auto replaced = fs::write_atomically(fs, root.fd(), kName, "newnew");
    ASSIGN_OR_RETURN(const std::string bytes, fs::read_file(fs, root.fd(), kName, 100));
    if (bytes == "newnew") return {};
    return replaced;
  };
  careless.recover = [](fs::FileSystem& fs) -> Status {
    RETURN_IF_ERROR(remove_partial(fs));
    ASSIGN_OR_RETURN(const File root, File::open_root(fs, "/d"));
    return fs.sync_file_system(root.fd());
  };
  const SweepReport report = run_errno_sweep(careless);
  EXPECT_TRUE(mentions(report, "success reported, then a cut")) << report.to_string();
  EXPECT_FALSE(mentions(report, "success reported:")) << report.to_string();
}

TEST(ErrnoSweep, SeesADescriptorLeftOpen) {
  SweepCase leaking = replacing();
  leaking.operation = [](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const fs::Fd root, fs.open_root("/d"));
    RETURN_IF_ERROR(fs::write_atomically(fs, root, kName, "newnew"));
    return fs.close(root);
  };
  EXPECT_TRUE(mentions(run_errno_sweep(leaking), "left open"));
}

}  // namespace
}  // namespace stravinsky::testing
