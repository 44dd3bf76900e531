// The backup that an operation relies on: measured, verified, and there before the
// first change.
#include "engine/take_backup.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/rescue_script.h"
#include "testing/engine_fixture.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"
#include "testing/trace_fs.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;
using testing::TraceFs;

const std::string kTree = std::string(EngineFixture::kTree) + "/";

model::Manifest backup(EngineFixture& e, const std::string& label) {
  EXPECT_EQ(outcome(e.back_up(e.disk(), label)), "ok");
  auto manifest = (*e.open(e.disk()))->backups().load_manifest(label);
  EXPECT_EQ(outcome(manifest), "ok");
  return manifest ? std::move(*manifest) : model::Manifest();
}

size_t events(EngineFixture& e, model::AuditEventType type) {
  store::AuditFilter filter;
  filter.type = type;
  return (*e.open(e.disk()))->audit().query(filter)->events.size();
}

TEST(TakeBackup, FactsAreMeasuredAndNotConstants) {
  EngineFixture e;
  e.file("hooks/a.py", "a\n");
  const model::Manifest before = backup(e, "one");
  EXPECT_FALSE(before.facts.python_version) << "there is no interpreter";
  EXPECT_TRUE(before.facts.permissions_verified);
  EXPECT_TRUE(before.facts.no_locks_detected);
  EXPECT_EQ(before.facts.system, "Linux-6.1-x86_64");

  e.processes().answer("python3",
                       ProcessResult{.output = "Python 3.11.2\n", .errors = std::string()});
  constexpr uint64_t kFree = 50'000'000;
  e.disk().set_free(kFree, 1000);
  e.disk().set_owner(kTree + "hooks/a.py", 0, 0);
  const model::Manifest after = backup(e, "two");
  EXPECT_EQ(after.facts.python_version, "3.11.2");
  EXPECT_LE(after.facts.disk_space_available_bytes, kFree);
  EXPECT_GT(after.facts.disk_space_available_bytes, kFree - 1'000'000);
  EXPECT_FALSE(after.facts.permissions_verified) << "the file is somebody else's";
}

TEST(TakeBackup, AnOpenWriterIsALock) {
  EngineFixture e;
  e.file("hooks/a.py", "a\n");
  const auto hooks = fs::File::open_root(e.disk(), kTree + "hooks");
  ASSERT_TRUE(hooks);
  const auto editor =
      fs::File::open(e.disk(), hooks->fd(), fs::RelPath::of("a.py"), fs::OpenMode::kReadWrite);
  ASSERT_TRUE(editor);
  EXPECT_FALSE(backup(e, "one").facts.no_locks_detected);
}

TEST(TakeBackup, SaysWhatTheUserDidToTheInstalledFiles) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a\n"}, {"hooks/b.py", "b\n"}, {"hooks/c.py", "c\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/a.py", "edited\n").file("commands/own.md", "own\n");
  e.disk().remove(kTree + "hooks/b.py");
  std::vector<std::string> told;
  for (const model::UserModification& one : backup(e, "one").user_modifications)
    told.push_back(one.status + " " + one.path + (one.backed_up ? " backed up" : ""));
  std::ranges::sort(told);
  EXPECT_EQ(told, (std::vector<std::string>{"user_added ~/.claude/commands/own.md backed up",
                                            "user_deleted ~/.claude/hooks/b.py",
                                            "user_modified ~/.claude/hooks/a.py backed up"}));
}

TEST(TakeBackup, IsPublishedBeforeTheFirstChangeAndLatestAfterTheSwap) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n").bundle("v1", {{"hooks/a.py", "new\n"}});
  TraceFs trace(e.disk());
  ASSERT_EQ(outcome(e.update(trace, "v1")), "ok");
  const size_t published = trace.find("rename noreplace backups/.unknown.pre_update.partial");
  const size_t staged = trace.find("create hooks/.rbk-");
  const size_t swapped = trace.find("rename exchange hooks/");
  ASSERT_NE(published, TraceFs::npos);
  ASSERT_NE(staged, TraceFs::npos);
  ASSERT_NE(swapped, TraceFs::npos);
  EXPECT_LT(published, staged);
  EXPECT_LT(staged, swapped);
  size_t latest = TraceFs::npos;
  const auto entries = trace.entries();
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].text.starts_with("rename") && entries[i].path.ends_with("backups/latest.json"))
      latest = std::min(latest, i);
  ASSERT_NE(latest, TraceFs::npos);
  EXPECT_LT(swapped, latest);
}

