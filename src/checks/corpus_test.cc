// The corpus of broken trees, tests/corpus/checks/*.case: each names the rules that it
// must trip, and trips no others.
//
//   # what is wrong
//   expect blocking hook.missing        one line a rule; none: nothing is found
//   present empty                       there is a present tree without files
//   === next settings.json              a file of the tree as it would be
//   === present hooks/a.py 0755         of the present one; "both": of the two
//   === next project:x escaped broken   \n, \r, \t, \xNN and \{N*TEXT} are replaced;
//                                       reading it fails; "dir", "other", "dangling" (a
//                                       link): no file
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "base/process_runner.h"
#include "base/strings.h"
#include "checks/run_checks.h"
#include "testing/fake_tree.h"

namespace stravinsky::checks {
namespace {

using testing::FakeTree;

const std::filesystem::path kSource = STRAVINSKY_SOURCE_DIR;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string replaced(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char kind = text[++i];
    if (kind == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else if (kind == '{') {
      const size_t star = text.find('*', i);
      const size_t end = text.find('}', star + 2);  // the text is not empty and may be "}"
      const std::string piece = text.substr(star + 1, end - star - 1);
      for (int n = std::stoi(text.substr(i + 1, star - i - 1)); n > 0; --n) out += piece;
      i = end;
    } else {
      out += kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : kind;
    }
  }
  return out;
}

struct Case {
  std::set<std::string> expected;
  FakeTree next;
  FakeTree present;
  bool has_present = false;
};

void put(FakeTree& tree, const std::string& path, const std::vector<std::string>& flags,
         std::string body) {
  const auto has = [&](const char* flag) { return std::ranges::find(flags, flag) != flags.end(); };
  if (has("dir")) return void(tree.put_node(path, fs::NodeType::kDirectory));
  if (has("dangling")) return void(tree.put_dangling(path));
  if (has("other")) return void(tree.put_node(path, fs::NodeType::kOther));
  uint32_t mode = 0644;
  for (const std::string& flag : flags)
    if (flag.starts_with('0')) mode = static_cast<uint32_t>(std::stoul(flag, nullptr, 8));
  if (has("escaped")) body = replaced(body);
  tree.put(path, std::move(body), mode);
  if (has("broken")) tree.break_reading(path);
}

Case read_case(const std::string& text) {
  Case one;
  std::string head;
  std::string body;
  const auto close = [&] {
    if (head.empty()) return;
    std::istringstream words(head);
    std::string tree;
    std::string path;
    words >> tree >> path;
    std::vector<std::string> flags;
    for (std::string word; words >> word;) {
      constexpr std::array<std::string_view, 5> kFlags = {"escaped", "broken", "dir", "other",
                                                          "dangling"};
      if (word.starts_with('0') || std::ranges::find(kFlags, word) != kFlags.end())
        flags.push_back(word);
      else
        path += " " + word;
    }
    const bool escaped = std::ranges::find(flags, "escaped") != flags.end();
    if (escaped && body.ends_with('\n')) body.pop_back();
    if (tree != "present") put(one.next, path, flags, body);
    if (tree != "next") put(one.present, path, flags, body);
    one.has_present = one.has_present || tree != "next";
    body.clear();
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      close();
      head = line.substr(4);
    } else if (!head.empty()) {
      body += line + "\n";
    } else if (line.starts_with("expect ")) {
      one.expected.insert(line.substr(7));
    } else if (line == "present empty") {
      one.has_present = true;
    } else {
      EXPECT_TRUE(line.starts_with("# ")) << line;
    }
  }
  close();
  return one;
}

std::vector<std::filesystem::path> cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/corpus/checks"))
    if (entry.path().extension() == ".case") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

TEST(Corpus, EachTreeTripsTheRulesThatItNamesAndNoOthers) {
  size_t broken = 0;
  size_t good = 0;
  for (const auto& file : cases()) {
    const Case one = read_case(text_of(file));
    std::set<std::string> found;
    std::string all;
    SourceJudge judge(system_process_runner());
    for (const Finding& finding : run_checks({.next = one.next,
                                              .present = one.has_present ? &one.present : nullptr,
                                              .judge = judge})) {
      found.insert(std::string(severity_name(finding.severity)) + " " + finding.rule);
      all += finding.to_string() + "\n";
      EXPECT_FALSE(finding.check.empty());
      EXPECT_TRUE(is_valid_utf8(finding.to_string() + finding.remedy));
    }
    EXPECT_EQ(found, one.expected) << file.stem() << "\n" << all;
    const bool is_good = file.stem().string().starts_with("good-");
    EXPECT_EQ(is_good, std::ranges::none_of(one.expected,
                                            [](const std::string& rule) {
                                              return !rule.starts_with("information command");
                                            }))
        << file.stem();
    ++(is_good ? good : broken);
  }
  EXPECT_GE(broken, 60U);
  EXPECT_GE(good, 6U);
}

}  // namespace
}  // namespace stravinsky::checks
