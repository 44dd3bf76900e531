#include "model/store_layout.h"

#include <gtest/gtest.h>

namespace stravinsky::model::layout {
namespace {

TEST(StoreLayout, LabelsAreRestricted) {
  for (const char* label : {"v0.3.8", "v0.3.9.pre_update", "before-experiment", "_x", "a+b"})
    EXPECT_TRUE(check_label(label)) << label;
  for (const char* label : {"", ".", "..", ".x", "-x", "a/b", "a b", "a\n", "\xc3\xa4",
                            "latest.json", "x.partial", "$(x)"})
    EXPECT_FALSE(check_label(label)) << label;
  EXPECT_TRUE(check_label(std::string(100, 'a')));
  EXPECT_FALSE(check_label(std::string(101, 'a')));
}

TEST(StoreLayout, TheLongestNumberedIdIsAnId) {
  EXPECT_TRUE(is_backup_id(numbered_id(std::string(100, 'a'), UINT64_MAX)));
}

TEST(StoreLayout, NumberedIdsMapBothWays) {
  const auto id = parse_numbered_id(numbered_id("v0.3.8", 17));
  ASSERT_TRUE(id);
  EXPECT_EQ(id->label, "v0.3.8");
  EXPECT_EQ(id->sequence, 17U);
  EXPECT_FALSE(parse_numbered_id("v0.3.x"));
  EXPECT_FALSE(parse_numbered_id("v0.3.08"));
  EXPECT_FALSE(parse_numbered_id("v0.3.99999999999999999999"));
}

TEST(StoreLayout, PartialBackupsAreNoBackups) {
  const std::string name(partial_backup("v0.3.8").name());
  EXPECT_EQ(name, ".v0.3.8.partial");
  EXPECT_EQ(parse_partial_backup(name), "v0.3.8");
  EXPECT_FALSE(is_backup_id(name));
  EXPECT_FALSE(is_backup_id("latest.json"));
  EXPECT_FALSE(is_backup_id("sequence.json"));
  EXPECT_FALSE(parse_partial_backup(".latest.json.partial"));
  EXPECT_FALSE(parse_partial_backup("..partial"));
}

TEST(StoreLayout, WhatIsSetAsideKeepsItsNameAndItsScope) {
  const std::string txid = "0123456789abcdef";
  const auto place = [&](Scope scope, const char* path) {
    const auto copy = conflict_copy(txid, {scope, fs::RelPath::of(path)});
    return copy ? copy->str() : copy.error().to_string();
  };
  const std::string home = "recovery/conflicts/" + txid + "/";
  EXPECT_EQ(place(Scope::kUser, "hooks/deep/x.py"), home + "hooks/deep/x.py");
  EXPECT_EQ(place(Scope::kProject, "hooks/deep/x.py"), home + "project_hooks/deep/x.py");
  EXPECT_EQ(place(Scope::kUser, "settings.json"), home + "settings.json");
  EXPECT_EQ(place(Scope::kProject, "settings.json"), home + "project_settings.json");
  // What settings name may be called as anything.
  EXPECT_EQ(place(Scope::kUser, "project_hooks/x.py"), home + "referenced/project_hooks/x.py");
}

TEST(StoreLayout, ReservedNamesAreKnown) {
  const std::string txid = "0123456789abcdef";
  for (const std::string& name : {stage_name(txid, 12), stash_name(txid, 0), rebuilt_name(txid, 3)})
    EXPECT_TRUE(is_reserved_name(name)) << name;
  EXPECT_NE(stage_name(txid, 1), stash_name(txid, 1));
  for (const char* name : {".rbk-", ".rbk-0123456789abcdef-", ".rbk-0123456789abcdef-o",
                           ".rbk-0123456789abcdeX-1", ".rbk-0123456789abcdef-1x", "x.py"})
    EXPECT_FALSE(is_reserved_name(name)) << name;
}

}  // namespace
}  // namespace stravinsky::model::layout