// Says that it wrote what it did not: one bit of every hooks.tar.gz is another.
class LyingDisk final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Status write(fs::Fd fd, uint64_t offset, std::span<const std::byte> data) override {
    const auto path = path_of(fd);
    if (!path || !path->ends_with("hooks.tar.gz") || offset != 0 || data.empty())
      return ForwardingFs::write(fd, offset, data);
    std::vector<std::byte> other(data.begin(), data.end());
    other[other.size() / 2] ^= std::byte{1};
    return ForwardingFs::write(fd, offset, other);
  }
};

TEST(TakeBackup, ADiskThatLiesIsNoticedBeforeAnUpdateReliesOnIt) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n").bundle("v1", {{"hooks/a.py", "new\n"}});
  const auto before = e.tree();
  LyingDisk lying(e.disk());
  EXPECT_EQ(outcome(e.update(lying, "v1")), "corrupt");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  EXPECT_TRUE((*e.open(e.disk()))->backups().list()->backups.empty());
  for (const auto& [path, node] :
       e.disk().snapshot(std::string(EngineFixture::kStore) + "/backups"))
    EXPECT_EQ(path.find("unknown.pre_update"), std::string::npos) << path;
}

TEST(TakeBackup, VerificationOnCreationCanBeSwitchedOff) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n");
  e.variable("STRAVINSKY_BACKUP_VERIFY_ON_CREATION", "false");
  LyingDisk lying(e.disk());
  EXPECT_EQ(outcome(e.back_up(lying, "one")), "ok");
  const auto problems = (*e.open(e.disk()))->backups().verify("one", store::VerifyDepth::kFull, 1);
  EXPECT_FALSE(problems->empty());
}

TEST(TakeBackup, NoneIsMadeForAnUpdateThatHasNoRoom) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n").bundle("v1", {{"hooks/a.py", "new\n"}});
  e.disk().set_free(99'000'000, 1000);
  EXPECT_EQ(outcome(e.update("v1")), "no_space");
  e.disk().set_free(1'000'000'000, 2);
  EXPECT_EQ(outcome(e.update("v1")), "no_space") << "inodes";
  e.disk().set_free(1'000'000'000, 1000);
  EXPECT_TRUE((*e.open(e.disk()))->backups().list()->backups.empty());
  EXPECT_EQ(events(e, model::AuditEventType::kUpdateFailed), 2U);
  EXPECT_EQ(outcome(e.update("v1")), "ok");
}

TEST(TakeBackup, NoneIsMadeForAnUpdateThatMayNotChangeItsTargets) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n").file("skills/s/SKILL.md", "same\n");
  e.bundle("v1", {{"hooks/a.py", "new\n"}, {"skills/s/SKILL.md", "same\n"}});
  e.disk().set_mode(kTree + "hooks", 0555);
  EXPECT_EQ(outcome(e.update("v1")), "permission");
  e.disk().set_mode(kTree + "hooks", 0755);
  e.disk().set_immutable(kTree + "hooks/a.py", true);
  EXPECT_EQ(outcome(e.update("v1")), "permission");
  e.disk().set_immutable(kTree + "hooks/a.py", false);
  EXPECT_TRUE((*e.open(e.disk()))->backups().list()->backups.empty());
  EXPECT_EQ(e.contents("hooks/a.py"), "old\n");
  // What the update leaves as it is may be out of its reach.
  e.disk().set_mode(kTree + "skills/s", 0555);
  EXPECT_EQ(outcome(e.update("v1")), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "new\n");
}

