// One file, one value of the settings, one directory, out of a backup.
#include "engine/recovery.h"

#include <gmock/gmock.h>

#include "engine/file_history.h"
#include "engine/rollback.h"
#include "engine/take_backup.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::HasSubstr;
using testing::outcome;

class Recovery : public ::testing::Test {
 protected:
  Recovery() {
    e_.file("hooks/a.py", "one\n", 0755)
        .file("hooks/sub/b.sh", "two\n")
        .file("commands/c.md", "three\n")
        .file("settings.json", "{\n  \"env\": {\"A\": \"1\"},\n  \"hooks\": {\"Stop\": [1]}\n}\n")
        .file("settings.local.json", "{}\n");
    back_up("first");
    first_ = e_.tree();
  }

  void back_up(const std::string& label) {
    EXPECT_TRUE(e_.back_up(e_.disk(), label));
    // Manifests tell backups of one second apart by their number only.
    e_.clock().advance_ms(60'000);
  }
  std::string at(const std::string& path) const {
    return std::string(EngineFixture::kTree) + "/" + path;
  }
  Result<OperationResult> file(const RecoverFileRequest& request) {
    auto session = e_.open(e_.disk());
    return recover_file(**session, request);
  }
  Result<OperationResult> directory(const RecoverDirectoryRequest& request) {
    auto session = e_.open(e_.disk());
    return recover_directory(**session, request);
  }
  Result<FileHistory> history(const std::string& path) {
    auto session = e_.open(e_.disk());
    return file_history(**session, path);
  }
  std::string difference_from_first() { return testing::difference(first_, e_.tree()); }
  // Every byte of a file of the store.
  void damage(const std::string& path) {
    const std::string absolute = std::string(EngineFixture::kStore) + "/" + path;
    const size_t size = e_.disk().contents(absolute)->size();
    e_.disk().write_file(absolute, std::string(size, '\0'), 0600);
  }

  EngineFixture e_;
  testing::Snapshot first_;
};

// --- one file

TEST_F(Recovery, AFileOverADirectoryThatStandsInItsPlace) {
  e_.disk().remove(at("hooks/a.py"));
  e_.file("hooks/a.py/mine.txt", "mine\n").file("hooks/a.py/deep/too.txt", "too\n");
  const auto before = e_.tree();
  const auto result = file({.path = "~/.claude/hooks/a.py", .version_or_id = ""});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(difference_from_first(), "");
  ASSERT_EQ(result->files.size(), 3U);
  EXPECT_THAT(result->files[0].note, HasSubstr("the backup just taken has it"));
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(Recovery, NothingThatNoBackupHasGoesWithTheDirectoryInTheWay) {
  e_.disk().remove(at("hooks/a.py"));
  e_.file("hooks/a.py/__pycache__/x.pyc", "cached\n");
  const auto before = e_.tree();
  const auto result = file({.path = "~/.claude/hooks/a.py", .version_or_id = ""});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kConflict);
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(Recovery, AFileOverALinkThatLeadsNowhere) {
  e_.disk().remove(at("settings.json"));
  e_.disk().symlink("../dotfiles/gone.json", at("settings.json"));
  const auto before = e_.tree();
  ASSERT_EQ(outcome(file({.path = "~/.claude/settings.json", .version_or_id = ""})), "ok");
  EXPECT_EQ(difference_from_first(), "");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(Recovery, TheNewestSoundCopyThatDiffersIsTaken) {
  e_.file("hooks/a.py", "later\n", 0755);
  back_up("second");
  e_.file("hooks/a.py", "broken\n", 0755);
  back_up("third");
  const auto newest = file({.path = "~/.claude/hooks/a.py", .version_or_id = ""});
  ASSERT_EQ(outcome(newest), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "later\n");
  EXPECT_EQ(newest->recovered_from->backup_id, "second");
  EXPECT_EQ(newest->recovered_from->size_bytes, 6U);
}

TEST_F(Recovery, ADamagedCopyIsPassedOver) {
  e_.file("hooks/a.py", "later\n", 0755);
  back_up("second");
  e_.file("hooks/a.py", "broken\n", 0755);
  damage("backups/second/hooks.tar.gz");
  ASSERT_EQ(outcome(file({.path = "~/.claude/hooks/a.py", .version_or_id = ""})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
}

TEST_F(Recovery, ABackupWithoutTheFileIsNamedWithThePath) {
  const auto result = file({.path = "~/.claude/hooks/never.py", .version_or_id = "first"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(result.error().to_string(), HasSubstr("the backup first has no such file"));
  EXPECT_THAT(result.error().to_string(), HasSubstr("~/.claude/hooks/never.py"));
}

TEST_F(Recovery, AgainTheSameAndNotWhatWasBroken) {
  e_.file("hooks/a.py", "broken\n", 0755);
  ASSERT_EQ(outcome(file({.path = "~/.claude/hooks/a.py", .version_or_id = ""})), "ok");
  e_.clock().advance_ms(60'000);
  const auto again = file({.path = "~/.claude/hooks/a.py", .version_or_id = ""});
  // Only what the first one saved is another state; it is there for who wants it.
  EXPECT_TRUE(again) << again.error().to_string();
  ASSERT_EQ(outcome(e_.undo()), "ok");
  e_.file("hooks/a.py", "broken again\n", 0755);
  ASSERT_EQ(outcome(file({.path = "~/.claude/hooks/a.py", .version_or_id = ""})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
}

TEST_F(Recovery, AnArchiveThatIsADirectoryBarsNoOtherFile) {
  e_.disk().remove(std::string(EngineFixture::kStore) + "/backups/first/commands.tar.gz");
  e_.disk().make_dirs(std::string(EngineFixture::kStore) + "/backups/first/commands.tar.gz", 0700);
  e_.file("hooks/a.py", "broken\n", 0755);
  ASSERT_EQ(outcome(file({.path = "~/.claude/hooks/a.py", .version_or_id = "first"})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
}

TEST_F(Recovery, ADeadLinkIsNoSoundCopyOfTheSettings) {
  e_.disk().remove(at("settings.json"));
  e_.disk().symlink("../dotfiles/gone.json", at("settings.json"));
  back_up("dead-link");
  e_.disk().remove(at("settings.json"));
  const auto result = file({.path = "~/.claude/settings.json", .version_or_id = ""});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->recovered_from->backup_id, "first");
  EXPECT_EQ(difference_from_first(), "");
}

TEST_F(Recovery, AFileInADirectoryThatIsADeadLink) {
  e_.disk().remove(at("hooks"));
  e_.disk().symlink("../dotfiles/hooks", at("hooks"));
  ASSERT_EQ(outcome(file({.path = "~/.claude/hooks/a.py", .version_or_id = ""})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
}

TEST_F(Recovery, UndoOfADirectoryOverAFileThoughSettingsRunIt) {
  e_.file("settings.json", R"({"hooks": {"Stop": [{"hooks": [{"type": "command",
      "command": "sh ~/.claude/hooks/a.py"}]}]}})");
  e_.disk().remove(at("hooks"));
  e_.file("hooks", "in the way\n");
  const auto before = e_.tree();
  ASSERT_EQ(outcome(directory({.path = "hooks", .version_or_id = "first"})), "ok");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(Recovery, WhatSomebodyElseOwnedComesBackAsOnesOwn) {
  e_.disk().set_owner(at("hooks/a.py"), 4242, 4242);
  e_.disk().sync_everything();
  back_up("foreign");
  e_.disk().remove(at("hooks"));
  ASSERT_EQ(outcome(directory({.path = "hooks", .version_or_id = "foreign"})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
}

// --- one value of the settings

TEST_F(Recovery, OneValueOfTheSettingsAndNoOtherByte) {
  e_.file("settings.json", "{\n\t\"env\": {\"A\": \"2\"},\n\t\"mine\": true\n}\n");
  const auto result = file(
      {.path = "~/.claude/settings.json", .version_or_id = "first", .json_path = "hooks.Stop"});
  ASSERT_EQ(outcome(result), "ok");
  const std::string text = e_.contents("settings.json");
  EXPECT_THAT(
      text, ::testing::StartsWith("{\n\t\"env\": {\"A\": \"2\"},\n\t\"mine\": true,\n\t\"hooks\""));
  EXPECT_THAT(text, HasSubstr("\"Stop\""));
}

TEST_F(Recovery, TheNewestBackupWithAnotherValueIsTaken) {
  e_.file("settings.json", R"({"env": {"A": "1"}, "hooks": {"Stop": [2]}})");
  back_up("second");
  e_.file("settings.json", R"({"env": {"A": "3"}, "hooks": {"Stop": [2]}})");
  back_up("third");
  const auto result =
      file({.path = "~/.claude/settings.json", .version_or_id = "", .json_path = "hooks.Stop"});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->recovered_from->backup_id, "first");
  EXPECT_EQ(e_.contents("settings.json"), R"({"env": {"A": "3"}, "hooks": {"Stop": [1]}})");
}

TEST_F(Recovery, AValueThatIsNotThereOrCannotBePut) {
  const auto code = [&](const std::string& path, const std::string& keys) {
    const auto result = file({.path = path, .version_or_id = "first", .json_path = keys});
    return result ? ErrorCode::kAlreadyExists : result.error().code;
  };
  EXPECT_EQ(code("~/.claude/settings.json", "hooks.Never"), ErrorCode::kNotFound);
  EXPECT_EQ(code("~/.claude/hooks/a.py", "x"), ErrorCode::kUsage);
  e_.file("settings.json", R"({"hooks": 7})");
  EXPECT_EQ(code("~/.claude/settings.json", "hooks.Stop"), ErrorCode::kConflict);
  e_.file("settings.json", "{");
  EXPECT_EQ(code("~/.claude/settings.json", "hooks.Stop"), ErrorCode::kConflict);
  e_.disk().remove(at("settings.json"));
  EXPECT_EQ(code("~/.claude/settings.json", "hooks.Stop"), ErrorCode::kConflict);
}

// --- every state of it

TEST_F(Recovery, EveryRetainedStateOnce) {
  back_up("same");
  e_.file("hooks/a.py", "one\nmore\n", 0755);
  back_up("longer");
  e_.disk().remove(at("hooks/a.py"));
  back_up("without");
  e_.file("hooks/a.py", "one\nmore\n", 0644);
  back_up("again");
  const auto found = history("~/.claude/hooks/a.py");
  ASSERT_TRUE(found) << found.error().to_string();
  std::vector<std::string> lines;
  for (const FileState& state : found->states)
    lines.push_back(state.backup_id + " " + std::to_string(state.backups) + " " +
                    std::string(image_kind_name(state.image.kind)) + " " + state.difference +
                    (state.is_now ? " now" : ""));
  EXPECT_THAT(lines, ElementsAre("again 1 file added now", "without 1 absent deleted",
                                 "longer 1 file +1 -0 lines", "same 2 file "));
  damage("backups/longer/hooks.tar.gz");
  EXPECT_FALSE(history("~/.claude/hooks/a.py")->states[2].is_sound);
}

TEST_F(Recovery, ACopyElsewhereLeavesTheTreeAndNothingIsReplaced) {
  e_.disk().make_dirs("/elsewhere");
  auto session = e_.open(e_.disk());
  const auto copied = copy_out(**session, "~/.claude/hooks/a.py", "", "/elsewhere/a.py");
  ASSERT_TRUE(copied) << copied.error().to_string();
  EXPECT_EQ(copied->backup_id, "first");
  EXPECT_EQ(e_.disk().contents("/elsewhere/a.py"), "one\n");
  EXPECT_EQ(e_.disk().snapshot("/elsewhere/a.py").begin()->second.mode, 0755U);
  EXPECT_EQ(difference_from_first(), "");
  ASSERT_TRUE(copy_out(**session, "~/.claude/settings.json", "first", "/elsewhere/s.json"));
  EXPECT_EQ(e_.disk().snapshot("/elsewhere/s.json").begin()->second.mode, 0600U);
  const auto again = copy_out(**session, "~/.claude/hooks/a.py", "", "/elsewhere/a.py");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
}

// --- a directory

TEST_F(Recovery, ADirectoryThatIsGone) {
  e_.disk().remove(at("hooks"));
  const auto result = directory({.path = "~/.claude/hooks", .version_or_id = ""});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(difference_from_first(), "");
  EXPECT_EQ(result->recovered_from->what, "~/.claude/hooks");
  EXPECT_EQ(result->recovered_from->files_count, 2U);
  EXPECT_EQ(result->recovered_from->size_bytes, 8U);
}

TEST_F(Recovery, ADirectoryThatIsAFile) {
  e_.disk().remove(at("hooks"));
  e_.file("hooks", "I was in the way\n");
  const auto before = e_.tree();
  const auto result = directory({.path = "~/.claude/hooks", .version_or_id = ""});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(difference_from_first(), "");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
}

TEST_F(Recovery, ADirectoryThatIsALinkToNothing) {
  e_.disk().remove(at("hooks"));
  e_.disk().symlink("../dotfiles/hooks", at("hooks"));
  ASSERT_EQ(outcome(directory({.path = "hooks", .version_or_id = ""})), "ok");
  EXPECT_EQ(difference_from_first(), "");
}

TEST_F(Recovery, ADirectoryThatIsALinkIsWrittenThrough) {
  e_.disk().remove(at("hooks"));
  e_.disk().make_dirs("/home/u/dotfiles/hooks");
  e_.disk().symlink("../dotfiles/hooks", at("hooks"));
  ASSERT_EQ(outcome(directory({.path = "~/.claude/hooks", .version_or_id = ""})), "ok");
  EXPECT_EQ(e_.disk().contents("/home/u/dotfiles/hooks/sub/b.sh"), "two\n");
  EXPECT_EQ(e_.disk().snapshot(at("hooks")).begin()->second.link_text, "../dotfiles/hooks");
}

TEST_F(Recovery, FilesThatTheBackupLacksStayUnlessExactIsAskedFor) {
  e_.file("hooks/mine.py", "mine\n").file("hooks/a.py", "changed\n").file("commands/c.md", "x\n");
  const auto kept = directory({.path = "~/.claude/hooks", .version_or_id = "first"});
  ASSERT_EQ(outcome(kept), "ok");
  EXPECT_EQ(e_.contents("hooks/mine.py"), "mine\n");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
  EXPECT_EQ(e_.contents("commands/c.md"), "x\n");
  ASSERT_EQ(kept->files.size(), 2U);
  EXPECT_EQ(kept->files.back().action, FileAction::kKeepMine);
  ASSERT_EQ(outcome(directory({.path = "~/.claude/hooks",
                               .version_or_id = "first",
                               .extra_files = ExtraFiles::kRemove})),
            "ok");
  EXPECT_EQ(e_.contents("hooks/mine.py"), "<absent>");
  EXPECT_EQ(e_.contents("commands/c.md"), "x\n");
}

TEST_F(Recovery, ADirectoryBelowAComponentAndTheSettings) {
  e_.disk().remove(at("hooks"));
  e_.disk().remove(at("settings.json"));
  e_.file("settings.local.json", "{");
  ASSERT_EQ(outcome(directory({.path = "~/.claude/hooks/sub", .version_or_id = ""})), "ok");
  EXPECT_EQ(e_.contents("hooks/sub/b.sh"), "two\n");
  EXPECT_EQ(e_.contents("hooks/a.py"), "<absent>");
  for (const char* name : {"settings", "~/.claude/settings"}) {
    const auto result = directory({.path = name, .version_or_id = "first"});
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(e_.contents("settings.local.json"), "{}\n");
    EXPECT_NE(e_.contents("settings.json"), "<absent>");
  }
}

TEST_F(Recovery, ADamagedBackupIsPassedOverAndRefusedWhenNamed) {
  e_.file("hooks/a.py", "later\n", 0755);
  back_up("second");
  damage("backups/second/hooks.tar.gz");
  e_.disk().remove(at("hooks"));
  const auto before = e_.tree();
  const auto named = directory({.path = "~/.claude/hooks", .version_or_id = "second"});
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(testing::difference(before, e_.tree()), "");
  ASSERT_EQ(outcome(directory({.path = "~/.claude/hooks", .version_or_id = ""})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
  damage("backups/first/hooks.tar.gz");
  e_.disk().remove(at("hooks"));
  const auto none = directory({.path = "~/.claude/hooks", .version_or_id = ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kCorrupt);
}

TEST_F(Recovery, ADirectoryFromOneVersionAndAFileFromAnother) {
  e_.file("hooks/a.py", "later\n", 0755).file("hooks/sub/b.sh", "later\n");
  back_up("second");
  ASSERT_EQ(outcome(directory({.path = "~/.claude/hooks", .version_or_id = "first"})), "ok");
  ASSERT_EQ(outcome(file({.path = "~/.claude/hooks/a.py", .version_or_id = "second"})), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "later\n");
  EXPECT_EQ(e_.contents("hooks/sub/b.sh"), "two\n");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(e_.contents("hooks/a.py"), "one\n");
  ASSERT_EQ(outcome(e_.undo()), "ok");
  EXPECT_EQ(e_.contents("hooks/sub/b.sh"), "later\n");
}

TEST_F(Recovery, ADirectoryThatNoBackupHas) {
  for (const char* path : {"~/.claude/hooks/never", "~/.claude/agents"}) {
    const auto result = directory({.path = path, .version_or_id = ""});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(directory({.path = "~/.claude", .version_or_id = ""}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(directory({.path = "~/.claude/hooks/a.py", .version_or_id = "first"}).error().code,
            ErrorCode::kUsage);
}

}  // namespace
}  // namespace stravinsky::engine
