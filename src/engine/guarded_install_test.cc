#include "engine/guarded_install.h"

#include <gtest/gtest.h>

#include "testing/engine_fixture.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

// Every exchange in the tree fails.
class NoExchange final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (mode == fs::RenameMode::kExchange)
      return make_error(ErrorCode::kIo, "made to fail", to.str());
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }
};

TEST(GuardedInstall, WhatCannotBeTakenBackIsNotCalledTheOldTree) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n");
  ASSERT_EQ(outcome(begin_update(**e.open(e.disk()), {.version = "2"})), "ok");
  e.file("hooks/a.py", "half\n");
  const FinishRequest failed{.version = "2", .installer = Installer::kFailed, .error = "no room"};
  NoExchange broken(e.disk());
  const auto refused = finish_update(**e.open(broken), failed);
  ASSERT_EQ(outcome(refused), "recovery_required");
  EXPECT_EQ(e.contents("hooks/a.py"), "half\n");
  // It is still begun, and the next try takes it back.
  const auto back = finish_update(**e.open(e.disk()), failed);
  ASSERT_EQ(outcome(back), "ok");
  EXPECT_EQ(back->outcome, Outcome::kRolledBack);
  EXPECT_EQ(e.contents("hooks/a.py"), "old\n");
}

}  // namespace
}  // namespace stravinsky::engine
