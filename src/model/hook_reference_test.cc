#include "model/hook_reference.h"

#include <gtest/gtest.h>

#include <utility>

namespace stravinsky::model {
namespace {

const HookRoots kRoots = {
    .home = "/home/u", .user_root = "/home/u/.claude", .project_root = "/srv/p"};

std::string_view name_of(Interpreter interpreter) {
  switch (interpreter) {
    case Interpreter::kDirect:
      return "direct";
    case Interpreter::kPython:
      return "python";
    case Interpreter::kNode:
      return "node";
    case Interpreter::kBash:
      return "bash";
    case Interpreter::kSh:
      return "sh";
    case Interpreter::kUv:
      return "uv";
    case Interpreter::kOther:
      return "other";
  }
  return "";
}

std::string_view name_of(Place place) {
  switch (place) {
    case Place::kUser:
      return "user";
    case Place::kProject:
      return "project";
    case Place::kPlugin:
      return "plugin";
    case Place::kOutside:
      return "outside";
    case Place::kUnknown:
      return "unknown";
  }
  return "";
}

// "python user:hooks/x.py", several joined by ", "; "?" marks a tested file.
std::string described(const std::vector<ReferencedFile>& files) {
  std::string all;
  for (const ReferencedFile& file : files) {
    if (!all.empty()) all += ", ";
    all += std::string(name_of(file.interpreter)) + " " + std::string(name_of(file.place));
    if (file.expansion == Expansion::kNever) all.replace(all.rfind("unknown"), 7, "never");
    if (!file.path.empty()) all += ":" + file.path;
    if (file.guard == Guard::kTested) all += "?";
  }
  return all;
}

TEST(HookReference, FilesOfCommands) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      // the forms seen in settings
      {"python3 ~/.claude/hooks/x.py", "python user:hooks/x.py"},
      {"uv run $CLAUDE_PROJECT_DIR/.claude/hooks/x.py", "uv project:hooks/x.py"},
      {"\"$CLAUDE_PROJECT_DIR\"/.claude/hooks/x.sh", "direct project:hooks/x.sh"},
      {"\"${CLAUDE_PROJECT_DIR}/.claude/hooks/x.sh\" --flag", "direct project:hooks/x.sh"},
      {"${CLAUDE_PLUGIN_ROOT}/hooks/x.sh", "direct plugin:hooks/x.sh"},
      {"node \"${CLAUDE_PLUGIN_ROOT}/hooks/x.mjs\"", "node plugin:hooks/x.mjs"},
      {"cd ${CLAUDE_PLUGIN_ROOT} && ./x.sh", "direct plugin:x.sh"},
      {"${CLAUDE_PLUGIN_ROOT}-old/x.sh", "direct unknown"},
      {"node ${CLAUDE_PLUGIN_ROOT}", "node unknown"},
      {"node x.mjs", "node unknown"},
      {"node ~/.claude/hooks/x.mjs a b", "node user:hooks/x.mjs"},
      {"FOO=1 BAR='a b' python3 ~/.claude/hooks/x.py", "python user:hooks/x.py"},
      {"FOO=$(date) python3 ~/.claude/hooks/x.py", "python user:hooks/x.py"},
      {"$HOME/.claude/hooks/x.sh", "direct user:hooks/x.sh"},
      {"bash ${HOME}/.claude/hooks/x.sh", "bash user:hooks/x.sh"},
      {"/home/u/.claude/statusline.sh", "direct user:statusline.sh"},
      {"/opt/tool/run.sh", "direct outside:/opt/tool/run.sh"},
      {"~/.claude/statusline.sh", "direct user:statusline.sh"},
      {"$CLAUDE_CONFIG_DIR/hooks/x.py", "direct user:hooks/x.py"},
      {"${CLAUDE_CONFIG_DIR:-$HOME/.claude}/hooks/x.py", "direct user:hooks/x.py"},
      // interpreters and their options
      {"python ~/.claude/x.py", "python user:x.py"},
      {"python3.12 -u -B ~/.claude/x.py", "python user:x.py"},
      {"/usr/bin/python3 -W ignore -X utf8 ~/.claude/x.py", "python user:x.py"},
      {"python3 -Xutf8 -Wdefault::DeprecationWarning ~/.claude/x.py", "python user:x.py"},
      {"$CLAUDE_PROJECT_DIR/.venv/bin/python $CLAUDE_PROJECT_DIR/.claude/x.py",
       "python project:x.py"},
      {"python3 -c 'import os' ~/.claude/x.py", ""},
      {"python3 -Bm module ~/.claude/x.py", ""},
      {"python3 - < ~/.claude/x.py", ""},
      {"/usr/bin/env python3 ~/.claude/x.py", "python user:x.py"},
      {"env -u A B=1 node --no-warnings -r ./a.js ~/.claude/x.js", "node user:x.js"},
      {"node -e 'code' ~/.claude/x.js", ""},
      {"bash -euo pipefail ~/.claude/x.sh", "bash user:x.sh"},
      {"sh ~/.claude/x.sh", "sh user:x.sh"},
      {"zsh ~/.claude/x.sh", "other user:x.sh"},
      {"bash -c 'python3 ~/.claude/x.py && ~/.claude/y.sh'", "python user:x.py, direct user:y.sh"},
      {"bash -lc \"$HOME/.claude/y.sh 'a'\"", "direct user:y.sh"},
      {"bash -c \"$UNKNOWN/x.sh\"", "bash unknown"},
      {"uv run --quiet --with requests --python 3.12 ~/.claude/x.py", "uv user:x.py"},
      {"uv run --script ~/.claude/x.py", "uv user:x.py"},
      {"uv --quiet run python -u ~/.claude/x.py", "uv user:x.py"},
      {"uv run --directory $CLAUDE_PROJECT_DIR/.claude hooks/x.py", "uv project:hooks/x.py"},
      {"uv run pytest ~/.claude/x.py", ""},
      {"uv tool run ruff", ""},
      {"poetry run python ~/.claude/x.py", "python user:x.py"},
      {"bun run ~/.claude/x.ts", "other user:x.ts"},
      {"bun ~/.claude/x.ts", "other user:x.ts"},
      {"deno run -A ~/.claude/x.ts", "other user:x.ts"},
      {"timeout -k 1 5 python3 ~/.claude/x.py", "python user:x.py"},
      {"exec nohup ~/.claude/x.sh", "direct user:x.sh"},
      {"env -i nice -n 5 ~/.claude/x.sh", "direct user:x.sh"},
      {"stdbuf -oL -e L ~/.claude/x.sh", "direct user:x.sh"},
      {"npx tsx ~/.claude/x.ts", "other user:x.ts"},
      {"npx -y -p tsx tsx@4 ~/.claude/x.ts", "other user:x.ts"},
      {"npx ts-node ~/.claude/x.ts", "other user:x.ts"},
      {"npx prettier ~/.claude/x.ts", ""},
      {"pnpm dlx tsx ~/.claude/x.ts", "other user:x.ts"},
      {"cat | xargs -n 1 ~/.claude/x.sh", "direct user:x.sh"},
      {"python2.7 ~/.claude/x.py", "other user:x.py"},
      {"jq -rf ~/.claude/x.jq", "other user:x.jq"},
      {"jq --from-file ~/.claude/x.jq a", "other user:x.jq"},
      {"awk -F : -f ~/.claude/x.awk", "other user:x.awk"},
      {"eval \"python3 $HOME/.claude/x.py\"", "python user:x.py"},
      {"echo $(python3 ~/.claude/x.py)", "python user:x.py"},
      {"X=\"`~/.claude/x.sh a`\" true", "direct user:x.sh"},
      {"x=$((1 + 2)); ~/.claude/x.sh", "direct user:x.sh"},
      {"a=$(cd /srv && pwd); cd ~/.claude && ./x.sh", "direct user:x.sh"},
      {"source ~/.claude/x.sh", "bash user:x.sh"},
      // several commands, redirections, conditions
      {"cd $CLAUDE_PROJECT_DIR && python3 .claude/hooks/x.py", "python project:hooks/x.py"},
      {"cd ~/.claude/hooks; ./x.sh", "direct user:hooks/x.sh"},
      {"cd \"$(git rev-parse --show-toplevel)\" && .claude/hooks/x.sh", "direct unknown"},
      {"(cd ~/.claude && node x.js)", "node user:x.js"},
      {"cat | python3 ~/.claude/x.py | ~/.claude/y.sh", "python user:x.py, direct user:y.sh"},
      {"python3 ~/.claude/x.py 2>/dev/null >&2 || true", "python user:x.py"},
      {"python3 ~/.claude/x.py &>> /tmp/log & ~/.claude/y.sh",
       "python user:x.py, direct user:y.sh"},
      {"[ -f ~/.claude/x.sh ] && bash ~/.claude/x.sh || true", "bash user:x.sh?"},
      {"if [[ -x ~/.claude/x.sh ]]; then ~/.claude/x.sh; fi", "direct user:x.sh?"},
      {"test -f ~/.claude/a && ~/.claude/x.sh", "direct user:x.sh"},
      {"! ~/.claude/x.sh # ~/.claude/y.sh", "direct user:x.sh"},
      {"python3 \\\n  ~/.claude/x.py", "python user:x.py"},
      {"cat <<EOF\n~/.claude/x.sh\nEOF", ""},
      {"~/.claude/x.sh <<< 'text'", "direct user:x.sh"},
      {"diff <(~/.claude/a) ~/b; ~/.claude/x.sh", "direct user:x.sh"},
      // words a shell would have to decide, and no file at all
      {"$SOMEWHERE/x.sh", "direct unknown"},
      {"python3 $(which x.py)", "python unknown"},
      {"python3 `which x.py`", "python unknown"},
      {"python3 ~/.claude/hooks/*.py", "python unknown"},
      {"python3 '~/.claude/x.py'", "python never"},
      {"python3 ~other/.claude/x.py", "python unknown"},
      {"python3 ~/.claude/hooks/../x.py", "python user:x.py"},
      {"python3 ~/.claude/../.claude/./hooks/../hooks/x.py", "python user:hooks/x.py"},
      {"python3 ~/.claude/../x.py", "python outside:/home/u/x.py"},
      {"node ${CLAUDE_PLUGIN_ROOT}/../x.js", "node unknown"},
      {"python3 \"~/.claude/x.py\"", "python never"},
      {"python3 '$HOME/.claude/x.py'", "python never"},
      {"python3 \\~/.claude/x.py", "python never"},
      {"'~/.claude/x.sh' a", "direct never"},
      {"uv run \"~/.claude/x.py\"", "uv never"},
      {"bash -c '~/.claude/x.sh'", "direct user:x.sh"},
      {"echo \"~/.claude/x.sh\"", ""},
      {"python3 '/home/u/.claude/a b/$x.py'", "python user:a b/$x.py"},
      {"python3 /home/u/.claude/a\\ b.py", "python user:a b.py"},
      {"python3 //home/u/./.claude//x.py", "python user:x.py"},
      {"~/.claudette/x.sh", "direct outside:/home/u/.claudette/x.sh"},
      {"$CLAUDE_PROJECT_DIR/scripts/x.sh", "direct outside:/srv/p/scripts/x.sh"},
      {"echo done >> ~/.claude/log.txt", ""},
      {"jq -r .a ~/.claude/x.json", ""},
      {"osascript -e 'display notification'", ""},
      {"", ""},
      {"'", ""},
      {"\"${", "direct unknown"},
      {"$(((", "direct unknown"},
      {"\\", ""},
      {"uv", ""},
      {"python3", ""},
      {"FOO=1", ""},
  };
  for (const auto& [command, expected] : cases)
    EXPECT_EQ(described(read_command(command, Scope::kUser, kRoots).files), expected) << command;
}

