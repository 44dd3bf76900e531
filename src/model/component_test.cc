#include "model/component.h"

#include <gtest/gtest.h>

#include <set>

namespace stravinsky::model {
namespace {

fs::RelPath rel(std::string_view text) {
  return fs::RelPath::of(text);
}

TEST(Component, EachPathBelongsToOneRow) {
  EXPECT_EQ(component_of(rel("hooks/x.py"))->name, "hooks");
  EXPECT_EQ(component_of(rel("hooks"))->name, "hooks");
  EXPECT_EQ(component_of(rel("settings.json"))->name, "settings");
  EXPECT_EQ(component_of(rel("settings.local.json"))->name, "settings.local");
  EXPECT_EQ(component_of(rel("statusline.sh"))->name, "referenced");
  EXPECT_EQ(component_of(rel("hooks2/x.py"))->name, "referenced");
  EXPECT_EQ(component_of(rel("settings.json/x")), nullptr);
}

TEST(Component, StoredNamesAreDistinct) {
  std::set<std::string> names;
  size_t made = 0;
  for (const Component& component : components()) {
    names.insert(stored_name(component, Scope::kUser));
    ++made;
    if (component.kind != ComponentKind::kFile) continue;
    names.insert(stored_name(component, Scope::kProject));
    ++made;
  }
  EXPECT_EQ(names.size(), made);
  EXPECT_EQ(stored_name(*find_component("settings"), Scope::kProject), "project_settings.json");
}

TEST(Component, MembersMapBothWays) {
  for (const Scope scope : {Scope::kUser, Scope::kProject}) {
    for (const char* path : {"hooks/x.py", "skills/a/SKILL.md", "statusline.sh"}) {
      const LogicalPath logical{scope, rel(path)};
      const Component& component = *component_of(logical.path);
      const auto back = parse_archive_member(component, archive_member(component, logical));
      ASSERT_TRUE(back) << path;
      EXPECT_EQ(*back, logical);
    }
  }
  const Component& hooks = *find_component("hooks");
  EXPECT_EQ(archive_member(hooks, {Scope::kProject, rel("hooks/x")}), "project_hooks/x");
  EXPECT_EQ(archive_member(*find_component("referenced"), {Scope::kUser, rel("s.sh")}),
            "referenced/s.sh");
}

TEST(Component, MembersOfOthersAreRefused) {
  const Component& hooks = *find_component("hooks");
  for (const char* member : {"commands/x", "hooks/../x", "/hooks/x", "project_commands/x", "",
                             "project_", "referenced/x"})
    EXPECT_FALSE(parse_archive_member(hooks, member)) << member;
}

TEST(Component, WhatIsNeverManagedIsExcludedWithAllBeneath) {
  for (const char* path :
       {"projects/a/b.jsonl", "history.jsonl", "daemon.pid", "hooks/logs", "hooks/logs/a.log",
        "hooks/__pycache__/x.pyc", "hooks/ralph_state.json", "skills/x/.env", "x.pem", "X.PEM",
        ".credentials.json", "skills/x/.rbk-0123456789abcdef-1", "plugins/x", ".mcp.json"})
    EXPECT_TRUE(is_excluded(rel(path))) << path;
}

TEST(Component, NamesThatOnlyLookLikeExclusionsAreManaged) {
  for (const char* path : {"hooks/x.py", "skills/projects/SKILL.md", "hooks/logs.py",
                           "commands/state/x.md", "hooks/plans", "settings.json",
                           "settings.local.json", "commands/environment.md", "skills/a/key.md"})
    EXPECT_FALSE(is_excluded(rel(path))) << path;
}

TEST(Component, SecretsAreExcludedInAnyCase) {
  EXPECT_TRUE(is_secret(rel("hooks/Server.KEY")));
  EXPECT_TRUE(is_secret(rel("hooks/.Env.local")));
  EXPECT_FALSE(is_secret(rel("hooks/keys.py")));
}

TEST(LogicalPath, DisplayIsShellLikeAndHarmless) {
  EXPECT_EQ((LogicalPath{Scope::kUser, rel("hooks/x.py")}.display()), "~/.claude/hooks/x.py");
  EXPECT_EQ((LogicalPath{Scope::kProject, rel("hooks/\x1b[2J")}.display()),
            ".claude/hooks/\\x1b[2J");
}

}  // namespace
}  // namespace stravinsky::model
