#include "txn/public_name.h"

#include <gtest/gtest.h>

#include "model/store_layout.h"
#include "testing/fault_fs.h"
#include "testing/txn_fixture.h"

namespace stravinsky::txn {
namespace {

using testing::FaultFs;
using testing::FaultKind;
using testing::TxnFixture;

std::string public_path(const std::string& path) {
  const fs::RelPath deep = fs::RelPath::of("commands/deep");
  const model::Change change{.anchor = 0,
                             .path = deep,
                             .logical = {model::Scope::kUser, deep},
                             .display = "~/.claude/commands/deep",
                             .before = {},
                             .after = {}};
  return with_public_name(make_error(ErrorCode::kIo, "failed", path), change).path;
}

TEST(PublicName, IsThatOfTheChangeWhateverTheReservedNameWas) {
  const std::string stage = model::layout::stage_name("0123456789abcdef", 3);
  const std::string stash = model::layout::stash_name("0123456789abcdef", 3);
  EXPECT_EQ(public_path(stage), "~/.claude/commands/deep");
  EXPECT_EQ(public_path(stash), "~/.claude/commands/deep");
  EXPECT_EQ(public_path(stage + "/er/a.md"), "~/.claude/commands/deep/er/a.md");
  EXPECT_EQ(public_path("/home/u/.claude/commands/" + stage + "/a.md"),
            "~/.claude/commands/deep/a.md");
  EXPECT_EQ(public_path("deep"), "~/.claude/commands/deep");
}

TEST(PublicName, LeavesOtherPathsAlone) {
  for (const char* path : {"", "/", "/bundles/v1/a.py", "journal", ".rbk-other", "a//b/"})
    EXPECT_EQ(public_path(path), path);
}

// Whatever call fails, nobody is told of a name that stands for nothing they know.
TEST(PublicName, NoFailureOfATransactionTellsAReservedName) {
  const auto make = [](TxnFixture& t) {
    t.file("hooks/a.py", "old").file("hooks/gone.py", "old").dir("old").file("old/x.md", "x");
    t.settle();
    t.replace("hooks/a.py", "new").remove("hooks/gone.py").remove("old");
    t.add("hooks/b.py", "new").add_dir("deep", {{"er/c.md", "new"}});
  };
  uint64_t count = 0;
  {
    TxnFixture t;
    make(t);
    FaultFs counting(t.disk(), {});
    ASSERT_TRUE(t.update(counting));
    count = counting.call_count();
  }
  uint64_t failures = 0;
  for (const FaultKind kind : {FaultKind::kFailOnce, FaultKind::kFailFromOn}) {
    for (uint64_t at = 1; at <= count; ++at) {
      TxnFixture t;
      make(t);
      FaultFs fault(t.disk(), {.kind = kind, .at = at, .sys_errno = EIO});
      const Status done = t.update(fault);
      if (done) continue;
      ++failures;
      EXPECT_EQ(done.error().to_string().find(".rbk-"), std::string::npos)
          << "call " << at << ": " << done.error().to_string();
    }
  }
  EXPECT_GT(failures, count / 2);
}

}  // namespace
}  // namespace stravinsky::txn
