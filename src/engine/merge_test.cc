// What becomes of files that the user and a new version both changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/adopt.h"
#include "engine/updater.h"
#include "testing/engine_fixture.h"
#include "testing/outcome.h"
#include "testing/random_text.h"

namespace stravinsky::engine {
namespace {

using ::testing::ElementsAre;
using testing::EngineFixture;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::outcome;

const FileReport* report_on(const OperationResult& result, const std::string& path) {
  for (const FileReport& file : result.files)
    if (file.path == path) return &file;
  return nullptr;
}

std::string action_on(const OperationResult& result, const std::string& path) {
  const FileReport* file = report_on(result, path);
  return file == nullptr ? "<not told>" : std::string(file_action_name(file->action));
}

// A copy in the store.
std::string kept_copy(EngineFixture& e, const OperationResult& result, const std::string& name) {
  return e.disk()
      .contents(std::string(EngineFixture::kStore) + "/recovery/conflicts/" +
                result.transaction_id + "/" + name)
      .value_or("<absent>");
}

uint32_t mode_of(EngineFixture& e, const std::string& absolute) {
  return e.disk().snapshot("/home/u").at(absolute).mode;
}

// v1 installed, and a.py edited where v2 edits it, too.
struct Conflicting : EngineFixture {
  Conflicting() {
    bundle("v1", {{"hooks/a.sh", "1\n"}, {"hooks/b.sh", "1\n"}});
    bundle("v2", {{"hooks/a.sh", "2\n"}, {"hooks/b.sh", "2\n"}});
    EXPECT_EQ(outcome(update("v1")), "ok");
    file("hooks/a.sh", "mine\n", 0700);
  }
  Result<OperationResult> update_with(MergePolicy conflict, AskSide ask = {},
                                      RunMode mode = RunMode::kReal) {
    UpdateRequest request{.version = "2", .source = "/bundles/v2"};
    request.conflict = conflict;
    request.ask = std::move(ask);
    SessionRequest session_request;
    session_request.mode = mode;
    ASSIGN_OR_RETURN(const auto session, open(disk(), session_request));
    return engine::update(*session, request);
  }
};

TEST(Merge, BothSidesLinesAreInTheFile) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n2\n3\n4\n5\n"}});
  e.bundle("v2", {{"hooks/a.py", "1\n2\n3\n4\n5\nsix\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/a.py", "one\n2\n3\n4\n5\n", 0755);
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "one\n2\n3\n4\n5\nsix\n");
  EXPECT_EQ(action_on(*result, "~/.claude/hooks/a.py"), "merge");
  EXPECT_THAT(result->kept, IsEmpty());
  // The user's exec bit, which the bundle never had.
  EXPECT_EQ(mode_of(e, "/home/u/.claude/hooks/a.py"), 0755U);
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "one\n2\n3\n4\n5\n");
}

TEST(Merge, AConflictKeepsMineAndTheOtherByItsNameAndMode) {
  Conflicting e;
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.sh"), "mine\n");
  EXPECT_EQ(e.contents("hooks/b.sh"), "2\n");
  EXPECT_EQ(action_on(*result, "~/.claude/hooks/a.sh"), "conflict");
  ASSERT_EQ(result->kept.size(), 1U);
  EXPECT_EQ(result->kept[0].kept_at,
            "recovery/conflicts/" + result->transaction_id + "/hooks/a.sh");
  EXPECT_EQ(kept_copy(e, *result, "hooks/a.sh"), "2\n");
  EXPECT_EQ(mode_of(e, std::string(EngineFixture::kStore) + "/" + result->kept[0].kept_at), 0755U);
  // It was told once; nothing new is in conflict.
  e.bundle("v3", {{"hooks/a.sh", "2\n"}, {"hooks/b.sh", "3\n"}});
  const auto next = e.update("v3");
  ASSERT_EQ(outcome(next), "ok");
  EXPECT_EQ(action_on(*next, "~/.claude/hooks/a.sh"), "keep");
  EXPECT_THAT(next->kept, IsEmpty());
}

TEST(Merge, TakeTheirsSetsMineAside) {
  Conflicting e;
  const auto result = e.update_with(MergePolicy::kTakeTheirs);
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.sh"), "2\n");
  EXPECT_EQ(kept_copy(e, *result, "hooks/a.sh"), "mine\n");
  EXPECT_EQ(mode_of(e, std::string(EngineFixture::kStore) + "/" + result->kept[0].kept_at), 0700U);
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("hooks/a.sh"), "mine\n");
}

