// What a way back must not do: leave settings that name an absent hook, leave behind what
// it brought, or claim what is not so.
#include <gmock/gmock.h>

#include "engine/recovery.h"
#include "engine/rollback.h"
#include "engine/take_backup.h"
#include "engine/updater.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using ::testing::HasSubstr;
using testing::outcome;

std::string running(const std::string& hook) {
  return R"({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "sh ~/.claude/)" + hook +
         R"("}]}]}})";
}
std::string with_status_line(const std::string& file) {
  return R"({"statusLine": {"type": "command", "command": "sh ~/.claude/)" + file + R"("}})";
}

class WayBackHooks : public ::testing::Test {
 protected:
  static std::string at(const std::string& path) {
    return std::string(EngineFixture::kTree) + "/" + path;
  }
  void back_up(const std::string& label) {
    EXPECT_TRUE(e_.back_up(e_.disk(), label));
    e_.clock().advance_ms(60'000);
  }
  // No settings in force run a file that is not there.
  void expect_no_dangling(const std::string& hook) {
    for (const char* name : {"settings.json", "settings.local.json"})
      if (e_.contents(name).find(hook) != std::string::npos) {
        EXPECT_NE(e_.contents(hook), "<absent>") << name << " runs " << hook;
      }
  }
  EngineFixture e_;
};

// --- settings never name an absent hook

TEST_F(WayBackHooks, UndoKeepsHooksOfSettingsThatTheUserChanged) {
  e_.bundle(
      "v1",
      {{"hooks/a.sh", "1\n"}, {"hooks/b.sh", "2\n"}, {"settings.json", running("hooks/a.sh")}});
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  e_.file("settings.json", running("hooks/a.sh") + "\n\n");
  const auto undone = e_.undo();
  ASSERT_EQ(outcome(undone), "ok");
  expect_no_dangling("hooks/a.sh");
  EXPECT_EQ(e_.contents("hooks/b.sh"), "<absent>");
  const auto kept = std::ranges::find(undone->files, "~/.claude/hooks/a.sh", &FileReport::path);
  ASSERT_NE(kept, undone->files.end());
  EXPECT_EQ(kept->action, FileAction::kKeepMine);
}

TEST_F(WayBackHooks, AHookThatLocalSettingsRunStays) {
  for (const bool by_undo : {true, false}) {
    SCOPED_TRACE(by_undo);
    EngineFixture e;
    e.file("commands/c.md", "c\n").bundle("v1", {{"hooks/a.sh", "1\n"}, {"commands/c.md", "d\n"}});
    ASSERT_TRUE(e.back_up(e.disk(), "before"));
    ASSERT_EQ(outcome(e.update("v1")), "ok");
    e.file("settings.local.json", running("hooks/a.sh"));
    ASSERT_EQ(outcome(by_undo ? e.undo() : e.rollback_to("before")), "ok");
    EXPECT_EQ(e.contents("commands/c.md"), "c\n");
    EXPECT_EQ(e.contents("hooks/a.sh"), "1\n");
  }
}

TEST_F(WayBackHooks, SettingsThatComeBackBringTheirHooksWithThem) {
  e_.file("hooks/old.sh", "mine\n", 0755).file("settings.json", running("hooks/old.sh"));
  e_.bundle("v1", {{"commands/c.md", "c\n"},
                   {"settings.json", R"({"permissions": {"deny": ["WebFetch"]}})"}});
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  // The user renames a hook of theirs, properly.
  e_.disk().remove(at("hooks/old.sh"));
  e_.file("hooks/new.sh", "mine\n", 0755).file("settings.json", running("hooks/new.sh"));
  const auto undone = e_.undo();
  ASSERT_EQ(outcome(undone), "ok");
  expect_no_dangling("hooks/old.sh");
  expect_no_dangling("hooks/new.sh");
}

TEST_F(WayBackHooks, OneFileOfSettingsBringsItsHooksToo) {
  e_.file("hooks/a.sh", "1\n").file("settings.json", running("hooks/a.sh"));
  back_up("good");
  e_.disk().remove(at("hooks/a.sh"));
  e_.file("settings.json", "{}\n");
  auto session = e_.open(e_.disk());
  ASSERT_EQ(outcome(recover_file(**session,
                                 {.path = "~/.claude/settings.json", .version_or_id = "good"})),
            "ok");
  EXPECT_EQ(e_.contents("hooks/a.sh"), "1\n");
}

TEST_F(WayBackHooks, AHookThatNoBackupHasIsAWarning) {
  e_.file("settings.json", running("hooks/never.sh"));
  back_up("dangling");
  e_.file("settings.json", "{}\n");
  const auto back = e_.rollback_to("dangling");
  ASSERT_EQ(outcome(back), "ok");
  ASSERT_EQ(back->warnings.size(), 1U);
  EXPECT_THAT(back->warnings[0], HasSubstr("~/.claude/hooks/never.sh"));
}

TEST_F(WayBackHooks, SettingsDoNotComeBackWithoutAHookWhosePlaceCannotBeRead) {
  e_.file("hooks/a.sh", "1\n").file("settings.json", running("hooks/a.sh"));
  back_up("good");
  e_.file("settings.json", "{}\n");
  e_.disk().remove(at("hooks/a.sh"));
  e_.disk().set_mode(at("hooks"), 0);
  const auto refused = e_.rollback_to("good");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
  EXPECT_EQ(e_.contents("settings.json"), "{}\n");
  e_.disk().set_mode(at("hooks"), 0755);
  ASSERT_EQ(outcome(e_.rollback_to("good")), "ok");
  EXPECT_EQ(e_.contents("hooks/a.sh"), "1\n");
}

TEST_F(WayBackHooks, WhatABackupCouldNotReadIsTold) {
  e_.file("hooks/a.sh", "1\n").file("CLAUDE.md", "x\n");
  e_.disk().set_mode(at("hooks"), 0);
  back_up("incomplete");
  e_.disk().set_mode(at("hooks"), 0755);
  e_.disk().remove(at("hooks"));
  const auto back = e_.rollback_to("incomplete");
  ASSERT_TRUE(back) << back.error().to_string();
  ASSERT_FALSE(back->warnings.empty());
  EXPECT_THAT(back->warnings[0], HasSubstr("the backup incomplete is not complete"));
}

// --- files outside the components

TEST_F(WayBackHooks, AFileIntoADirectoryThatIsThere) {
  e_.file("scripts/line.sh", "line\n", 0755).file("scripts/other", "x\n");
  e_.file("settings.json", with_status_line("scripts/line.sh"));
  back_up("good");
  e_.disk().remove(at("scripts/line.sh"));
  ASSERT_EQ(outcome(e_.rollback_to("good")), "ok");
  EXPECT_EQ(e_.contents("scripts/line.sh"), "line\n");
  EXPECT_EQ(e_.contents("scripts/other"), "x\n");
  e_.disk().remove(at("scripts/line.sh"));
  auto session = e_.open(e_.disk());
  ASSERT_EQ(
      outcome(recover_file(**session, {.path = "~/.claude/scripts/line.sh", .version_or_id = ""})),
      "ok");
}

TEST_F(WayBackHooks, WhatNoSettingsNameIsUpdatedAndUndoneAllTheSame) {
  e_.file("settings.json", with_status_line("mine.sh")).file("mine.sh", "mine\n");
  const auto before = e_.tree();
  e_.bundle("v1", {{"line.sh", "1\n"}, {"settings.json", with_status_line("line.sh")}});
  e_.bundle("v2", {{"line.sh", "2\n"}, {"settings.json", with_status_line("line.sh")}});
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  ASSERT_EQ(e_.contents("line.sh"), "1\n");
  ASSERT_EQ(outcome(e_.update("v2")), "ok");
  EXPECT_EQ(e_.contents("line.sh"), "2\n");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(e_.contents("line.sh"), "1\n");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
}

TEST_F(WayBackHooks, AFileOfTheUsersThatNoSettingsNameIsReplacedAndComesBack) {
  e_.file("line.sh", "the user's\n").file("settings.json", "{}\n");
  const auto before = e_.tree();
  e_.bundle("v1", {{"line.sh", "1\n"}, {"settings.json", with_status_line("line.sh")}});
  const auto updated = e_.update("v1");
  ASSERT_EQ(outcome(updated), "ok");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

// --- history

TEST_F(WayBackHooks, AnUpdateAfterARollbackThatWasRedoneInstallsEverything) {
  e_.file("commands/mine.md", "mine\n").bundle("v1", {{"hooks/a.sh", "1\n"}});
  e_.bundle("v2", {{"hooks/a.sh", "2\n"}});
  back_up("first");
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  ASSERT_EQ(outcome(e_.rollback_to("first")), "ok");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  ASSERT_EQ(outcome(e_.redo()), "ok");
  ASSERT_EQ(e_.contents("hooks/a.sh"), "<absent>");
  ASSERT_EQ(outcome(e_.update("v2")), "ok");
  EXPECT_EQ(e_.contents("hooks/a.sh"), "2\n");
}

TEST_F(WayBackHooks, ADirectoryOfThePackageBecomesAFile) {
  const std::pair<const std::string, std::string> same{"CLAUDE.md", "of both\n"};
  e_.bundle("v1", {same, {"commands/str/a.md", "a\n"}, {"commands/str/b.md", "b\n"}});
  e_.bundle("v2", {same, {"commands/str", "now a file\n"}});
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  const auto before = e_.tree();
  const auto updated = e_.update("v2");
  ASSERT_TRUE(updated) << updated.error().to_string();
  EXPECT_EQ(e_.contents("commands/str"), "now a file\n");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
  // With a file of the user's in it, it stays.
  e_.file("commands/str/mine.md", "mine\n");
  const auto kept = e_.update("v2");
  ASSERT_TRUE(kept) << kept.error().to_string();
  EXPECT_EQ(e_.contents("commands/str/mine.md"), "mine\n");
}

// --- backups

TEST_F(WayBackHooks, ARefusedUpdateLeavesNoBackupAndTakesNone) {
  e_.file("hooks/a.sh", "mine\n").bundle("v1", {{"hooks/a.sh", "1\n"}});
  back_up("by-hand");
  const auto ids = [&] {
    auto session = e_.open(e_.disk());
    std::vector<std::string> all;
    const auto list = (*session)->backups().list();
    for (const store::BackupInfo& info : list->backups) all.push_back(info.id);
    return all;
  };
  const auto before = ids();
  for (int i = 0; i < 12; ++i) {
    auto session = e_.open(e_.disk());
    const auto refused = update(
        **session, {.version = "1", .source = "/bundles/v1", .unknown_base = MergePolicy::kFail});
    ASSERT_EQ(outcome(refused), "conflict");
    e_.clock().advance_ms(60'000);
  }
  EXPECT_EQ(ids(), before);
}

TEST_F(WayBackHooks, WhatTheUserSavedByHandIsNeverDeletedForAnUpdate) {
  back_up("by-hand");
  for (int i = 0; i < 14; ++i) {
    const std::string name = "v" + std::to_string(i);
    e_.bundle(name, {{"hooks/a.sh", name + "\n"}});
    ASSERT_EQ(outcome(e_.update(name)), "ok") << i;
    e_.clock().advance_ms(60'000);
  }
  ASSERT_EQ(outcome(e_.rollback_to("by-hand")), "ok");
}

TEST_F(WayBackHooks, AnExactIdMeansItselfThoughItReadsLikeAVersion) {
  e_.file("CLAUDE.md", "one\n");
  back_up("v1");
  e_.file("CLAUDE.md", "two\n").bundle("v1", {{"hooks/a.sh", "1\n"}});
  e_.bundle("v2", {{"hooks/a.sh", "2\n"}});
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  ASSERT_EQ(outcome(e_.update("v2")), "ok");
  ASSERT_EQ(outcome(e_.rollback_to("v1")), "ok");
  EXPECT_EQ(e_.contents("CLAUDE.md"), "one\n");
}

TEST_F(WayBackHooks, ADamagedRecordIsToldWhenFilesAreTakenForTheUsers) {
  e_.file("commands/c.md", "c\n").bundle("v1", {{"hooks/a.sh", "1\n"}, {"commands/c.md", "d\n"}});
  back_up("before");
  ASSERT_EQ(outcome(e_.update("v1")), "ok");
  std::string journal;
  for (const auto& [path, node] : e_.disk().snapshot(EngineFixture::kStore))
    if (path.find("tx/done/") != std::string::npos && path.ends_with("/journal")) journal = path;
  std::string bytes = *e_.disk().contents(journal);
  bytes[bytes.size() / 3] ^= 0x01;
  e_.disk().write_file(journal, bytes, 0600);
  const auto back = e_.rollback_to("before");
  ASSERT_EQ(outcome(back), "ok");
  ASSERT_FALSE(back->warnings.empty());
  EXPECT_THAT(back->warnings[0], HasSubstr("is damaged"));
}

}  // namespace
}  // namespace stravinsky::engine