TEST(HookReference, ProgramsThatMustBeThere) {
  const auto programs = [](std::string_view command) {
    std::string all;
    for (const std::string& name : read_command(command, Scope::kUser, kRoots).programs)
      all += (all.empty() ? "" : " ") + name;
    return all;
  };
  EXPECT_EQ(programs("python3 ~/.claude/x.py"), "python3");
  EXPECT_EQ(programs("nosuch ~/.claude/x.py"), "nosuch");
  EXPECT_EQ(programs("/usr/bin/env ruby9 ~/.claude/x.rb"), "ruby9");
  EXPECT_EQ(programs("/opt/none/python3 ~/.claude/x.py"), "/opt/none/python3");
  EXPECT_EQ(programs("timeout 5 npx tsx ~/.claude/x.ts"), "timeout npx");
  EXPECT_EQ(programs("uv run python ~/.claude/x.py"), "uv");
  EXPECT_EQ(programs("command -v bun >/dev/null && bun ~/.claude/x.ts"), "");
  EXPECT_EQ(programs("if which bun; then bun ~/.claude/x.ts; fi"), "");
  EXPECT_EQ(programs("$CLAUDE_PROJECT_DIR/.venv/bin/python ~/.claude/x.py"), "");
  EXPECT_EQ(programs("~/.claude/bin/node ~/.claude/x.js"), "");
  EXPECT_EQ(programs("echo done; exec ~/.claude/x.sh; mytool --flag"), "");
}