TEST(Merge, FailNamesTheFilesAndChangesNothing) {
  Conflicting e;
  e.variable("STRAVINSKY_UPDATE_CONFLICT", "fail");
  const auto before = e.tree();
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "conflict");
  EXPECT_THAT(result.error().message, HasSubstr("~/.claude/hooks/a.sh"));
  EXPECT_EQ(result.error().untouched, "Nothing was changed.");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  EXPECT_EQ(e.broken_rules(e.disk()), std::vector<std::string>());
}

TEST(Merge, AskIsFailWhereNobodyCanBeAsked) {
  Conflicting e;
  const auto before = e.tree();
  EXPECT_EQ(outcome(e.update_with(MergePolicy::kAsk)), "conflict");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  std::vector<std::string> asked;
  const auto result = e.update_with(MergePolicy::kAsk, [&](const MergeQuestion& question) {
    asked.push_back(question.path);
    return Result<model::Side>(model::Side::kTheirs);
  });
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_THAT(asked, ElementsAre("~/.claude/hooks/a.sh"));
  EXPECT_EQ(e.contents("hooks/a.sh"), "2\n");
  EXPECT_EQ(kept_copy(e, *result, "hooks/a.sh"), "mine\n");
}

TEST(Merge, WhoStopsAtAQuestionChangesNothing) {
  Conflicting e;
  const auto before = e.tree();
  const auto result = e.update_with(MergePolicy::kAsk, [](const MergeQuestion&) {
    return Result<model::Side>(make_error(ErrorCode::kInterrupted, "not decided"));
  });
  EXPECT_EQ(outcome(result), "interrupted");
  EXPECT_EQ(testing::difference(before, e.tree()), "");
}

TEST(Merge, ADryRunAsksNobodyAndSetsNothingAside) {
  Conflicting e;
  const auto before = e.disk().snapshot("/home/u");
  const auto result = e.update_with(
      MergePolicy::kAsk,
      [](const MergeQuestion&) {
        ADD_FAILURE();
        return Result<model::Side>(model::Side::kMine);
      },
      RunMode::kDryRun);
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(action_on(*result, "~/.claude/hooks/a.sh"), "conflict");
  EXPECT_EQ(testing::difference(before, e.disk().snapshot("/home/u")), "");
}

TEST(Merge, AConflictAloneIsKeptWithoutATransaction) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.sh", "1\n"}}).bundle("v2", {{"hooks/a.sh", "2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/a.sh", "mine\n");
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->outcome, Outcome::kNothingToDo);
  ASSERT_EQ(result->kept.size(), 1U);
  EXPECT_EQ(e.disk().contents(std::string(EngineFixture::kStore) + "/" + result->kept[0].kept_at),
            "2\n");
}

