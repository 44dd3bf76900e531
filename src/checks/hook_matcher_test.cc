#include "checks/hook_matcher.h"

#include <gtest/gtest.h>

namespace stravinsky::checks {
namespace {

TEST(HookMatcher, MatchersInUsePass) {
  for (const char* good :
       {"", "*", "Bash", "Edit|Write|MultiEdit", "mcp__memory__.*", "Notebook.*", ".*", "^Bash$",
        "mcp__.*__write.*", "Bash(Output)?", "(Edit|Write)", "startup|resume", "[A-Z]\\w+?",
        "a{2,3}", "x[*+?]y", "(?:Task|Agent)", "(?<!Web)Fetch", "mcp__(github|gitlab)__.*", "a-b"})
    EXPECT_FALSE(matcher_fault(good, MatcherSubject::kTool)) << good;
  EXPECT_FALSE(matcher_fault("bash", MatcherSubject::kOther));
  EXPECT_FALSE(matcher_fault(std::string(50'000'000, 'a'), MatcherSubject::kTool));
}

TEST(HookMatcher, WhatCannotMatchIsNamed) {
  for (const char* bad :
       {"Bash(", "Bash)", "[Bash", "*Bash", "Edit|*", "a**", "(?P<x>a)", "Bash\\", "(", "[\\]", "+",
        "Bash(git push:*)", "Edit(src/**)", "bash", "edit|Write", "WEBFETCH"})
    EXPECT_TRUE(matcher_fault(bad, MatcherSubject::kTool)) << bad;
  EXPECT_TRUE(matcher_fault(std::string(1'000'000, '('), MatcherSubject::kTool));
}

TEST(HookMatcher, SaysNothingOfThePattern) {
  EXPECT_FALSE(matcher_fault("(secret", MatcherSubject::kTool)->contains("secret"));
}

}  // namespace
}  // namespace stravinsky::checks
