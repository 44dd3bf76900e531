// Every fuzz target, fed with its seeds and with what once broke it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz_target.h"

namespace stravinsky::fuzz {
namespace {

namespace files = std::filesystem;

std::vector<files::path> seeds_in(const files::path& directory) {
  std::vector<files::path> seeds;
  if (!files::exists(directory)) return seeds;
  for (const auto& entry : files::directory_iterator(directory))
    if (entry.is_regular_file() && entry.path().extension() != ".py") seeds.push_back(entry.path());
  std::ranges::sort(seeds);
  return seeds;
}

std::string read(const files::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class FuzzSeeds : public ::testing::TestWithParam<NamedTarget> {};

TEST_P(FuzzSeeds, BreakNothing) {
  const NamedTarget& target = GetParam();
  const files::path tests = STRAVINSKY_TESTS_DIR;
  std::vector<files::path> seeds = seeds_in(tests / "fuzz/corpus" / target.name);
  // The hostile inputs that have tests by name are seeds as well.
  for (const files::path& seed : seeds_in(tests / "corpus" / target.name)) seeds.push_back(seed);
  EXPECT_FALSE(seeds.empty()) << "a target without a seed";
  target.run("");
  for (const files::path& seed : seeds) {
    SCOPED_TRACE(seed.filename());
    target.run(read(seed));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzSeeds, ::testing::ValuesIn(targets()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(FuzzParts, AreCutAtTheirLines) {
  using Texts = std::vector<std::string_view>;
  EXPECT_EQ(parts("a\n%%\nb\n%%\nc", 2), (Texts{"a", "b\n%%\nc"}));
  EXPECT_EQ(parts("a", 3), (Texts{"a", "", ""}));
  EXPECT_EQ(parts("\n%%\n\n%%\nc"), (Texts{"", "", "c"}));
}

}  // namespace
}  // namespace stravinsky::fuzz