TEST(HookReference, WhatOnlyARunningShellKnowsIsSaid) {
  const auto doubt = [](std::string_view command) -> std::string {
    const CommandReading read = read_command(command, Scope::kUser, kRoots);
    return read.is_undecided ? "undecided" : read.runs_module ? "module" : "";
  };
  EXPECT_EQ(doubt("python3 $(cat x)"), "undecided");
  EXPECT_EQ(doubt("eval \"`cat x`\""), "undecided");
  EXPECT_EQ(doubt("cd \"$(git rev-parse --show-toplevel)\" && .claude/hooks/x.sh"), "undecided");
  EXPECT_EQ(doubt("FOO=$(date) python3 ~/.claude/x.py"), "");
  EXPECT_EQ(doubt("PYTHONPATH=~/.claude/hooks python3 -m x"), "module");
  EXPECT_EQ(doubt("env PYTHONPATH=~/.claude/hooks python3 -Bm x"), "module");
  EXPECT_EQ(doubt("cd ~/.claude/hooks && python3 -m x"), "module");
  EXPECT_EQ(doubt("python3 -m json.tool"), "");
}

TEST(HookReference, RelativePathsBelongToTheProjectInItsOwnSettings) {
  const auto files = [](std::string_view command) {
    return described(read_command(command, Scope::kProject, kRoots).files);
  };
  EXPECT_EQ(files("python3 .claude/hooks/x.py"), "python project:hooks/x.py");
  EXPECT_EQ(files("./.claude/hooks/x.sh"), "direct project:hooks/x.sh");
  EXPECT_EQ(files("python3 scripts/x.py"), "python unknown");
  EXPECT_EQ(files("cd $X; python3 .claude/hooks/x.py"), "python unknown");
  EXPECT_EQ(described(read_command(".claude/x.sh", Scope::kUser, kRoots).files), "direct unknown");
}

