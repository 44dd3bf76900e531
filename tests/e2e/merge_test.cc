// Updates of files that the user changed, too: both sides' changes are in force, or one
// is and the other is kept.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kUpdates = 10;

// A hook of many lines; version n changes its n-th but one.
std::string long_hook(int version, std::string_view first_line) {
  std::string text = "#!/bin/bash\n" + std::string(first_line) + "\n";
  for (int line = 0; line < 20; ++line)
    text += "# step " + std::to_string(line) +
            (line > 3 && line <= version + 3 ? " since " + std::to_string(line) : "") + "\n";
  return text + "exit 0\n";
}

// A text with N and EVENT in it, for a version.
std::string of_version(std::string text, int version) {
  const auto put = [&](std::string_view word, const std::string& in_place) {
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at))
      text.replace(at, word.size(), in_place);
  };
  put("EVENT", version % 2 == 0 ? "Stop" : "SessionStart");
  put("VERSION", std::to_string(version));
  return text;
}

constexpr const char* kSettings = R"({
  "env": {"PACKAGE": "VERSION"},
  "permissions": {"allow": ["WebFetch", "ToolVERSION"], "deny": ["WebSearch"]},
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [
          {"type": "command", "command": "bash ~/.claude/hooks/long.sh", "timeout": VERSION},
          {"type": "command", "command": "bash ~/.claude/hooks/log.sh"},
          {"type": "command", "command": "bash ~/.claude/hooks/new-VERSION.sh"}
        ]
      }
    ],
    "EVENT": [
      {"hooks": [{"type": "command", "command": "bash ~/.claude/hooks/log.sh"}]}
    ]
  }
}
)";

// Every version changes a hook's line, a command, settings of each kind; adds a hook and
// registers it; takes away the one of the version before.
Files long_package(int version) {
  const std::string number = std::to_string(version);
  return {{"hooks/long.sh", long_hook(version, "# first line")},
          {"hooks/log.sh", hook("log, always the same")},
          {"hooks/guard.sh", hook("guard of version " + number)},
          {"hooks/new-" + number + ".sh", hook("new in " + number)},
          {"commands/watch.md", "# Watch " + number + "\n"},
          {"commands/n" + number + "/c.md", "# In a directory of its own\n"},
          {"agents/planner.md", "---\nname: planner\ndescription: plans\n---\n\nVersion " + number +
                                    ".\n\nMiddle.\n\nLast line.\n"},
          {"settings.json", of_version(kSettings, version)}};
}

Ended update_to(const Home& home, int version) {
  const std::string number = std::to_string(version);
  home.make_bundle("long" + number, long_package(version));
  return home.expect(0, {"update", number + ".0.0", "--from", home.bundle("long" + number)});
}

