#include "rescue.h"

#include <unistd.h>

#include <sstream>

namespace stravinsky::e2e {
namespace {

constexpr const char* kSystemPath = "/usr/bin:/bin";

std::string pseudo_random_bytes(size_t count) {
  std::string out;
  uint32_t state = 12345;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    out += static_cast<char>(state >> 24U);
  }
  return out;
}

std::string found_in_path(std::string_view program) {
  for (const char* directory : {"/usr/bin/", "/bin/"}) {
    std::string full = directory + std::string(program);
    if (access(full.c_str(), X_OK) == 0) return full;
  }
  return {};
}

}  // namespace

void Rescue::SetUp() {
  const std::string_view name = GetParam();
  const std::string program = found_in_path(name);
  if (program.empty()) GTEST_SKIP() << name << " is not installed";
  shell_ = {program};
  path_ = kSystemPath;
  if (name == "bash") shell_.emplace_back("--posix");
  if (name == "busybox") {
    path_ = home_.at("../applets");
    std::istringstream applets(home_.run_program({program, "--list"}).out);
    for (std::string one; std::getline(applets, one);) home_.link(path_ + "/" + one, program);
    shell_ = {path_ + "/sh"};
  }

  home_.files(".claude/hooks", {{"guard.sh", hook("guard")},
                                {"with space.md", "s"},
                                {"-dash.md", "d"},
                                {"new\nline.md", "n"},
                                {"quote'\".md", "q"},
                                {"back\\slash$(x).md", "b"},
                                {"\303\244.md", "a"},
                                {"empty.md", ""},
                                {"lib/.hidden.md", "h"},
                                {std::string(120, 'x') + "/" + std::string(120, 'y') + ".md", "l"},
                                {"large.bin", pseudo_random_bytes(1'500'000)}});
  home_.file(".claude/hooks/read-only.md", "r", 0444);
  home_.link(".claude/hooks/link.sh", "guard.sh");
  home_.file(".claude/commands/str/search.md", "c");
  home_.dir(".claude/commands/empty", 0750);
  home_.file("dotfiles/settings.json",
             R"({"statusLine": {"type": "command", "command": "~/.claude/statusline.sh"}})", 0640);
  home_.link(".claude/settings.json", "../dotfiles/settings.json");
  home_.file(".claude/settings.local.json", "{}", 0600);
  home_.file(".claude/statusline.sh", "echo\n", 0700);
  home_.file("dotfiles/skills/x/SKILL.md", "k");
  home_.link(".claude/skills", home_.at("dotfiles/skills"));
  home_.file(".claude/CLAUDE.md", "m");
  home_.file("project/.claude/hooks/p.sh", "p", 0755);
  home_.file("project/.claude/settings.json", "{}");
  back_up("one");
}

Ended Rescue::rescue(std::vector<std::string> args, const RunOptions& options) const {
  RunOptions with = options;
  with.env.emplace("PATH", path_);
  std::vector<std::string> argv = shell_;
  argv.push_back(home_.at(script()));
  argv.insert(argv.end(), args.begin(), args.end());
  return home_.run_program(argv, with);
}

Ended Rescue::expect(int exit, const std::vector<std::string>& args,
                     const RunOptions& options) const {
  Ended done = rescue(args, options);
  EXPECT_EQ(done.exit, exit) << done.out << done.err;
  return done;
}

Ended Rescue::paste(const std::string& lines, const RunOptions& options) const {
  RunOptions with = options;
  with.env.emplace("PATH", path_);
  std::vector<std::string> argv = shell_;
  argv.insert(argv.end(), {"-e", "-c", lines});
  return home_.run_program(argv, with);
}

std::vector<std::string> Rescue::commands_in(const std::string& output) {
  std::vector<std::string> commands;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  sh ") || line.starts_with("  mv ")) commands.push_back(line);
  return commands;
}

std::string Rescue::way_back(const Ended& done) {
  const std::vector<std::string> commands = commands_in(done.out);
  return commands.empty() ? "false" : commands.back();
}

void Rescue::back_up(const std::string& label) const {
  home_.expect(0, {"backup", "create", "--label", label}, {.directory = "project"});
}

std::string Rescue::in_backup(std::string_view name) const {
  return home_.store("backups/one/" + std::string(name));
}

void Rescue::flip_a_byte(const std::string& path) const {
  std::string bytes = home_.text(path);
  ASSERT_FALSE(bytes.empty());
  char& flipped = bytes[bytes.size() / 2];
  flipped = static_cast<char>(flipped ^ 1);
  home_.file(path, bytes, 0600);
}

void Rescue::break_tree() const {
  home_.file(".claude/hooks/guard.sh", "if\n", 0644);
  home_.mode(".claude/hooks/with space.md", 0600);
  for (const char* path : {".claude/hooks/new\nline.md", ".claude/hooks/-dash.md",
                           ".claude/hooks/lib", ".claude/commands", ".claude/hooks/link.sh",
                           ".claude/statusline.sh", "dotfiles/skills/x/SKILL.md"})
    home_.erase(path);
  home_.file(".claude/hooks/link.sh", "no link any more");
  home_.erase(".claude/hooks/empty.md");
  home_.file(".claude/hooks/empty.md/inside", "a directory now");
  home_.file(".claude/hooks/read-only.md", "r, and more", 0644);
  home_.file("dotfiles/settings.json", "{ broken");
  home_.file(".claude/hooks/mine.sh", "not in the backup");
}

Tree Rescue::trees() const {
  Tree all = home_.tree("");
  std::erase_if(all, [](const auto& one) { return one.first.starts_with(".stravinsky"); });
  return all;
}

void Rescue::expect_no_litter() const {
  for (const auto& [path, what] : home_.tree(""))
    EXPECT_EQ(path.find("rescue."), path.find("rescue.sh")) << path;
}

}  // namespace stravinsky::e2e
