#include "engine/fetch_npm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/engine_fixture.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::outcome;

class FetchNpm : public ::testing::Test {
 protected:
  FetchNpm() : session_(e_.open(e_.disk()).value()) {}

  Result<std::string> fetch(uint64_t size_max_bytes = 100) {
    return fetch_npm(*session_, NpmPackage{.name = "@scope/name", .version = "1.2.3"},
                     size_max_bytes);
  }
  // As npm does: writes the tarball to where it was told.
  void npm_writes(const std::string& bytes) {
    e_.processes().answer("npm", [this, bytes](const ProcessRequest& request) {
      for (const std::string& word : request.argv)
        if (word.starts_with(kDestination))
          e_.disk().write_file(word.substr(kDestination.size()) + "/scope-name-1.2.3.tgz", bytes);
      return Result<ProcessResult>(ProcessResult{});
    });
  }
  void npm_fails(const std::string& errors) {
    e_.processes().answer(
        "npm", ProcessResult{.exit_code = 1, .timed_out = false, .output = {}, .errors = errors});
  }
  std::vector<std::string> staged() {
    std::vector<std::string> names;
    for (const auto& [path, node] : e_.disk().snapshot(kStaging))
      if (path.find("fetch-") != std::string::npos) names.push_back(path);
    return names;
  }

  static constexpr std::string_view kDestination = "--pack-destination=";
  static constexpr const char* kStaging = "/home/u/.stravinsky/rollback/recovery/staging";
  testing::EngineFixture e_;
  std::unique_ptr<Session> session_;
};

TEST(NpmPackage, NamesThatTheRegistryCanHave) {
  const auto parts = [](std::string_view source) {
    const auto package = NpmPackage::parse(source);
    return package ? package->name + " " + package->version
                   : std::string(code_name(package.error().code));
  };
  EXPECT_EQ(parts("npm:cc-sdd"), "cc-sdd latest");
  EXPECT_EQ(parts("npm:cc-sdd@2.0.3"), "cc-sdd 2.0.3");
  EXPECT_EQ(parts("npm:@scope/name"), "@scope/name latest");
  EXPECT_EQ(parts("npm:@scope/name@next"), "@scope/name next");
  for (const char* bad : {"npm:",
                          "npm:-rf",
                          "npm:--registry=http://x",
                          "npm:../x",
                          "npm:./x",
                          "npm:/etc/passwd",
                          "npm:a/b",
                          "npm:@a",
                          "npm:@/b",
                          "npm:@a/",
                          "npm:@a/b/c",
                          "npm:.hidden",
                          "npm:_x",
                          "npm:Name With Space",
                          "npm:x@",
                          "npm:x@--ignore",
                          "npm:x@../y",
                          "npm:x@file:y",
                          "npm:git+ssh://x",
                          "npm:https://x",
                          "npm:x\n",
                          "npm:x@1 2",
                          "npm:node_modules",
                          "npm:@a/-b",
                          "npm:x;reboot",
                          "npm:$(id)"})
    EXPECT_EQ(parts(bad), "usage") << bad;
}

TEST_F(FetchNpm, TheTarballIsReadAndNothingStays) {
  npm_writes("tarball");
  EXPECT_EQ(fetch().value(), "tarball");
  EXPECT_TRUE(staged().empty());
  const ProcessRequest& request = e_.processes().requests().back();
  EXPECT_THAT(request.argv, Contains("--ignore-scripts"));
  EXPECT_EQ(request.argv[request.argv.size() - 2], "--");
  EXPECT_EQ(request.argv.back(), "@scope/name@1.2.3");
  EXPECT_GT(request.timeout_ms, 0);
}

TEST_F(FetchNpm, OnlyWhatNpmNeedsIsHandedOn) {
  e_.variable("https_proxy", "http://proxy").variable("SECRET", "x");
  npm_writes("tarball");
  ASSERT_TRUE(fetch());
  EXPECT_EQ(e_.processes().requests().back().environment,
            (std::vector<std::pair<std::string, std::string>>{{"https_proxy", "http://proxy"}}));
}

TEST_F(FetchNpm, LeftoversOfAKilledRunAreSwept) {
  e_.disk().write_file(std::string(kStaging) + "/fetch-0123/x.tgz", "half");
  npm_writes("tarball");
  ASSERT_TRUE(fetch());
  EXPECT_TRUE(staged().empty());
}

TEST_F(FetchNpm, EachFailureSaysWhatItIs) {
  EXPECT_EQ(outcome(fetch()), "unsupported") << "no npm";
  const auto fails = [&](const std::string& errors) -> std::string {
    npm_fails(errors);
    const auto got = fetch();
    EXPECT_TRUE(staged().empty());
    return got ? "ok" : std::string(outcome(got)) + ": " + got.error().message;
  };
  EXPECT_THAT(fails("npm error code E404"), HasSubstr("not_found: npm knows no such package"));
  EXPECT_THAT(fails("npm error code ETARGET"), HasSubstr("not_found: npm knows no such package"));
  EXPECT_THAT(fails("npm error code ENOTFOUND"), HasSubstr("io: npm cannot reach the registry"));
  EXPECT_THAT(fails("npm error code EINTEGRITY"), HasSubstr("corrupt: "));
  EXPECT_THAT(fails("npm error code E401 token=secret"), HasSubstr("permission: "));
  EXPECT_EQ(fails("token=secret"), "io: npm failed with exit code 1");
  e_.processes().answer(
      "npm", ProcessResult{.exit_code = 137, .timed_out = true, .output = {}, .errors = {}});
  EXPECT_THAT(fetch().error().message, HasSubstr("did not finish in 120 seconds"));
  e_.processes().answer("npm", ProcessResult{});
  EXPECT_THAT(fetch().error().message, HasSubstr("left no file"));
  npm_writes(std::string(101, 'x'));
  EXPECT_EQ(outcome(fetch()), "corrupt");
}

TEST_F(FetchNpm, ADryRunFetchesOutsideTheStore) {
  npm_writes("tarball");
  e_.processes().answer("rm", ProcessResult{});
  SessionRequest request;
  request.mode = RunMode::kDryRun;
  const auto dry = e_.open(e_.disk(), request);
  const NpmPackage package{.name = "x", .version = "latest"};
  EXPECT_EQ(outcome(fetch_npm(**dry, package, 100)), "io") << "no mktemp";
  e_.processes().answer("mktemp",
                        ProcessResult{.output = "/tmp/stravinsky-fetch-1\n", .errors = {}});
  EXPECT_EQ(fetch_npm(**dry, package, 100).value(), "tarball");
  EXPECT_EQ(e_.processes().requests().back().argv,
            (std::vector<std::string>{"rm", "-rf", "--", "/tmp/stravinsky-fetch-1"}));
  EXPECT_TRUE(staged().empty());
}

TEST(NpmPackage, OnlyAWholeVersionIsExact) {
  const auto exact = [](const char* version) {
    const auto found = NpmPackage{.name = "x", .version = version}.exact_version();
    return found ? found->str() : "none";
  };
  EXPECT_EQ(exact("1.2.3"), "1.2.3");
  EXPECT_EQ(exact("v1.2.3-rc.1"), "1.2.3-rc.1");
  for (const char* other : {"latest", "1", "1.2", "1.x", "1.2.x", "next", "1..3"})
    EXPECT_EQ(exact(other), "none") << other;
}

}  // namespace
}  // namespace stravinsky::engine
