#include "model/merge3.h"

#include <gtest/gtest.h>

#include <map>

#include "testing/case_step.h"
#include "testing/random_text.h"

namespace stravinsky::model {
namespace {

TEST(Merge3, WhatOneSideChangedIsTakenWhateverItIs) {
  const std::string bytes("\0\xFF\n", 3);
  EXPECT_EQ(merge3("a", "a", bytes).text, bytes);
  EXPECT_EQ(merge3("a", bytes, "a").text, bytes);
  EXPECT_EQ(merge3("a", bytes, bytes).text, bytes);
  EXPECT_EQ(merge3(bytes, bytes, "").text, "");
}

TEST(Merge3, LinesOfBothSidesAreInTheResult) {
  const TextMerge merge = merge3("one\ntwo\nthree\nfour\nfive\n", "ONE\ntwo\nthree\nfour\nfive\n",
                                 "one\ntwo\nthree\nfour\nFIVE\nsix\n");
  EXPECT_EQ(merge.text, "ONE\ntwo\nthree\nfour\nFIVE\nsix\n");
}

TEST(Merge3, LineEndsAndTheMissingLastOneStay) {
  EXPECT_EQ(merge3("a\r\nb\r\nc\r\nd", "A\r\nb\r\nc\r\nd", "a\r\nb\r\nc\r\nD").text,
            "A\r\nb\r\nc\r\nD");
}

TEST(Merge3, TheSameLinesAreAConflictAndNeverMarkers) {
  const TextMerge merge = merge3("a\nb\nc\n", "a\nmine\nc\n", "a\ntheirs\nc\n");
  EXPECT_FALSE(merge.text.has_value());
  EXPECT_EQ(merge.why, "the same lines were changed");
  EXPECT_FALSE(merge3("a\nb\n", "A\nb\n", "a\nB\n").text.has_value()) << "next to each other";
  EXPECT_FALSE(merge3("", "mine\n", "theirs\n").text.has_value()) << "both made it";
}

// Which of the equal lines is the new one nobody can tell, and merged again it would be
// another.
TEST(Merge3, WhatCanBePutTogetherInTwoWaysIsAConflict) {
  EXPECT_EQ(merge3("c\n", "c\nc\n", "a\nc\n").why, "the changes can be put together in two ways");
  const std::string far = "1\n2\n3\n";
  EXPECT_EQ(merge3("c\n" + far + "c\n", "c\n" + far + "c\nc\n", "a\nc\n" + far + "c\n").text,
            "a\nc\n" + far + "c\nc\n");
}

TEST(Merge3, BytesThatAreNoTextAreAConflict) {
  const std::string nul("a\nb\0\nc\n", 7);
  EXPECT_EQ(merge3("a\nb\nc\n", nul, "A\nb\nc\n").why, "it is no text");
}

TEST(Merge3, WhatIsTooLargeIsAConflict) {
  const std::string base(kMergeSizeMaxBytes, 'x');
  EXPECT_EQ(merge3(base, base + "\nmine\n", "theirs\n" + base).why, "it is too large to be merged");
  const std::string lines(kMergeLinesMax + 1, '\n');
  EXPECT_EQ(merge3(lines, lines + "mine\n", "theirs\n" + lines).why,
            "it is too large to be merged");
}

// With the smallest difference instead of any, this takes most of a minute.
TEST(Merge3, TextsThatHaveNothingInCommonAreNoTrap) {
  testing::SeededRandom random(1);
  const auto text = [&] {
    std::string lines;
    while (lines.size() < 2 * (kMergeLinesMax - 1)) lines += random.below(2) == 0 ? "a\n" : "b\n";
    return lines;
  };
  EXPECT_FALSE(merge3(text(), text(), text()).text.has_value());
}

TEST(Merge3, TheExecBitsAreThoseOfWhoChangedThem) {
  EXPECT_EQ(merge3_exec_bits(0644, 0644, 0755), 0111U);
  EXPECT_EQ(merge3_exec_bits(0755, 0755, 0644), 0U);
  EXPECT_EQ(merge3_exec_bits(0755, 0644, 0755), 0U);
  EXPECT_EQ(merge3_exec_bits(0644, 0700, 0644), 0100U);
  EXPECT_EQ(merge3_exec_bits(0755, 0700, 0755), 0111U) << "who may is not whether anybody may";
}

// --- properties, over random texts

std::map<std::string, int> count_lines(std::string_view text) {
  std::map<std::string, int> counts;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    ++counts[std::string(text.substr(0, end))];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return counts;
}

// As often as a side has more of a line than the base, the result has more of it.
void expect_no_line_lost(const std::string& base, const std::string& side,
                         const std::string& merged) {
  const auto in_base = count_lines(base);
  const auto in_side = count_lines(side);
  auto in_merged = count_lines(merged);
  for (const auto& [line, count] : in_side) {
    const auto known = in_base.find(line);
    if (known != in_base.end()) continue;
    ASSERT_GE(in_merged[line], count) << line;
  }
}

TEST(Merge3, PropertiesHoldForTenThousandTriples) {
  size_t merges = 0;
  size_t conflicts = 0;
  for (uint64_t seed = 1; seed <= 10'000; seed += testing::kCaseStep) {
    SCOPED_TRACE(seed);
    testing::RandomText random(seed);
    const auto lines = random.lines();
    const std::string base = random.join(lines);
    const std::string mine = random.join(random.edited(lines));
    const std::string theirs = random.join(random.edited(lines));
    ASSERT_EQ(merge3(base, base, theirs).text, theirs);
    ASSERT_EQ(merge3(base, mine, base).text, mine);
    ASSERT_EQ(merge3(base, mine, mine).text, mine);
    const TextMerge merge = merge3(base, mine, theirs);
    if (!merge.text) {
      ASSERT_NE(merge.why, "");
      ++conflicts;
      continue;
    }
    ASSERT_EQ(merge3(base, *merge.text, theirs).text, merge.text) << "again";
    ASSERT_EQ(merge3(theirs, *merge.text, theirs).text, merge.text) << "as the next update does";
    for (const std::string_view marker : {"<<<<<<<", "=======", ">>>>>>>", "|||||||"})
      ASSERT_EQ(merge.text->find(marker), std::string::npos);
    expect_no_line_lost(base, mine, *merge.text);
    expect_no_line_lost(base, theirs, *merge.text);
    if (HasFatalFailure()) return;
    if (*merge.text != mine && *merge.text != theirs) ++merges;
  }
  EXPECT_GT(merges, 1000U / testing::kCaseStep);
  EXPECT_GT(conflicts, 1000U / testing::kCaseStep);
}

}  // namespace
}  // namespace stravinsky::model