TEST(Merge, AnExecBitOfTheirsComesToTextOfMine) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}}).bundle("v2", {{"hooks/a.py", "1\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("hooks/a.py", "mine\n", 0640);
  e.disk().write_file("/bundles/v2/.claude/hooks/a.py", "1\n", 0755);
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "mine\n");
  EXPECT_EQ(mode_of(e, "/home/u/.claude/hooks/a.py"), 0750U);
}

// --- settings

TEST(Merge, SettingsOfBothSidesAreInTheFile) {
  EngineFixture e;
  e.bundle("v1", {{"settings.json", R"({"model": "a", "old": 1})"}});
  e.bundle("v2", {{"settings.json", R"({"model": "b"})"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("settings.json", "{\n  \"mine\": true,\n  \"model\": \"a\",\n  \"old\": 1\n}\n");
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("settings.json"), "{\n  \"mine\": true,\n  \"model\": \"b\"\n}\n");
  EXPECT_EQ(report_on(*result, "~/.claude/settings.json")->note, "changed model; removed old");
}

TEST(Merge, ASettingsConflictKeepsTheWholeOtherFile) {
  EngineFixture e;
  e.bundle("v1", {{"settings.json", R"({"model": "a", "n": 1})"}});
  e.bundle("v2", {{"settings.json", R"({"model": "secret-b", "n": 2})"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  const std::string mine = R"({"model": "secret-mine", "n": 1})";
  e.file("settings.json", mine);
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("settings.json"), R"({"model": "secret-mine", "n": 2})");
  EXPECT_EQ(kept_copy(e, *result, "settings.json"), R"({"model": "secret-b", "n": 2})");
  const FileReport* file = report_on(*result, "~/.claude/settings.json");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->action, FileAction::kConflict);
  EXPECT_EQ(file->note,
            "you changed it, and so did the update, at model: yours stays, the new one is set "
            "aside; changed n");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("settings.json"), mine);
  e.variable("STRAVINSKY_UPDATE_CONFLICT", "take-theirs");
  const auto take = e.update("v2");
  ASSERT_EQ(outcome(take), "ok");
  EXPECT_EQ(e.contents("settings.json"), R"({"model": "secret-b", "n": 2})");
  EXPECT_EQ(kept_copy(e, *take, "settings.json"), mine);
}

TEST(Merge, SettingsThatTheNewVersionLacksLeaveOnlyTheUsersEntries) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}, {"settings.json", R"({"model": "a"})"}});
  e.bundle("v2", {{"hooks/a.py", "2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.file("settings.json", R"({"mine": 1, "model": "a"})");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  EXPECT_EQ(e.contents("settings.json"), R"({"mine": 1})");
}

TEST(Merge, SettingsThatTheUserDeletedStayDeleted) {
  EngineFixture e;
  e.bundle("v1", {{"settings.json", "{}"}}).bundle("v2", {{"settings.json", R"({"a": 1})"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  e.disk().remove("/home/u/.claude/settings.json");
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("settings.json"), "<absent>");
  EXPECT_EQ(action_on(*result, "~/.claude/settings.json"), "keep");
}

// --- without a base

TEST(UnknownBase, KeepMineKeepsTheNewOneInTheStore) {
  EngineFixture e;
  e.variable("STRAVINSKY_UPDATE_UNKNOWN_BASE", "keep-mine").file("hooks/a.py", "mine\n");
  e.bundle("v1", {{"hooks/a.py", "1\n"}, {"hooks/b.py", "1\n"}});
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "mine\n");
  EXPECT_EQ(e.contents("hooks/b.py"), "1\n");
  EXPECT_EQ(kept_copy(e, *result, "hooks/a.py"), "1\n");
}

TEST(UnknownBase, FailNamesTheFilesAndTheWayOut) {
  EngineFixture e;
  e.variable("STRAVINSKY_UPDATE_UNKNOWN_BASE", "fail").file("hooks/a.py", "mine\n");
  e.bundle("v1", {{"hooks/a.py", "1\n"}});
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "conflict");
  EXPECT_THAT(result.error().message, HasSubstr("~/.claude/hooks/a.py"));
  EXPECT_THAT(result.error().remedy, HasSubstr("stravinsky adopt"));
  EXPECT_EQ(e.contents("hooks/a.py"), "mine\n");
}

TEST(UnknownBase, WithoutABackupMineIsSetAside) {
  EngineFixture e;
  e.variable("STRAVINSKY_UPDATE_AUTO_BACKUP_BEFORE_UPDATE", "false").file("hooks/a.py", "mine\n");
  e.bundle("v1", {{"hooks/a.py", "1\n"}});
  const auto result = e.update("v1");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(e.contents("hooks/a.py"), "1\n");
  EXPECT_EQ(kept_copy(e, *result, "hooks/a.py"), "mine\n");
}

TEST(UnknownBase, AFileOfAnEarlierVersionIsUntouched) {
  EngineFixture e;
  e.bundle("v1", {{"hooks/a.py", "1\n"}, {"hooks/b.py", "1\n"}});
  e.bundle("v2", {{"hooks/a.py", "2\n"}, {"hooks/b.py", "2\n"}});
  for (const char* name : {"v1", "v2"})
    e.disk().write_file("/bundles/" + std::string(name) + "/package.json", R"({"name": "one"})");
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.undo()), "ok");  // no base any more
  e.file("hooks/a.py", "1\n").file("hooks/b.py", "mine\n");
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(action_on(*result, "~/.claude/hooks/a.py"), "change");
  EXPECT_EQ(action_on(*result, "~/.claude/hooks/b.py"), "replace");
}

// --- adopt

TEST(Adopt, MakesTheBundleTheBaseAndChangesNoFile) {
  EngineFixture e;
  e.file("hooks/a.py", "1\n2\n3\nmine\n").file("hooks/b.py", "1\n").file("hooks/own.py", "own\n");
  e.bundle("v1", {{"hooks/a.py", "1\n2\n3\n"}, {"hooks/b.py", "1\n"}, {"hooks/c.py", "c\n"}});
  e.bundle("v2", {{"hooks/a.py", "one\n2\n3\n"}, {"hooks/b.py", "2\n"}, {"hooks/c.py", "c2\n"}});
  const auto before = e.tree();
  {
    const auto session = e.open(e.disk());
    ASSERT_EQ(outcome(session), "ok");
    const auto adopted = adopt(**session, {.version = "1", .source = "/bundles/v1"});
    ASSERT_EQ(outcome(adopted), "ok");
    EXPECT_EQ(adopted->from_version, "unknown");
    EXPECT_EQ(adopted->to_version, "v1");
    EXPECT_EQ(adopted->untouched, 1U);
    EXPECT_THAT(adopted->edited, ElementsAre("~/.claude/hooks/a.py"));
    EXPECT_THAT(adopted->deleted, ElementsAre("~/.claude/hooks/c.py"));
  }
  EXPECT_EQ(testing::difference(before, e.tree()), "");
  EXPECT_EQ(e.broken_rules(e.disk()), std::vector<std::string>());
  const auto result = e.update("v2");
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->from_version, "v1");
  EXPECT_EQ(e.contents("hooks/a.py"), "one\n2\n3\nmine\n");
  EXPECT_EQ(e.contents("hooks/b.py"), "2\n");
  EXPECT_EQ(e.contents("hooks/c.py"), "<absent>");
  EXPECT_EQ(e.contents("hooks/own.py"), "own\n");
}