TEST(HookReference, ExecFormHasNoShell) {
  const auto files = [](std::string_view program, const std::vector<std::string>& args) {
    return described(read_exec(program, args, Scope::kUser, kRoots).files);
  };
  EXPECT_EQ(files("node", {"${CLAUDE_PLUGIN_ROOT}/x y.mjs"}), "node plugin:x y.mjs");
  EXPECT_EQ(files("${CLAUDE_PROJECT_DIR}/.claude/x.sh", {}), "direct project:x.sh");
  EXPECT_EQ(files("python3", {"-u", "/home/u/.claude/a'b.py"}), "python user:a'b.py");
  EXPECT_EQ(files("python3", {"~/.claude/x.py"}), "python never");
  EXPECT_EQ(files("python3", {"$HOME/.claude/x.py"}), "python never");
  EXPECT_EQ(files("~/.claude/x.sh", {}), "direct never");
  EXPECT_EQ(files("bash", {"-c", "~/.claude/x.sh"}), "direct user:x.sh");
}

TEST(HookReference, AnotherConfigDirectoryIsTheUserRoot) {
  const HookRoots roots = {.home = "/home/u", .user_root = "/etc/claude", .project_root = ""};
  const auto files = [&](std::string_view command) {
    return described(read_command(command, Scope::kUser, roots).files);
  };
  EXPECT_EQ(files("/etc/claude/hooks/x.sh"), "direct user:hooks/x.sh");
  EXPECT_EQ(files("~/.claude/x.sh"), "direct outside:/home/u/.claude/x.sh");
  EXPECT_EQ(files("$CLAUDE_PROJECT_DIR/.claude/x.sh"), "direct unknown");
}

