#include "model/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "codec/canonical_json.h"
#include "testing/case_step.h"

namespace stravinsky::model {
namespace {

Entry file_entry(Scope scope, std::string_view path, uint64_t offset) {
  return Entry{.component = component_of(fs::RelPath::of(path)),
               .path = {scope, fs::RelPath::of(path)},
               .mode = 0755,
               .uid = 1000,
               .gid = 1000,
               .mtime_ns = 1'700'000'000'123'456'789,
               .size_bytes = 3,
               .sha256 = codec::sha256("abc"),
               .offset = offset,
               .length = 100};
}

Manifest sample() {
  Manifest manifest;
  manifest.id = "v0.3.9.pre_update";
  manifest.sequence = 7;
  manifest.kind = BackupKind::kPreUpdate;
  manifest.version = Version::parse("0.3.9").value();
  manifest.previous_version = Version::parse("0.3.8").value();
  manifest.time_ns = 1'767'886'462'000'000'001;
  manifest.user_root = "/home/\xff/.claude";
  manifest.facts.system = "Linux-6.1-x86_64";
  manifest.user_modifications = {{"~/.claude/hooks/x.py", "user_modified", true}};
  const Component* hooks = find_component("hooks");
  const Component* settings = find_component("settings");
  manifest.files = {{.component = hooks,
                     .present = true,
                     .size_bytes = 500,
                     .sha256 = codec::sha256("archive"),
                     .files_count = 2},
                    {.component = settings, .present = false},
                    {.component = settings,
                     .scope = Scope::kProject,
                     .present = true,
                     .size_bytes = 3,
                     .sha256 = codec::sha256("abc")}};
  manifest.entries = {file_entry(Scope::kUser, "hooks/z.py", 100),
                      file_entry(Scope::kUser, "hooks/\xfe\n.py", 0),
                      {.component = settings,
                       .path = {Scope::kUser, fs::RelPath::of("settings.json")},
                       .state = EntryState::kAbsent},
                      file_entry(Scope::kProject, "settings.json", 0),
                      {.component = hooks,
                       .path = {Scope::kUser, fs::RelPath::of("hooks/pipe")},
                       .state = EntryState::kSkipped,
                       .type = fs::NodeType::kOther},
                      {.component = hooks,
                       .path = {Scope::kUser, fs::RelPath::of("hooks")},
                       .type = fs::NodeType::kDirectory,
                       .mode = 0700,
                       .via_link = "../dotfiles/hooks"}};
  normalise(manifest);
  return manifest;
}

// The text of value with a right digest.
std::string sealed(nlohmann::json value) {
  value.erase("digest");
  value["digest"] = codec::sha256(codec::canonical_json(value)).hex();
  return codec::canonical_json(value);
}

nlohmann::json parsed(const std::string& text) {
  return codec::parse_strict_json(text).value();
}

// The message of the refusal, empty when it is accepted.
std::string manifest_refusal(const std::string& text) {
  const auto manifest = parse_manifest(text);
  return manifest ? "" : manifest.error().to_string();
}

TEST(Manifest, IsCanonicalAndReadsBack) {
  const std::string text = manifest_text(sample());
  EXPECT_EQ(codec::canonical_json(parsed(text)), text);
  const auto back = parse_manifest(text);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(manifest_text(*back), text);
  EXPECT_EQ(back->user_root, "/home/\xff/.claude");
  const Entry* entry = back->find({Scope::kUser, fs::RelPath::of("hooks/\xfe\n.py")});
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->mtime_ns, 1'700'000'000'123'456'789);
  EXPECT_EQ(back->find({Scope::kUser, fs::RelPath::of("hooks")})->via_link, "../dotfiles/hooks");
  EXPECT_EQ(back->find({Scope::kProject, fs::RelPath::of("hooks")}), nullptr);
}

TEST(Manifest, HasTheDocumentedMembers) {
  const nlohmann::json value = parsed(manifest_text(sample()));
  EXPECT_EQ(value["version"], "0.3.9");
  EXPECT_EQ(value["timestamp"], "2026-01-08T15:34:22Z");
  EXPECT_EQ(value["python_version"], nullptr);
  EXPECT_EQ(value["backup_type"], "full");
  for (const char* key : {"path", "size_bytes", "sha256", "files_count", "timestamp"})
    EXPECT_TRUE(value["files"]["hooks"].contains(key)) << key;
  EXPECT_EQ(value["files"]["settings"]["present"], false);
  EXPECT_EQ(value["files"]["project_settings"]["path"], "project_settings.json");
  EXPECT_EQ(value["pre_update_state"]["previous_version"], "0.3.8");
  EXPECT_EQ(value["pre_update_state"]["user_modifications"][0]["status"], "user_modified");
  for (const char* key :
       {"all_files_readable", "disk_space_available", "permissions_verified", "no_locks_detected"})
    EXPECT_TRUE(value["integrity_checks"].contains(key)) << key;
}

TEST(Manifest, EverySingleFlippedBitIsNoticed) {
  const std::string text = manifest_text(sample());
  for (size_t i = 0; i < text.size(); i += testing::kCaseStep) {
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    EXPECT_NE(manifest_refusal(flipped), "") << "byte " << i;
  }
}

TEST(Manifest, EveryCutIsNoticed) {
  const std::string text = manifest_text(sample());
  for (size_t size = 0; size < text.size(); size += testing::kCaseStep)
    EXPECT_NE(manifest_refusal(text.substr(0, size)), "");
}

TEST(Manifest, ANewerFormatIsRefusedAsNewer) {
  nlohmann::json value = parsed(manifest_text(sample()));
  value["format_version"] = 2;
  value["entries"] = "whatever it is then";
  const auto manifest = parse_manifest(sealed(value));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(manifest.error().message.find("format version 2"), std::string::npos);
}

TEST(Manifest, WhatOnlyAnAttackerWritesIsRefused) {
  const nlohmann::json good = parsed(manifest_text(sample()));
  ASSERT_EQ(manifest_refusal(sealed(good)), "");
  const auto refused = [&](const char* pointer, nlohmann::json value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = std::move(value);
    return manifest_refusal(sealed(bad));
  };
  EXPECT_NE(refused("/entries/0/path", "../../etc/passwd"), "");
  EXPECT_NE(refused("/entries/0/path", "/etc/passwd"), "");
  EXPECT_NE(refused("/entries/0/path", "commands/x"), "");
  EXPECT_NE(refused("/entries/1/path", "hooks"), "");
  EXPECT_NE(refused("/entries/2/offset", 450), "");
  EXPECT_NE(refused("/entries/2/length", -1), "");
  EXPECT_NE(refused("/entries/2/mode", 040755), "");
  EXPECT_NE(refused("/entries/2/component", "nothing"), "");
  EXPECT_NE(refused("/entries/2/sha256", "00"), "");
  EXPECT_NE(refused("/entries/2/state", "fine"), "");
  EXPECT_NE(refused("/files/hooks/path", "../hooks.tar.gz"), "");
  EXPECT_NE(refused("/files/hooks/component", "commands"), "");
  EXPECT_NE(refused("/case_fold_duplicates", true), "");
  EXPECT_NE(refused("/id", "../x"), "");
  EXPECT_NE(refused("/version", "../x"), "");
  EXPECT_NE(refused("/entries", 3), "");
}

TEST(Manifest, NamesThatDifferOnlyInCaseAreAnnounced) {
  Manifest manifest = sample();
  manifest.entries.push_back(file_entry(Scope::kUser, "hooks/Z.py", 200));
  normalise(manifest);
  EXPECT_TRUE(manifest.case_fold_duplicates);
  EXPECT_EQ(manifest_refusal(manifest_text(manifest)), "");
}

TEST(Manifest, TheSameNameInBothScopesIsNoDuplicate) {
  Manifest manifest = sample();
  manifest.entries.push_back(file_entry(Scope::kProject, "hooks/z.py", 200));
  normalise(manifest);
  EXPECT_FALSE(manifest.case_fold_duplicates);
  EXPECT_EQ(manifest_refusal(manifest_text(manifest)), "");
}

}  // namespace
}  // namespace stravinsky::model