TEST(TakeBackup, WithoutFailSafeAnUpdateGoesOnAndSaysSo) {
  EngineFixture e;
  e.file("hooks/a.py", "old\n").bundle("v1", {{"hooks/a.py", "new\n"}});
  e.variable("STRAVINSKY_SAFETY_FAIL_SAFE_ON_BACKUP_ERROR", "false");
  LyingDisk lying(e.disk());
  const auto result = e.update(lying, "v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->backup_created, "");
  ASSERT_FALSE(result->warnings.empty());
  EXPECT_NE(result->warnings.front().find("no backup"), std::string::npos);
  EXPECT_EQ(e.contents("hooks/a.py"), "new\n");
}

TEST(TakeBackup, BeforeAnUpdateItCanBeSwitchedOff) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}}).bundle("v2", {{"hooks/a.py", "2\n"}});
  const auto with = e.update("v1");
  ASSERT_EQ(outcome(with), "ok");
  EXPECT_EQ(with->backup_created, "unknown.pre_update");
  e.variable("STRAVINSKY_UPDATE_AUTO_BACKUP_BEFORE_UPDATE", "false");
  const auto without = e.update("v2");
  ASSERT_EQ(outcome(without), "ok");
  EXPECT_EQ(without->backup_created, "");
  EXPECT_EQ(events(e, model::AuditEventType::kBackupCreated), 1U);
  // The way back does not depend on it.
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "1\n");
}

// The second exchange in the tree fails, once.
class FailingSwap final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (mode == fs::RenameMode::kExchange && ++exchanges_ == 2)
      return make_error(ErrorCode::kIo, "made to fail", to.str());
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }

 private:
  int exchanges_ = 0;
};

TEST(FailedRollback, IsTakenBackAndOnRecordWithFromToStatusAndDuration) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "a1\n"}, {"hooks/b.py", "b1\n"}})
      .bundle("v2", {{"hooks/a.py", "a2\n"}, {"hooks/b.py", "b2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  const auto before = e.tree();
  FailingSwap failing(e.disk());
  const auto result = e.rollback_to("v1", &failing);
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kRolledBack);
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  EXPECT_EQ(e.broken_rules(e.disk()), std::vector<std::string>());
  store::AuditFilter filter;
  filter.type = model::AuditEventType::kRecoveryFailed;
  const auto page = (*e.open(e.disk()))->audit().query(filter);
  ASSERT_EQ(outcome(page), "ok");
  ASSERT_EQ(page->events.size(), 1U);
  const model::AuditRecord& record = page->events.front();
  EXPECT_EQ(record.event.previous_version, "2");
  EXPECT_EQ(record.event.version, "1");
  EXPECT_EQ(record.event.status, model::AuditStatus::kFailed);
  EXPECT_TRUE(record.event.duration_ns);
  EXPECT_NE(record.event.error.find("made to fail"), std::string::npos);
  EXPECT_EQ(events(e, model::AuditEventType::kAutoRollbackSuccess), 1U);
}

TEST(TakeBackup, LeavesTheWayBackWithoutTheProgramAndOnlyWarnsWhenItCannot) {
  EngineFixture e;
  e.file("hooks/a.py", "a\n");
  const std::string script = std::string(EngineFixture::kStore) + "/recovery/rescue.sh";
  backup(e, "one");
  EXPECT_EQ(e.disk().contents(script), std::string(store::rescue_script_text()));

  e.disk().remove(script);
  const std::string recovery = std::string(EngineFixture::kStore) + "/recovery";
  const auto taken = [&] {
    const auto session = e.open(e.disk());
    e.disk().set_mode(recovery, 0500);
    return create_backup(**session, {.label = "two"});
  }();
  e.disk().set_mode(recovery, 0700);
  ASSERT_EQ(outcome(taken), "ok");
  ASSERT_EQ(taken->created.warnings.size(), 1U);
  EXPECT_TRUE(taken->created.warnings[0].starts_with("recovery/rescue.sh"));
  EXPECT_FALSE(e.disk().contents(script));
  backup(e, "three");
  EXPECT_EQ(e.disk().contents(script), std::string(store::rescue_script_text()));
}

}  // namespace
}  // namespace stravinsky::engine
