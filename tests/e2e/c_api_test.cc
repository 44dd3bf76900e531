// include/stravinsky.h: compiled as C and as C++, run against the real program.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Dialect {
  std::string name;
  std::vector<std::string> compiler;
};

class CApi : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    home_.install(1);
    std::vector<std::string> argv = GetParam().compiler;
    const std::vector<std::string> more = {"-Wall",
                                           "-Wextra",
                                           "-Wpedantic",
                                           "-Werror",
                                           "-DSTRAVINSKY_PROGRAM=\"" STRAVINSKY_BINARY "\"",
                                           "-I" STRAVINSKY_SOURCE "/include",
                                           STRAVINSKY_SOURCE "/tests/e2e/c_api_client.c",
                                           "-o",
                                           home_.at("client")};
    argv.insert(argv.end(), more.begin(), more.end());
    const Ended compiled = home_.run_program(argv);
    ASSERT_EQ(compiled.exit, 0) << compiled.err;
  }
  Ended client(std::vector<std::string> args, const RunOptions& options = {}) const {
    args.insert(args.begin(), home_.at("client"));
    return home_.run_program(args, options);
  }
  std::string guard() const { return home_.at(".claude/hooks/guard.sh"); }

  Home home_;
};

TEST_P(CApi, WhatWasInstalledIsKeptAndCanBeTakenBack) {
  const Tree before = home_.tree();
  const Ended installed = client({"install", "2.0.0", guard(), hook("by itself")});
  EXPECT_EQ(installed.exit, 0) << installed.out << installed.err;
  EXPECT_EQ(installed.out, "0\nv2.0.0\n\n");
  EXPECT_EQ(home_.text(guard()), hook("by itself"));
  EXPECT_EQ(client({"status", "", "current_version"}).out, "0\nv2.0.0\n\n");
  EXPECT_EQ(client({"rollback"}).exit, 0);
  EXPECT_TRUE(same_tree(home_.tree(), before));
  EXPECT_THAT(client({"rollback", "7.0.0"}).out, StartsWith("5\n"));
}

TEST_P(CApi, WhatIsBrokenIsTakenBackAndSaysWhy) {
  const Tree before = home_.tree();
  const Ended installed = client({"install", "2.0.0", guard(), "#!/bin/bash\nif\n"});
  EXPECT_EQ(installed.exit, 1);
  EXPECT_THAT(installed.out, HasSubstr("guard.sh"));
  EXPECT_TRUE(same_tree(home_.tree(), before));
}

TEST_P(CApi, AnInstallerThatFailedIsTakenBackWithItsWords) {
  const Tree before = home_.tree();
  EXPECT_EQ(client({"begin", "2.0.0"}).exit, 0);
  home_.file(guard(), "half a fi");
  // Not an option, whatever it looks like.
  const Ended failed = client({"failed", "2.0.0", "auto_rolled_back", "--keep \"it\""});
  EXPECT_THAT(failed.out, StartsWith("1\ntrue\n"));
  EXPECT_THAT(failed.out, HasSubstr("--keep \"it\""));
  EXPECT_TRUE(same_tree(home_.tree(), before));
  EXPECT_THAT(client({"finish", "2.0.0"}).out, StartsWith("5\nno update was begun\n"));
}

TEST_P(CApi, OneThatWasKilledIsFoundAndFinishedByTheNext) {
  const Tree before = home_.tree();
  EXPECT_EQ(client({"die", "2.0.0", guard()}).exit, 128 + 9);
  EXPECT_EQ(client({"status", "", "begun_version"}).out, "0\n2.0.0\n\n");
  const Ended another = client({"begin", "3.0.0", "error.code"});
  EXPECT_THAT(another.out, StartsWith("4\nconflict\nan update to 2.0.0 was begun"));
  EXPECT_THAT(another.out, HasSubstr("stravinsky update finish 2.0.0 --failed"));
  EXPECT_EQ(client({"failed", "2.0.0"}).exit, 1);
  EXPECT_TRUE(same_tree(home_.tree(), before));
  EXPECT_EQ(client({"status", "", "begun_version"}).out, "0\n\n\n");
}

TEST_P(CApi, WhoIgnoresItsChildrenIsToldAllTheSame) {
  const RunOptions ignores{.env = {{"IGNORE_CHILDREN", "1"}}};
  const Ended installed = client({"install", "2.0.0", guard(), hook("by itself")}, ignores);
  EXPECT_EQ(installed.out, "0\nv2.0.0\n\n");
  EXPECT_THAT(client({"finish", "2.0.0"}, ignores).out, StartsWith("5\n"));
}

TEST_P(CApi, WrongArgumentsAreUsage) {
  EXPECT_THAT(client({"begin", "not a version"}).out, StartsWith("2\n"));
  EXPECT_THAT(client({"begin"}).out, StartsWith("2\n"));
  EXPECT_THAT(client({"begin", "--help"}).out, StartsWith("-2\n"));
}

TEST_P(CApi, ValuesAreReadOutOfJson) {
  const auto get = [&](const std::string& answer, const std::string& path, int bytes = 64) {
    return client({"get", answer, path, std::to_string(bytes)}).out;
  };
  const std::string answer =
      R"({"a": {"b": "x\"y\\\n\u001b/\/", "c": [1, {"z": "]"}]}, "ab": -1.5, "t":true,"e":"","n": null})";
  EXPECT_EQ(get(answer, "a.b"), "1 x\"y\\\n\x1b//\n");
  EXPECT_EQ(get(answer, "a.b", 4), "1 x\"y\n");
  EXPECT_EQ(get(answer, "ab"), "1 -1.5\n");
  EXPECT_EQ(get(answer, "t"), "1 true\n");
  EXPECT_EQ(get(answer, "e"), "1 \n");
  EXPECT_EQ(get(answer, "n"), "1 null\n");
  for (const char* absent : {"b", "a", "a.c", "a.z", "a.b.c", "abc", "x"})
    EXPECT_EQ(get(answer, absent), "0 \n") << absent;
  // What is cut anywhere is read no further than its end.
  for (const char* path : {"a.b", "ab", "n", "x"})
    EXPECT_EQ(client({"cuts", answer, path}).exit, 0) << path;
}

INSTANTIATE_TEST_SUITE_P(
    Dialects, CApi,
    ::testing::Values(Dialect{"C99", {"cc", "-std=c99", "-fsanitize=address,undefined"}},
                      Dialect{"Cxx17", {"c++", "-std=c++17", "-x", "c++"}}),
    [](const auto& dialect) { return dialect.param.name; });

TEST(CApiAbsent, AMissingProgramIsACodeOfItsOwn) {
  const Home home;
  for (const std::string program :
       {"no-such-stravinsky", "/no/such/stravinsky", "/etc/passwd", "false"}) {
    const Ended compiled = home.run_program(
        {"cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
         "-DSTRAVINSKY_PROGRAM=\"" + program + "\"", "-I" STRAVINSKY_SOURCE "/include",
         STRAVINSKY_SOURCE "/tests/e2e/c_api_client.c", "-o", home.at("client")});
    ASSERT_EQ(compiled.exit, 0) << compiled.err;
    const bool is_absent = program.find("no") != std::string::npos;
    const Ended ended = home.run_program({home.at("client"), "begin", "1.0.0", "ok"});
    EXPECT_THAT(ended.out, StartsWith(is_absent ? "-1\nstravinsky is not installed"
                                                : "-2\nstravinsky gave no answer"));
  }
}

}  // namespace
}  // namespace stravinsky::e2e
