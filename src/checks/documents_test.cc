// Commands, agents and skills.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/agents_check.h"
#include "checks/commands_check.h"
#include "checks/skills_check.h"
#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using ::testing::ElementsAre;
using testing::FakeTree;
using ::testing::IsEmpty;

using DocumentsCheck = Result<std::vector<Finding>> (*)(const TreeView&, const TreeView*);

// "warning agent.no_name ~/.claude/agents/a.md"
std::vector<std::string> told(DocumentsCheck check, const TreeView& next,
                              const TreeView* present = nullptr) {
  std::vector<std::string> all;
  const auto findings = check(next, present);
  if (!findings) return {"error"};
  for (const Finding& finding : *findings)
    all.push_back(std::string(severity_name(finding.severity)) + " " + finding.rule + " " +
                  finding.file + (finding.line > 0 ? ":" + std::to_string(finding.line) : ""));
  return all;
}

constexpr const char* kGood = "---\nname: x\ndescription: What it does\n---\nBody\n";

TEST(CommandsCheck, NamesAreThePathsBelowCommands) {
  EXPECT_EQ(command_id(fs::RelPath::of("commands/str/search.md")), "str:search");
  EXPECT_EQ(command_id(fs::RelPath::of("commands/index.md")), "index");
}

TEST(CommandsCheck, CommandsWithoutFrontMatterAreGood) {
  FakeTree next;
  next.put("commands/a.md", "Do it\n")
      .put("commands/b/a.md", "Do it\n")
      .put("commands/c.md", kGood)
      .put("project:commands/a.md", kGood)
      .put("commands/notes.txt", "<<<<<<< x");
  EXPECT_THAT(told(check_commands, next),
              ElementsAre("information command.no_description ~/.claude/commands/a.md"));
}

TEST(CommandsCheck, NamesThatOnlyDifferInCaseAreTold) {
  FakeTree next;
  next.put("commands/str/a.md", kGood)
      .put("commands/Str/A.md", kGood)
      .put("commands/deploy it.md", kGood)
      .put("commands/b.md", kGood)
      .put("skills/b/SKILL.md", kGood);
  EXPECT_THAT(told(check_commands, next),
              ElementsAre("warning command.no_name ~/.claude/commands/deploy it.md",
                          "warning command.duplicate ~/.claude/commands/str/a.md",
                          "warning command.hidden ~/.claude/commands/b.md"));
}

TEST(CommandsCheck, OnlyWhatTheUpdateBringsIsRead) {
  FakeTree next;
  next.put("commands/a.md", "---\nx: \"y\n---\n").put("commands/b.md", "");
  EXPECT_THAT(told(check_commands, next),
              ElementsAre("warning front_matter.syntax ~/.claude/commands/a.md:3",
                          "warning document.empty ~/.claude/commands/b.md"));
  EXPECT_THAT(told(check_commands, next, &next), IsEmpty());
  FakeTree present = next;
  present.put("commands/b.md", "Do it");
  EXPECT_THAT(told(check_commands, next, &present),
              ElementsAre("warning document.empty ~/.claude/commands/b.md"));
}

TEST(CommandsCheck, FaultsOfTheTextAreTold) {
  FakeTree next;
  next.put("commands/a.md", "a\n<<<<<<< mine\n=======\n>>>>>>> theirs\n\xff\n")
      .put("commands/b.md", kGood)
      .break_reading("commands/b.md")
      .put_node("commands/c.md", fs::NodeType::kOther)
      .put("commands/d.md", "---\ndescription: a\ndescription: b\n---\n");
  EXPECT_THAT(told(check_commands, next),
              ElementsAre("warning document.utf8 ~/.claude/commands/a.md:5",
                          "warning document.conflict_marker ~/.claude/commands/a.md:2",
                          "warning document.unreadable ~/.claude/commands/b.md",
                          "warning document.unreadable ~/.claude/commands/c.md",
                          "warning front_matter.duplicate_key ~/.claude/commands/d.md:3",
                          "information command.no_description ~/.claude/commands/a.md"));
}

TEST(AgentsCheck, NameAndDescriptionAreNeeded) {
  FakeTree next;
  next.put("agents/a.md", kGood)
      .put("agents/b.md", "No front matter\n")
      .put("agents/c.md", "---\nname: c\n---\n")
      .put("agents/d.md", "---\ndescription: d\nname: ''\n---\n")
      .put("agents/README.md", "About the agents\n");
  EXPECT_THAT(told(check_agents, next),
              ElementsAre("warning agent.no_front_matter ~/.claude/agents/b.md:1",
                          "warning agent.no_description ~/.claude/agents/c.md:1",
                          "warning agent.no_name ~/.claude/agents/d.md:1"));
}

TEST(AgentsCheck, OneNameInTwoFilesIsTold) {
  FakeTree next;
  next.put("agents/a.md", kGood)
      .put("agents/team/b.md", "---\nname: X\ndescription: d\n---\n")
      .put("project:agents/a.md", kGood);
  EXPECT_THAT(told(check_agents, next),
              ElementsAre("warning agent.duplicate ~/.claude/agents/team/b.md:2"));
  FakeTree present;
  present.put("agents/a.md", kGood);
  EXPECT_THAT(told(check_agents, next, &present),
              ElementsAre("warning agent.duplicate ~/.claude/agents/team/b.md:2"));
  EXPECT_THAT(told(check_agents, next, &next), IsEmpty());
}

TEST(SkillsCheck, EachDirectoryHoldsAGoodSkillFile) {
  FakeTree next;
  next.put("skills/a/SKILL.md", kGood)
      .put("skills/a/helper.py", "BAD")
      .put("skills/b/notes.md", "x")
      .put("skills/c/skill.md", kGood)
      .put("skills/d/SKILL.md", "# Title\n")
      .put("skills/e/SKILL.md", "---\nlicense: MIT\n---\n")
      .put("skills/group/f/SKILL.md", kGood)
      .put("skills/A/SKILL.md", kGood)
      .put("skills/README.md", "x");
  EXPECT_THAT(told(check_skills, next),
              ElementsAre("warning skill.duplicate ~/.claude/skills/a/SKILL.md",
                          "information skill.no_file ~/.claude/skills/b/notes.md",
                          "warning skill.no_file ~/.claude/skills/c/skill.md",
                          "warning skill.no_front_matter ~/.claude/skills/d/SKILL.md:1",
                          "warning skill.no_name ~/.claude/skills/e/SKILL.md:1",
                          "warning skill.no_description ~/.claude/skills/e/SKILL.md:1"));
}

}  // namespace
}  // namespace stravinsky::checks
