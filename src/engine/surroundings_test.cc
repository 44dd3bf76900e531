// What an update looks at round the tree, and what it does about it.
#include "engine/surroundings.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "engine/guarded_install.h"
#include "engine/updater.h"
#include "testing/engine_fixture.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::outcome;

const std::string kStore = EngineFixture::kStore;

// The second opening of a settings file fails: the first is of the tree's own, the second
// of the backup's.
class FailingOnce final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Result<fs::Fd> open(fs::Fd dir, const fs::RelPath& path, fs::OpenMode how,
                      uint32_t mode) override {
    if (path.name() == "settings.json" && ++opened_ == 2) return errno_error(EIO, path.str());
    return ForwardingFs::open(dir, path, how, mode);
  }

 private:
  int opened_ = 0;
};

class RoundAnUpdate : public ::testing::Test {
 protected:
  RoundAnUpdate() {
    e_.file("settings.json", "{}\n").file("hooks/a.md", "a\n");
    e_.bundle("v1", {{"hooks/b.md", "b\n"}});
    e_.variable("STRAVINSKY_BACKUP_SPOT_CHECK_PERCENTAGE", "100");
  }
  void damage_backup() {
    EXPECT_EQ(outcome(e_.back_up(e_.disk(), "bad")), "ok");
    e_.disk().write_file(kStore + "/backups/bad/settings.json", "{ }", 0600);
  }
  static std::vector<std::string> rules(const OperationResult& result) {
    std::vector<std::string> all;
    for (const checks::Finding& finding : result.findings) all.push_back(finding.rule);
    return all;
  }

  EngineFixture e_;
};

TEST_F(RoundAnUpdate, AnUpdateLooksAtAllOfThemBeforeItsBackup) {
  damage_backup();
  e_.variable("STRAVINSKY_BACKUP_MAX_VERSIONS", "1");
  e_.disk().write_file("/proc/42/comm", "claude\n");
  const auto hooks = fs::File::open_root(e_.disk(), std::string(EngineFixture::kTree) + "/hooks");
  const auto writer =
      fs::File::open(e_.disk(), hooks->fd(), fs::RelPath::of("a.md"), fs::OpenMode::kReadWrite);
  ASSERT_EQ(outcome(writer), "ok");
  const auto result = e_.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kDone);
  EXPECT_THAT(rules(*result),
              ElementsAre("lock.writer", "capacity.full", "backup.corrupt", "session.live"));
  EXPECT_TRUE(e_.disk().contents(kStore + "/quarantine/bad/reason.json"));
  // Room and rights are refusals of their own.
  e_.variable("STRAVINSKY_SAFETY_DISK_SPACE_THRESHOLD_MB", "100000000");
  EXPECT_EQ(outcome(e_.update("v1")), "no_space");
}

TEST_F(RoundAnUpdate, TheyCanBeSwitchedOff) {
  damage_backup();
  e_.variable("STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false");
  const auto result = e_.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_THAT(rules(*result), IsEmpty());
  EXPECT_TRUE(e_.disk().contents(kStore + "/backups/bad/settings.json"));
}

TEST_F(RoundAnUpdate, AFaultThatPassesQuarantinesNothing) {
  ASSERT_EQ(outcome(e_.back_up(e_.disk(), "good")), "ok");
  const auto session = e_.open(e_.disk());
  const auto snapshot = (*session)->list_tree();
  FailingOnce flaky(e_.disk());
  auto shaky = e_.open(flaky);
  ASSERT_EQ(outcome((*shaky)->begin_writing()), "ok");
  const auto findings = look_around(**shaky, *snapshot, Surroundings::kRoundAnUpdate);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "backup.corrupt");
  EXPECT_THAT(findings[0].remedy, HasSubstr("at a second look it is good"));
  EXPECT_TRUE(e_.disk().contents(kStore + "/backups/good/settings.json"));
  EXPECT_FALSE(e_.disk().contents(kStore + "/quarantine/good/settings.json"));
}

TEST_F(RoundAnUpdate, AnInstallersUpdateLooksToo) {
  damage_backup();
  auto session = e_.open(e_.disk());
  const auto begun = begin_update(**session, {.version = "1"});
  ASSERT_EQ(outcome(begun), "ok");
  EXPECT_THAT(begun->warnings, Contains(HasSubstr("backup bad")));
  EXPECT_TRUE(e_.disk().contents(kStore + "/quarantine/bad/reason.json"));
}

}  // namespace
}  // namespace stravinsky::engine
