// Broken updates: refused before anything changes, or taken back by themselves.
#include <gmock/gmock.h>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

const Variables kWithoutChecksBefore{{"STRAVINSKY_UPDATE_PRE_UPDATE_CHECKS_ENABLED", "false"}};

class Broken : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    home_.install(1);
    before_ = home_.tree();
  }
  std::vector<std::string> update() const {
    return {"update", "2.0.0", "--from", home_.bundle(GetParam())};
  }
  std::string reason() const {
    return GetParam() == std::string("broken") ? "hooks/guard.sh" : "hooks/absent.sh";
  }

  const Home home_;
  Tree before_;
};

TEST_P(Broken, IsRefusedBeforeAnythingChanges) {
  const Ended refused = home_.expect(3, update());
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  EXPECT_THAT(refused.out + refused.err, HasSubstr(reason()));
  EXPECT_THAT(home_.text(home_.store("audit/operations.log")), HasSubstr("UPDATE_BLOCKED"));
}

TEST_P(Broken, IsTakenBackWhenItWentLive) {
  const Ended taken_back = home_.expect(1, update(), {.env = kWithoutChecksBefore});
  EXPECT_TRUE(same_tree(home_.tree(), before_));
  EXPECT_THAT(taken_back.out + taken_back.err, HasSubstr(reason()));
  EXPECT_THAT(taken_back.out + taken_back.err, HasSubstr("The tree is the old one again (v1.0.0)"));
  const std::string log = home_.text(home_.store("audit/operations.log"));
  EXPECT_THAT(log, HasSubstr("UPDATE_FAILED"));
  EXPECT_THAT(log, HasSubstr("INITIATING_AUTO_ROLLBACK"));
  EXPECT_THAT(log, HasSubstr("AUTO_ROLLBACK_SUCCESS"));
  EXPECT_EQ(home_.litter(), std::vector<std::string>());
}

TEST_P(Broken, StaysWithTheUndoCommandWhenAutoRollbackIsOff) {
  RunOptions options{.env = kWithoutChecksBefore};
  options.env["STRAVINSKY_AUTO_ROLLBACK"] = "false";
  const Ended left = home_.expect(1, update(), options);
  EXPECT_TRUE(home_.exists(".claude/hooks/audit.sh")) << "the new tree stays";
  EXPECT_THAT(left.out + left.err, HasSubstr("stravinsky rollback undo"));
  home_.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home_.tree(), before_));
}

TEST_P(Broken, LeavesNoInstalledState) {
  home_.expect(1, update(), {.env = kWithoutChecksBefore});
  EXPECT_THAT(home_.expect(0, {"status"}).out, HasSubstr("1.0.0"));
  home_.expect(1, update(), {.env = kWithoutChecksBefore});  // tried again, not skipped
  home_.install(2);
  EXPECT_EQ(home_.text(".claude/hooks/audit.sh"), hook("audit of version 2"));
  home_.expect(0, {"rollback", "undo"});
  EXPECT_TRUE(same_tree(home_.tree(), before_));
}

INSTANTIATE_TEST_SUITE_P(Bundles, Broken, ::testing::Values("broken", "missing"),
                         [](const auto& one) { return std::string(one.param); });

TEST(BrokenBundle, SettingsThatAreNoJsonAreRefused) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  Files files = package(2);
  files.back().second = "{\n  \"hooks\": {,\n}\n";
  const Ended refused =
      home.expect(3, {"update", "2.0.0", "--from", home.make_bundle("bad json", files)});
  EXPECT_THAT(refused.out + refused.err, HasSubstr("2"));  // the line
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(BrokenBundle, LinksAndEscapesAreRefused) {
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  home.make_bundle("link", package(2));
  home.link("bundles/link/.claude/hooks/passwd.sh", "/etc/passwd");
  EXPECT_NE(home.run({"update", "2.0.0", "--from", home.bundle("link")}).exit, 0);

  home.make_bundle("up", package(2));
  home.file("bundles/up.txt", "escaped\n");
  const Ended tar = home.run_program({"tar", "czPf", home.at("up.tgz"), "--transform",
                                      "s,.*up.txt,.claude/hooks/../../../../escaped.txt,", "-C",
                                      home.bundle("up"), ".claude", home.at("bundles/up.txt")});
  ASSERT_EQ(tar.exit, 0) << tar.err;
  EXPECT_NE(home.run({"update", "2.0.0", "--from", home.at("up.tgz")}).exit, 0);
  EXPECT_FALSE(home.exists("escaped.txt"));
  EXPECT_FALSE(home.exists("../escaped.txt"));

  home.file("cut.tgz", home.text("up.tgz").substr(0, 200));
  EXPECT_NE(home.run({"update", "2.0.0", "--from", home.at("cut.tgz")}).exit, 0);
  home.file("noise.tgz", "this is no archive at all\n");
  EXPECT_NE(home.run({"update", "2.0.0", "--from", home.at("noise.tgz")}).exit, 0);
  EXPECT_TRUE(same_tree(home.tree(), before));
}

}  // namespace
}  // namespace stravinsky::e2e
