#include "engine/hold.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::outcome;

std::vector<std::string> held_files(EngineFixture& e) {
  const auto text = e.disk().contents(std::string(EngineFixture::kStore) + "/hold.json");
  const auto object = nlohmann::json::parse(text.value_or("{\"files\": []}"));
  std::vector<std::string> files;
  for (const auto& file : object.at("files"))
    files.push_back(file.at("path").get<std::string>() +
                    (file.at("sha256").is_null() ? " absent" : ""));
  std::ranges::sort(files);
  return files;
}

TEST(Hold, ADirectoryThatGoesIsItsFilesAbsent) {
  EngineFixture e;
  e.file("hooks/mine.py", "mine\n");
  e.bundle("v1", {{"commands/deep/a.md", "1\n"}, {"commands/deep/er/b.md", "1\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(e.contents("commands/deep/a.md"), "<absent>");
  EXPECT_EQ(held_files(e), (std::vector<std::string>{"~/.claude/commands/deep/a.md absent",
                                                     "~/.claude/commands/deep/er/b.md absent"}));
}

TEST(Hold, NamesWhatCameBackAndWhatWent) {
  EngineFixture e;
  e.bundle("v1", {{"commands/deep/a.md", "1\n"}, {"hooks/a.py", "1\n"}});
  e.bundle("v2", {{"commands/other/b.md", "2\n"}, {"hooks/a.py", "2\n"}, {"hooks/b.py", "2\n"}});
  ASSERT_EQ(outcome(e.update("v1")), "ok");
  ASSERT_EQ(outcome(e.update("v2")), "ok");
  ASSERT_EQ(outcome(e.undo()), "ok");
  EXPECT_EQ(held_files(e),
            (std::vector<std::string>{"~/.claude/commands/deep/a.md",
                                      "~/.claude/commands/other/b.md absent",
                                      "~/.claude/hooks/a.py", "~/.claude/hooks/b.py absent"}));
}

}  // namespace
}  // namespace stravinsky::engine