TEST(Merge, TheUsersWorkSurvivesTenUpdatesAndTheirUndo) {
  const Home home;
  update_to(home, 1);
  // An edit, a mode, an edit at the end, a hook with its entry, a deletion, a statusLine.
  home.file(".claude/hooks/long.sh", long_hook(1, "# the user's first line"), 0755);
  home.mode(".claude/hooks/log.sh", 0700);
  const std::string agent = home.text(".claude/agents/planner.md");
  home.file(".claude/agents/planner.md", agent + "The user's last line.\n");
  home.file(".claude/hooks/own.sh", hook("the user's own"), 0755);
  home.file(".claude/statusline.sh", hook("the user's status"), 0755);
  home.erase(".claude/commands/watch.md");
  std::string settings = home.text(".claude/settings.json");
  const std::string group = "\"matcher\": \"Bash\",\n        \"hooks\": [\n";
  ASSERT_NE(settings.find(group), std::string::npos);
  settings.insert(
      settings.find(group) + group.size(),
      "          {\"type\": \"command\", \"command\": \"bash ~/.claude/hooks/own.sh\"},\n");
  settings.insert(1,
                  "\n  \"statusLine\":   {\"type\": \"command\",\"command\": "
                  "\"~/.claude/statusline.sh\"},\n  \"env2\": [1,2,  3],");
  home.file(".claude/settings.json", settings, 0600);
  const Tree start = home.tree();

  for (int version = 2; version <= kUpdates + 1; ++version) {
    SCOPED_TRACE(version);
    const Ended update = update_to(home, version);
    EXPECT_EQ(home.text(".claude/hooks/long.sh"), long_hook(version, "# the user's first line"));
    EXPECT_EQ(home.mode_of(".claude/hooks/log.sh"), 0700U);
    EXPECT_EQ(home.text(".claude/hooks/own.sh"), hook("the user's own"));
    EXPECT_FALSE(home.exists(".claude/commands/watch.md"));
    EXPECT_THAT(home.text(".claude/agents/planner.md"),
                HasSubstr("Version " + std::to_string(version) + "."));
    EXPECT_THAT(home.text(".claude/agents/planner.md"), HasSubstr("The user's last line.\n"));
    const std::string now = home.text(".claude/settings.json");
    EXPECT_THAT(now, HasSubstr("\n  \"statusLine\":   {\"type\": \"command\",\"command\": "
                               "\"~/.claude/statusline.sh\"},\n  \"env2\": [1,2,  3],"));
    EXPECT_THAT(now, HasSubstr("hooks/own.sh"));
    EXPECT_THAT(now, HasSubstr("\"PACKAGE\": \"" + std::to_string(version) + "\""));
    EXPECT_THAT(now, HasSubstr("hooks/new-" + std::to_string(version) + ".sh"));
    EXPECT_THAT(now, Not(HasSubstr("hooks/new-" + std::to_string(version - 1) + ".sh")));
    EXPECT_EQ(home.mode_of(".claude/settings.json"), 0600U);
    EXPECT_THAT(update.out, Not(HasSubstr("in conflict")));
  }
  const Tree end = home.tree();
  for (int i = 0; i < kUpdates; ++i) home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), start));
  for (int i = 0; i < kUpdates; ++i) home.expect(0, {"rollback", "redo"});
  EXPECT_TRUE(same_tree(home.tree(), end));
}

TEST(Merge, AConflictIsToldWithThePlaceOfTheOtherSide) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("mine"), 0700);
  const Ended update = home.install(2);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("mine"));
  EXPECT_THAT(update.out, HasSubstr("1 in conflict"));
  const std::string place = "recovery/conflicts/";
  const size_t at = update.err.find(place);
  ASSERT_NE(at, std::string::npos) << update.err;
  const std::string copy = update.err.substr(at, update.err.find('\n', at) - at);
  EXPECT_TRUE(copy.ends_with("/hooks/guard.sh")) << copy;
  EXPECT_EQ(home.text(home.store(copy)), hook("guard of version 2"));
  EXPECT_EQ(home.mode_of(home.store(copy)), 0755U);
}