TEST(Adopt, WhatIsNotThereAtAllIsNotInstalled) {
  EngineFixture e;
  e.file("hooks/own.py", "own\n").bundle("v1", {{"hooks/a.py", "1\n"}});
  const auto session = e.open(e.disk());
  ASSERT_EQ(outcome(session), "ok");
  EXPECT_EQ(outcome(adopt(**session, {.version = "1", .source = "/bundles/v1"})), "not_found");
  const auto latest = (*session)->latest();
  ASSERT_EQ(outcome(latest), "ok");
  EXPECT_TRUE(latest->trees.empty());
}

TEST(Adopt, ADryRunDeclaresNothing) {
  EngineFixture e;
  e.file("hooks/a.py", "1\n").bundle("v1", {{"hooks/a.py", "1\n"}});
  ASSERT_EQ(outcome(e.back_up(e.disk(), "before")), "ok");
  const auto before = e.disk().snapshot("/home/u");
  SessionRequest request;
  request.mode = RunMode::kDryRun;
  const auto session = e.open(e.disk(), request);
  ASSERT_EQ(outcome(session), "ok");
  ASSERT_EQ(outcome(adopt(**session, {.version = "1", .source = "/bundles/v1"})), "ok");
  EXPECT_EQ(testing::difference(before, e.disk().snapshot("/home/u")), "");
}

// --- properties

std::set<std::string> lines_of(std::string_view text) {
  std::set<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.insert(std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Ten thousand files that both sides edited, through whole updates: what the user
// wrote is in the tree or in the store, and what the update brings as well.
TEST(Merge, NoByteIsLostInTenThousandFiles) {
  constexpr int kRounds = 40;
  constexpr int kFiles = 250;
  size_t conflicts = 0;
  for (int round = 0; round < kRounds; ++round) {
    EngineFixture e;
    testing::RandomText random(static_cast<uint64_t>(round) + 1);
    EngineFixture::Files base;
    EngineFixture::Files mine;
    EngineFixture::Files theirs;
    for (int i = 0; i < kFiles; ++i) {
      const std::string path = "commands/" + std::to_string(i) + ".md";
      const auto lines = random.lines();
      base[path] = random.join(lines);
      mine[path] = random.join(random.edited(lines));
      theirs[path] = random.join(random.edited(lines));
    }
    e.bundle("v1", base).bundle("v2", theirs);
    ASSERT_EQ(outcome(e.update("v1")), "ok");
    for (const auto& [path, text] : mine)
      e.disk().write_file(std::string(EngineFixture::kTree) + "/" + path, text);
    e.disk().sync_everything();
    const auto before = e.tree();
    const bool takes = round % 2 == 0;
    if (takes) e.variable("STRAVINSKY_UPDATE_CONFLICT", "take-theirs");
    const auto result = e.update("v2");
    ASSERT_EQ(outcome(result), "ok");
    for (const auto& [path, text] : mine) {
      SCOPED_TRACE(std::to_string(round) + " " + path);
      const std::string now = e.contents(path);
      const std::string action = action_on(*result, "~/.claude/" + path);
      if (action == "conflict") {
        ++conflicts;
        ASSERT_EQ(now, takes ? theirs[path] : text);
        ASSERT_EQ(kept_copy(e, *result, path), takes ? text : theirs[path]);
        continue;
      }
      const auto in_base = lines_of(base[path]);
      const auto in_result = lines_of(now);
      for (const std::string& side : {text, theirs[path]})
        for (const std::string& line : lines_of(side))
          ASSERT_TRUE(in_base.contains(line) || in_result.contains(line)) << line;
    }
    ASSERT_EQ(outcome(e.undo()), "ok");
    ASSERT_EQ(testing::difference(before, e.tree()), "");
  }
  EXPECT_GT(conflicts, 1000U);
}

}  // namespace
}  // namespace stravinsky::engine
