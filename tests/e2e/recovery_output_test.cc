// What the three levels say, word for word; times and sizes of this run are replaced.
#include <gmock/gmock.h>

#include <regex>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

std::string without_times(std::string text) {
  text = std::regex_replace(text, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"), "TIME");
  text = std::regex_replace(text, std::regex(R"(\d+(\.\d+)? (ms|seconds))"), "DURATION");
  return std::regex_replace(text, std::regex(" +DURATION"), " DURATION");
}

// From the headline on: the steps before it are an update's, too.
std::string from_headline(const Ended& ended) {
  const std::string text = without_times(ended.out);
  const size_t at = text.find("\xE2\x9C\x85");
  return at == std::string::npos ? text : text.substr(at);
}

class RecoveryOutput : public ::testing::Test {
 protected:
  RecoveryOutput() {
    home_.install(1);
    home_.file(".claude/hooks/long.sh", hook(std::string(1500, '#')), 0755);
    home_.expect(0, {"backup", "create", "--label", "good"});
  }
  const Home home_;
};

TEST_F(RecoveryOutput, OfAFile) {
  home_.erase(".claude/hooks/long.sh");
  const std::string size = std::to_string(hook(std::string(1500, '#')).size());
  EXPECT_EQ(from_headline(home_.expect(0, {"recovery", "file", "~/.claude/hooks/long.sh"})),
            "\xE2\x9C\x85 File recovered: ~/.claude/hooks/long.sh\n"
            "   Source: backup good (TIME)\n"
            "   Restored " +
                size.substr(0, 1) + "," + size.substr(1) +
                " bytes\n"
                "1 added\n"
                "  ~/.claude/hooks/long.sh  from backup good\n"
                "Restart Claude Code so that running sessions see the change.\n"
                "Now at v1.0.0. To take it back: stravinsky rollback undo\n");
}

TEST_F(RecoveryOutput, OfADirectory) {
  home_.erase(".claude/commands");
  const std::string said =
      from_headline(home_.expect(0, {"recovery", "directory", "~/.claude/commands"}));
  EXPECT_THAT(said, ::testing::StartsWith("\xE2\x9C\x85 Directory recovered: ~/.claude/commands\n"
                                          "   Source: backup good (TIME)\n"
                                          "   Restored "));
  EXPECT_THAT(said, ::testing::ContainsRegex("   Restored [0-9]+ files?, [0-9]+ (bytes|KB)\n"));
}

TEST_F(RecoveryOutput, OfAVersion) {
  home_.file(".claude/hooks/long.sh", hook("worse"));
  EXPECT_EQ(from_headline(home_.expect(0, {"recovery", "version", "good"})),
            "\xE2\x9C\x85 Rollback successful!\n"
            "   From: v1.0.0\n"
            "   To:   v1.0.0\n"
            "   Source: backup good (TIME)\n"
            "   Created backup: v1.0.0.pre_rollback\n"
            "   Duration: DURATION\n"
            "\n"
            "1 changed\n"
            "  ~/.claude/hooks/long.sh\n"
            "Restart Claude Code so that running sessions see the change.\n"
            "Now at v1.0.0. To take it back: stravinsky rollback undo\n");
}

}  // namespace
}  // namespace stravinsky::e2e