TEST(Merge, ThePolicyOfTheOptionWinsOverTheConfiguration) {
  const Home home;
  home.install(1);
  home.file(".claude/hooks/guard.sh", hook("mine"), 0700);
  const Tree before = home.tree();
  const RunOptions fails{.env = {{"STRAVINSKY_UPDATE_CONFLICT", "fail"}}};
  const std::vector<std::string> update = {"update", "2.0.0", "--from", home.bundle("2")};
  const Ended failed = home.expect(4, update, fails);
  EXPECT_THAT(failed.err, HasSubstr("hooks/guard.sh"));
  EXPECT_THAT(failed.err, HasSubstr("Nothing was changed."));
  EXPECT_THAT(failed.err, HasSubstr("--conflict"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  std::vector<std::string> asks = update;
  asks.insert(asks.end(), {"--conflict", "ask"});
  home.expect(4, asks);  // there is no terminal
  EXPECT_TRUE(same_tree(home.tree(), before));
  std::vector<std::string> takes = update;
  takes.insert(takes.end(), {"--conflict", "take-theirs"});
  home.expect(0, takes, fails);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("guard of version 2"));
  home.expect(2, {"update", "2.0.0", "--from", home.bundle("2"), "--conflict", "mine"});
}

TEST(Merge, OnATerminalTheUserIsAsked) {
  for (const auto& [answer, expected] :
       Files{{"t", hook("guard of version 2")}, {"m", hook("mine")}, {"s", hook("mine")}}) {
    SCOPED_TRACE(answer);
    const Home home;
    home.install(1);
    home.file(".claude/hooks/guard.sh", hook("mine"), 0700);
    const Ended ended =
        home.run_program({"python3", "-c",
                          "import os, pty, sys\n"
                          "pid, fd = pty.fork()\n"
                          "if pid == 0: os.execv(sys.argv[1], sys.argv[1:-1])\n"
                          "seen = b''\n"
                          "sent = False\n"
                          "while True:\n"
                          "    try: piece = os.read(fd, 4096)\n"
                          "    except OSError: break\n"
                          "    if not piece: break\n"
                          "    seen += piece\n"
                          "    if b'[m/t/s]' in seen and not sent:\n"
                          "        os.write(fd, sys.argv[-1].encode() + b'\\n')\n"
                          "        sent = True\n"
                          "sys.stdout.buffer.write(seen)\n"
                          "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n",
                          STRAVINSKY_BINARY, "update", "2.0.0", "--from", home.bundle("2"),
                          "--conflict", "ask", answer});
    EXPECT_EQ(ended.exit, answer == "s" ? 130 : 0) << ended.out << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("~/.claude/hooks/guard.sh"));
    EXPECT_EQ(home.text(".claude/hooks/guard.sh"), expected);
    EXPECT_EQ(home.exists(".claude/hooks/audit.sh"), answer != "s");
  }
}

TEST(Merge, WithoutItsLibraryEveryMergeOfLinesIsAConflict) {
  const Home home;
  update_to(home, 1);
  const std::string mine = long_hook(1, "# the user's first line");
  home.file(".claude/hooks/long.sh", mine, 0755);
  // What the loader finds first is no library.
  for (const char* name : {"libgit2.so.1.5", "libgit2.so.1.7", "libgit2.so.1.8", "libgit2.so.1.9"})
    home.file("lib/" + std::string(name), "not a library\n");
  home.make_bundle("long2", long_package(2));
  const Ended update = home.expect(0, {"update", "2.0.0", "--from", home.bundle("long2")},
                                   {.env = {{"LD_LIBRARY_PATH", home.at("lib")}}});
  EXPECT_EQ(home.text(".claude/hooks/long.sh"), mine);
  EXPECT_THAT(update.out, HasSubstr("libgit2"));
  EXPECT_THAT(update.err, HasSubstr("/hooks/long.sh"));
}

TEST(Merge, SettingsThatCannotBeMergedIntoRefuseTheUpdate) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  for (const std::string& mine :
       {std::string("{} // mine\n"), "{\"a\": " + deep + "}", std::string("{\"a\":1,\n \"a\":2}"),
        "{\"a\": \"" + std::string(50U << 20U, 'x') + "\"}", std::string("\xFF\xFE{\0}\0", 6)}) {
    SCOPED_TRACE(mine.substr(0, 20));
    const Home home;
    home.file(".claude/settings.json", mine);
    const Tree before = home.tree();
    const Ended ended = home.expect(3, {"update", "1.0.0", "--from", home.bundle("1")});
    EXPECT_THAT(ended.err, HasSubstr("settings.json"));
    EXPECT_THAT(ended.err, HasSubstr("Nothing was changed."));
    EXPECT_TRUE(same_tree(home.tree(), before));
  }
}

