// status and rollback list speak of the trees that they are asked about, and of no other.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kStatus{"status", "--json"};

// Two projects beside the home's own tree; version 1 is installed in the first.
struct Projects : Home {
  Projects() {
    dir("a/.claude");
    dir("b/.claude");
    make_bundle("p1", {{"hooks/guard.sh", hook("1")}, {"commands/deep/a.md", "1\n"}});
    make_bundle("p2", {{"hooks/guard.sh", hook("2")}});
    install_in("a", "1");
  }
  void install_in(std::string_view project, const std::string& version) const {
    expect(0, {"update", version + ".0.0", "--from", bundle("p" + version), "--scope", "project"},
           in(project));
  }
  RunOptions in(std::string_view directory) const { return {.directory = at(directory)}; }
};

TEST(Status, AnotherProjectsFilesAreNoDriftHere) {
  const Projects home;
  for (const char* elsewhere : {"", "b"}) {
    const json status = home.expect(0, kStatus, home.in(elsewhere)).json();
    EXPECT_EQ(status["drift"], json::array()) << elsewhere;
    EXPECT_EQ(status["undo"], 0) << elsewhere;
  }
  home.erase("a/.claude/hooks/guard.sh");
  const json there = home.expect(0, kStatus, home.in("a")).json();
  EXPECT_EQ(there["undo"], 1);
  ASSERT_EQ(there["drift"].size(), 1U);
  EXPECT_EQ(there["drift"][0]["path"], ".claude/hooks/guard.sh");
}

TEST(Status, DriftIsSinceTheLastChangeHereNotAnywhere) {
  const Projects home;
  home.install_in("b", "1");
  home.erase("a/.claude/hooks/guard.sh");
  EXPECT_EQ(home.expect(0, kStatus, home.in("a")).json()["drift"].size(), 1U);
  EXPECT_EQ(home.expect(0, kStatus, home.in("b")).json()["drift"].size(), 0U);
}

TEST(Status, AnotherConfigurationDirectoryIsAnotherTree) {
  const Home home;
  const RunOptions one{.env = {{"CLAUDE_CONFIG_DIR", home.at("one")}}};
  const RunOptions two{.env = {{"CLAUDE_CONFIG_DIR", home.at("two")}}};
  // Its hooks would have to be named by that directory: ~/.claude is another one.
  const std::string bundle = home.make_bundle("plain", {{"commands/x.md", "x\n"}});
  home.expect(0, {"update", "1.0.0", "--from", bundle}, one);
  const json status = home.expect(0, kStatus, two).json();
  EXPECT_EQ(status["drift"], json::array());
  EXPECT_EQ(status["undo"], 0);
}

TEST(Status, OffersAnUndoOnlyWhereThereIsOne) {
  const Projects home;
  EXPECT_THAT(home.expect(0, {"status"}, home.in("a")).out, HasSubstr("rollback undo"));
  EXPECT_THAT(home.expect(0, {"status"}, home.in("b")).out, Not(HasSubstr("rollback undo")));
  home.expect(5, {"rollback", "undo"}, home.in("b"));
}

TEST(Status, SaysTheProjectsVersion) {
  const Projects home;
  EXPECT_EQ(home.expect(0, kStatus, home.in("a")).json()["project_version"], "v1.0.0");
  EXPECT_EQ(home.expect(0, kStatus, home.in("b")).json()["project_version"], "unknown");
  EXPECT_THAT(home.expect(0, {"status"}, home.in("a")).out, HasSubstr("a/.claude (v1.0.0)\n"));
}

TEST(Status, SaysThatThereIsNoTree) {
  const Home home;
  EXPECT_EQ(home.expect(0, kStatus).json()["user_root_exists"], true);
  home.erase(".claude");
  EXPECT_THAT(home.expect(0, {"status"}).out, HasSubstr(".claude (does not exist)\n"));
  EXPECT_EQ(home.expect(0, kStatus).json()["user_root_exists"], false);
}

TEST(RollbackList, CountsWhatUndoAndRedoWouldFindHere) {
  const Projects home;
  home.expect(0, {"rollback", "undo"}, home.in("a"));
  home.install_in("a", "2");
  home.expect(0, {"rollback", "undo"}, home.in("a"));
  const json there = home.expect(0, {"rollback", "list", "--json"}, home.in("a")).json();
  EXPECT_EQ(there["undo"], 0) << "the first one is undone";
  EXPECT_EQ(there["redo"], 1) << "a new update ended what could be done again";
  const json elsewhere = home.expect(0, {"rollback", "list", "--json"}, home.in("b")).json();
  EXPECT_EQ(elsewhere["undo"], 0);
  EXPECT_EQ(elsewhere["redo"], 0);
  EXPECT_THAT(home.expect(0, {"rollback", "list"}).out, HasSubstr("0 to undo, 0 to redo"));
}

}  // namespace
}  // namespace stravinsky::e2e