TEST(HookReference, AliasesNameTheSameRoots) {
  HookRoots roots = kRoots;
  roots.user_root_aliases = {"/data/dotfiles/claude"};
  roots.project_root_aliases = {"/mnt/p"};
  const auto files = [&](std::string_view command) {
    return described(read_command(command, Scope::kUser, roots).files);
  };
  EXPECT_EQ(files("/data/dotfiles/claude/hooks/x.sh"), "direct user:hooks/x.sh");
  EXPECT_EQ(files("/mnt/p/.claude/x.sh"), "direct project:x.sh");
  EXPECT_EQ(files("/mnt/p/x.sh"), "direct outside:/mnt/p/x.sh");
}

TEST(HookReference, UnquotedValueWithSpacesIsUndecided) {
  const HookRoots roots = {
      .home = "/home/a b", .user_root = "/home/a b/.claude", .project_root = ""};
  EXPECT_EQ(described(read_command("$HOME/.claude/x.sh", Scope::kUser, roots).files),
            "direct unknown");
  EXPECT_EQ(described(read_command("\"$HOME/.claude/x.sh\"", Scope::kUser, roots).files),
            "direct user:x.sh");
  EXPECT_EQ(described(read_command("~/.claude/x.sh", Scope::kUser, roots).files),
            "direct user:x.sh");
}

TEST(HookReference, EveryHandlerIsListedWithItsPlace) {
  const auto found = find_hook_references(R"({
  "statusLine": {"type": "command", "command": "~/.claude/statusline.sh"},
  "hooks": {
    "PreToolUse": [
      {"matcher": "Bash", "hooks": [
        {"type": "command", "command": "python3 ~/.claude/hooks/x.py"},
        {"type": "prompt", "prompt": "?"},
        {"type": "command", "command": "node", "args": ["/home/u/.claude/y.js", 5]}]}],
    "Stop": [{"hooks": [{"command": "true"}]}, 3, {"hooks": 1}],
    "Odd": {}
  }
})",
                                          Scope::kUser, kRoots);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 5U);
  const HookReference& status_line = (*found)[0];
  EXPECT_TRUE(status_line.is_status_line());
  EXPECT_EQ(status_line.json_path, "statusLine");
  EXPECT_EQ(described(status_line.files), "direct user:statusline.sh");
  const HookReference& python = (*found)[1];
  EXPECT_EQ(python.json_path, "hooks.PreToolUse[0].hooks[0]");
  EXPECT_EQ(python.event, "PreToolUse");
  EXPECT_EQ(python.matcher, "Bash");
  EXPECT_EQ(python.position.line, 6);
  EXPECT_EQ(python.position.column, 9);
  ASSERT_EQ(python.files.size(), 1U);
  EXPECT_EQ(python.files[0].program, "python3");
  EXPECT_EQ(python.files[0].logical()->display(), "~/.claude/hooks/x.py");
  EXPECT_EQ((*found)[2].type, "prompt");
  EXPECT_TRUE((*found)[2].files.empty());
  EXPECT_EQ((*found)[3].args.size(), 2U);
  EXPECT_EQ(described((*found)[3].files), "node user:y.js");
  EXPECT_EQ((*found)[4].event, "Stop");
  EXPECT_TRUE((*found)[4].files.empty());
}

TEST(HookReference, SettingsThatAreNotJsonSayWhere) {
  const auto found = find_hook_references("{\n\"hooks\": }", Scope::kUser, kRoots);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().position.line, 2);
  for (const std::string_view text : {"[]", "1", R"({"hooks":[]})", R"({"hooks":{"Stop":[[]]}})"})
    EXPECT_TRUE(find_hook_references(text, Scope::kUser, kRoots)->empty()) << text;
}

TEST(HookReference, AnyTextIsReadWithoutHarm) {
  const std::string_view alphabet = "ab/~$\"'`\\{}()<>&|;[]# =-\n*";
  uint64_t state = 7;
  for (int round = 0; round < 20000; ++round) {
    std::string command;
    for (int i = 0; i < 24; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      command += alphabet[(state >> 33U) % alphabet.size()];
    }
    for (const ReferencedFile& file : read_command(command, Scope::kProject, kRoots).files)
      EXPECT_EQ(file.place == Place::kUnknown, file.path.empty()) << command;
  }
}

}  // namespace
}  // namespace stravinsky::model