TEST(Merge, SettingsOfABundleThatCouldNotBeMergedAreRefused) {
  for (const std::string& theirs :
       {std::string("{} // theirs\n"), std::string("{\"a\":1,\n \"a\":2}"), std::string("[]"),
        "{\"a\": \"" + std::string(50U << 20U, 'x') + "\"}"}) {
    SCOPED_TRACE(theirs.substr(0, 20));
    const Home home;
    home.make_bundle("bad", {{"hooks/a.sh", hook("a")}, {"settings.json", theirs}});
    const Tree before = home.tree();
    const Ended ended = home.expect(3, {"update", "1.0.0", "--from", home.bundle("bad")});
    EXPECT_THAT(ended.err, HasSubstr("settings.json: the new settings"));
    EXPECT_THAT(ended.err, HasSubstr("Nothing was changed."));
    EXPECT_TRUE(same_tree(home.tree(), before));
  }
}

TEST(Merge, NotesHoldNoValue) {
  const Home home;
  home.make_bundle("a", {{"settings.json", R"({"env": {"K": "secret-1"}, "hooks": {"Stop": [
      {"matcher": "secret-2", "hooks": [{"type": "prompt", "prompt": "secret-3"}]}]}})"}});
  home.make_bundle("b", {{"settings.json", R"({"env": {"K": "secret-4"}, "hooks": {"Stop": [
      {"matcher": "secret-5", "hooks": [{"type": "prompt", "prompt": "secret-6"}]}]}})"}});
  home.file(".claude/settings.json", "{}\n");
  std::string said;
  const auto say = [&](const Ended& ended) { said += ended.out + ended.err; };
  say(home.expect(0, {"update", "1.0.0", "--from", home.bundle("a")}));
  home.file(".claude/settings.json",
            R"({"env": {"K": "secret-7"}, "hooks": {"Stop": [{"matcher": "secret-2", "hooks": [
      {"type": "prompt", "prompt": "secret-3"}]}]}})");
  say(home.expect(0, {"update", "2.0.0", "--from", home.bundle("b")}));
  EXPECT_THAT(said, HasSubstr("env.K"));
  EXPECT_THAT(said, HasSubstr("hooks.Stop: 1 handler"));
  EXPECT_THAT(said + home.text(home.store("audit/operations.log")), Not(HasSubstr("secret-")));
}

TEST(Adopt, DeclaresWhatIsInstalledAndIsOnRecord) {
  const Home home;
  home.files(".claude", package(1));
  home.file(".claude/hooks/guard.sh", hook("mine"), 0755);
  const Tree before = home.tree();
  const Ended adopted = home.expect(0, {"adopt", "1.0.0", "--from", home.bundle("1")});
  EXPECT_THAT(adopted.out, HasSubstr("hooks/guard.sh"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_THAT(home.expect(0, {"audit", "log"}).out, HasSubstr("VERSION_ADOPTED"));
  home.expect(0, {"audit", "verify"});
  const Ended update = home.install(2);
  EXPECT_EQ(home.text(".claude/hooks/guard.sh"), hook("mine"));
  EXPECT_THAT(update.out, HasSubstr("v1.0.0 -> v2.0.0"));
  EXPECT_FALSE(home.exists(".claude/commands/watch.md"));
  home.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home.tree(), before));
  EXPECT_THAT(home.expect(0, {"rollback", "redo"}).out, HasSubstr("Redo successful!"));
}

TEST(Adopt, AWrongSourceDeclaresNothing) {
  const Home home;
  home.expect(5, {"adopt", "1.0.0", "--from", home.at("nowhere")});
  home.expect(2, {"adopt", "--from", home.bundle("1")});  // no version in it
  home.expect(2, {"adopt", "1.0.0"});
  EXPECT_THAT(home.expect(0, {"status"}).out, Not(HasSubstr("1.0.0")));
}

}  // namespace
}  // namespace stravinsky::e2e
