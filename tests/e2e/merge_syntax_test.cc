// Lines of both sides that fit together as lines and not as a program: a conflict like
// any other, never a reason to refuse the whole update.
#include <gmock/gmock.h>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A file of a package, and what the user makes of it: each parses, both merged do not.
struct Clash {
  std::string_view name;
  std::string base;
  std::string mine;
  std::string theirs;
};

const std::string kGap = "# 1\n# 2\n# 3\n# 4\n";
const std::string kMoreGap = "# 5\n# 6\n# 7\n# 8\n";

std::vector<Clash> clashes() {
  const std::string shell = "#!/bin/bash\n";
  return {
      // The user takes an "if" away, and the new version gives it an "else".
      {"hooks/guard.sh", shell + "if true; then\n" + kGap + ":\n" + kGap + "fi\nexit 0\n",
       shell + kGap + ":\n" + kGap + "exit 0\n",
       shell + "if true; then\n" + kGap + ":\nelse\n:\n" + kGap + "fi\nexit 0\n"},
      // What must stand first, behind what the other side puts there.
      {"hooks/guard.py", "'''Text'''\n" + kGap + "print()\n",
       "'''Text'''\n" + kGap + "from __future__ import annotations\nprint()\n",
       "'''Text'''\nimport os\n" + kGap + "print()\n"},
      // Its language is known from the settings alone.
      {"hooks/guard", "'''Text'''\n" + kGap + "print()\n",
       "'''Text'''\n" + kGap + "from __future__ import annotations\nprint()\n",
       "'''Text'''\nimport os\n" + kGap + "print()\n"},
      // Brackets that the user takes away, and the new version closes and opens between.
      {"skills/s/data.json", "[\n[\n1,\n2,\n3,\n4,\n5,\n6\n]\n]\n", "[\n1,\n2,\n3,\n4,\n5,\n6\n]\n",
       "[\n[\n1,\n2,\n3\n],[\n4,\n5,\n6\n]\n]\n"},
      // A line that is a text between quotes, and nothing without them.
      {"agents/a.md", "---\nname: a\ndescription: \"d\n" + kGap + kMoreGap + "  end\"\n---\nText\n",
       "---\nname: a\ndescription: d\n" + kGap + kMoreGap + "model: m\n---\nText\n",
       "---\nname: a\ndescription: \"d\n" + kGap + "- [\n" + kMoreGap + "  end\"\n---\nText\n"},
  };
}

// Another file of the same package, which the update changes.
Files package_of(const Clash& clash, const std::string& text, const std::string& number) {
  return {{std::string(clash.name), text},
          {"commands/watch.md", "# Watch " + number + "\n"},
          {"settings.json", R"({"hooks": {"Stop": [{"hooks": [
              {"type": "command", "command": "python3 ~/.claude/hooks/guard"}]}]}})"}};
}

// Version 1 is installed and edited, version 2 is a bundle.
struct Edited : Home {
  explicit Edited(const Clash& clash) : path(".claude/" + std::string(clash.name)) {
    Files first = package_of(clash, clash.base, "1");
    Files second = package_of(clash, clash.theirs, "2");
    if (clash.name != "hooks/guard") {  // the settings would name what is not there
      first.pop_back();
      second.pop_back();
    }
    make_bundle("one", first);
    make_bundle("two", second);
    expect(0, {"update", "1.0.0", "--from", bundle("one")});
    file(path, clash.mine);
  }
  Ended update(int exit, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> args = {"update", "2.0.0", "--from", bundle("two")};
    args.insert(args.end(), options.begin(), options.end());
    return expect(exit, args);
  }

  std::string path;
};

std::string kept_copy(const Home& home, const Ended& update) {
  const size_t at = update.err.find("recovery/conflicts/");
  if (at == std::string::npos) return "<not told>";
  return home.text(home.store(update.err.substr(at, update.err.find('\n', at) - at)));
}

TEST(MergeSyntax, WhatWouldNotParseIsAConflict) {
  for (const Clash& clash : clashes()) {
    SCOPED_TRACE(clash.name);
    const Edited home(clash);
    const Tree before = home.tree();
    const Ended update = home.update(0);
    EXPECT_EQ(home.text(home.path), clash.mine);
    EXPECT_THAT(update.out, HasSubstr("1 in conflict"));
    EXPECT_THAT(update.out, HasSubstr("both together"));
    EXPECT_EQ(kept_copy(home, update), clash.theirs);
    EXPECT_EQ(home.text(".claude/commands/watch.md"), "# Watch 2\n") << "the rest is updated";
    home.expect(0, {"rollback", "undo"});
    EXPECT_TRUE(same_tree(home.tree(), before));
  }
}

TEST(MergeSyntax, ThePolicyDecides) {
  for (const Clash& clash : clashes()) {
    SCOPED_TRACE(clash.name);
    const Edited home(clash);
    const Tree before = home.tree();
    for (const char* policy : {"fail", "ask"}) {  // there is no terminal
      const Ended refused = home.update(4, {"--conflict", policy});
      EXPECT_THAT(refused.err, HasSubstr(std::string(clash.name)));
      EXPECT_THAT(refused.err, HasSubstr("Nothing was changed."));
      EXPECT_TRUE(same_tree(home.tree(), before));
    }
    EXPECT_THAT(home.update(0, {"--dry-run"}).out, HasSubstr("1 in conflict"));
    EXPECT_TRUE(same_tree(home.tree(), before));
    const Ended taken = home.update(0, {"--conflict", "take-theirs"});
    EXPECT_EQ(home.text(home.path), clash.theirs);
    EXPECT_EQ(kept_copy(home, taken), clash.mine);
  }
}

TEST(MergeSyntax, AFileThatTheUserHadBrokenDoesNotStopAnUpdate) {
  const Clash clash = clashes()[0];
  const Edited home(clash);
  home.file(home.path, clash.base + "fi\n");
  const Ended update = home.update(0);
  EXPECT_EQ(home.text(home.path), clash.base + "fi\n");
  EXPECT_EQ(kept_copy(home, update), clash.theirs);
}

TEST(MergeSyntax, AFileThatTheNewVersionBreaksIsRefusedAsEver) {
  Clash clash = clashes()[0];
  clash.mine = "#!/bin/bash\n# mine\n" + clash.base.substr(clash.base.find('\n') + 1);
  clash.theirs = clash.base + "fi\n";
  const Edited home(clash);
  const Tree before = home.tree();
  EXPECT_THAT(home.update(3).err, HasSubstr("hooks/guard.sh"));
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(MergeSyntax, WhatParsesIsMerged) {
  Clash clash = clashes()[0];
  clash.mine = "#!/bin/bash\n# mine\n" + clash.base.substr(clash.base.find('\n') + 1);
  const Edited home(clash);
  const Ended update = home.update(0);
  EXPECT_THAT(home.text(home.path), HasSubstr("# mine\n"));
  EXPECT_THAT(home.text(home.path), HasSubstr("else\n"));
  EXPECT_THAT(update.out, Not(HasSubstr("conflict")));
}

}  // namespace
}  // namespace stravinsky::e2e
