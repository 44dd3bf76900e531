#include "store/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "codec/tar_header.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using testing::outcome;

// Writes archives that no honest tool would.
class ArchiveBuilder {
 public:
  ArchiveBuilder() : writer_(archive_write_new()) {
    archive_write_add_filter_gzip(writer_);
    archive_write_set_format_pax(writer_);
    archive_write_set_bytes_in_last_block(writer_, 1);
    const auto append = [](archive*, void* client, const void* data, size_t size) {
      static_cast<std::string*>(client)->append(static_cast<const char*>(data), size);
      return static_cast<la_ssize_t>(size);
    };
    EXPECT_EQ(archive_write_open(writer_, &bytes_, nullptr, append, nullptr), ARCHIVE_OK);
  }
  ArchiveBuilder(const ArchiveBuilder&) = delete;
  ArchiveBuilder& operator=(const ArchiveBuilder&) = delete;
  ~ArchiveBuilder() { archive_write_free(writer_); }

  ArchiveBuilder& file(const std::string& name, const std::string& content = "x",
                       uint32_t mode = 0644) {
    return add(name, AE_IFREG, mode, content, {}, {});
  }
  ArchiveBuilder& node(const std::string& name, uint32_t type) {
    return add(name, type, 0644, {}, {}, {});
  }
  ArchiveBuilder& link(const std::string& name, const std::string& text) {
    return add(name, AE_IFLNK, 0777, {}, text, {});
  }
  ArchiveBuilder& hard_link(const std::string& name, const std::string& to) {
    return add(name, AE_IFREG, 0644, {}, {}, to);
  }
  std::string finish() {
    EXPECT_EQ(archive_write_close(writer_), ARCHIVE_OK);
    return bytes_;
  }

 private:
  ArchiveBuilder& add(const std::string& name, uint32_t type, uint32_t mode,
                      const std::string& content, const std::string& link,
                      const std::string& hard_link) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_mode(entry, type | mode);
    archive_entry_set_size(entry, static_cast<int64_t>(content.size()));
    if (!link.empty()) archive_entry_set_symlink(entry, link.c_str());
    if (!hard_link.empty()) archive_entry_set_hardlink(entry, hard_link.c_str());
    EXPECT_GE(archive_write_header(writer_, entry), ARCHIVE_WARN) << archive_error_string(writer_);
    if (!content.empty()) {
      EXPECT_EQ(archive_write_data(writer_, content.data(), content.size()),
                static_cast<la_ssize_t>(content.size()));
    }
    archive_entry_free(entry);
    return *this;
  }
  archive* writer_;
  std::string bytes_;
};

class BundleTest : public ::testing::Test {
 protected:
  Result<Bundle> open_archive(const std::string& bytes) {
    disk_.write_file("/in/b.tar.gz", bytes);
    return Bundle::open(disk_, "/in/b.tar.gz", {.limits = limits_});
  }
  Result<Bundle> open_dir() { return Bundle::open(disk_, "/in/b", {.limits = limits_}); }
  static std::vector<std::string> names(const Result<Bundle>& bundle) {
    if (!bundle) return {"error: " + bundle.error().to_string()};
    std::vector<std::string> all;
    for (const BundleFile& file : bundle->files()) all.push_back(file.path.str());
    return all;
  }
  using Names = std::vector<std::string>;
  testing::MemFs disk_;
  BundleLimits limits_;
};

TEST_F(BundleTest, EveryLayoutGivesTheSameTree) {
  const Names tree = {"commands/str/search.md", "hooks/x.py", "settings.json"};
  for (const std::string root : {"", ".claude/", "package/", "package/.claude/", "repo-1.0/",
                                 "repo-1.0/.claude/", "./", "./.claude/"}) {
    EXPECT_EQ(names(open_archive(ArchiveBuilder()
                                     .file(root + "hooks/x.py", "print(1)")
                                     .file(root + "commands/str/search.md")
                                     .file(root + "settings.json", "{}")
                                     .finish())),
              tree)
        << root;
    disk_.remove("/in");
    if (root.starts_with("./")) continue;
    for (const char* name : {"hooks/x.py", "commands/str/search.md", "settings.json"})
      disk_.write_file("/in/b/" + root + name, "x");
    EXPECT_EQ(names(open_dir()), tree) << root;
    disk_.remove("/in");
  }
}

TEST_F(BundleTest, ContentModeAndHashAreKept) {
  const auto bundle = open_archive(ArchiveBuilder().file("hooks/x.py", "print(1)", 0775).finish());
  ASSERT_TRUE(bundle);
  ASSERT_EQ(bundle->files().size(), 1U);
  const BundleFile& file = bundle->files()[0];
  EXPECT_EQ(file.mode, 0755U);
  EXPECT_EQ(file.size_bytes, 8U);
  EXPECT_EQ(file.sha256, codec::sha256("print(1)"));
  std::string content;
  ASSERT_TRUE(bundle->read(0, [&](std::span<const std::byte> piece) -> Status {
    content += as_text(piece);
    return {};
  }));
  EXPECT_EQ(content, "print(1)");
}

TEST_F(BundleTest, NamesThatAreNotAsciiComeThrough) {
  EXPECT_EQ(names(open_archive(ArchiveBuilder().file("hooks/\xc3\xa4.py").finish())),
            Names{"hooks/\xc3\xa4.py"});
}

TEST_F(BundleTest, WhatIsNeverManagedIsPassedOverAndNoted) {
  const auto bundle = open_archive(ArchiveBuilder()
                                       .file(".claude/hooks/x.py")
                                       .file(".claude/hooks/logs/a.log")
                                       .file(".claude/.credentials.json")
                                       .file(".claude/settings.local.json")
                                       .file(".claude/projects/p.jsonl")
                                       .file(".claude/statusline.sh")
                                       .file("README.md")
                                       .finish());
  EXPECT_EQ(names(bundle), Names{"hooks/x.py"});
  EXPECT_EQ(bundle->warnings().size(), 5U);
}

TEST_F(BundleTest, AFileThatItsSettingsNameBelongsToIt) {
  EXPECT_EQ(
      names(open_archive(ArchiveBuilder()
                             .file(".claude/settings.json",
                                   R"({"statusLine": {"command": "~/.claude/statusline.sh"}})")
                             .file(".claude/statusline.sh")
                             .file(".claude/other.sh")
                             .finish())),
      (Names{"settings.json", "statusline.sh"}));
}

TEST_F(BundleTest, NotesForTheAuthorsOfAPackageAreNotForTheUser) {
  EXPECT_EQ(names(open_archive(ArchiveBuilder().file("CLAUDE.md").file("hooks/x").finish())),
            Names{"hooks/x"});
  EXPECT_EQ(names(open_archive(
                ArchiveBuilder().file(".claude/CLAUDE.md").file(".claude/hooks/x").finish())),
            (Names{"CLAUDE.md", "hooks/x"}));
}

TEST_F(BundleTest, SetIdBitsAreRefused) {
  for (const uint32_t mode : {04755U, 02755U})
    EXPECT_EQ(outcome(open_archive(ArchiveBuilder().file("hooks/x", "x", mode).finish())),
              "corrupt");
}

TEST_F(BundleTest, HostileArchivesAreRefusedByName) {
  const auto refused = [&](ArchiveBuilder& builder, const char* name) {
    const auto bundle = open_archive(builder.file("hooks/good.py").finish());
    EXPECT_EQ(outcome(bundle), "corrupt") << name;
    if (bundle) return;
    EXPECT_NE(bundle.error().to_string().find(name), std::string::npos)
        << bundle.error().to_string();
  };
  refused(ArchiveBuilder().file("hooks/../../../etc/cron.d/x"), "etc/cron.d");
  refused(ArchiveBuilder().file("/etc/passwd"), "/etc/passwd");
  refused(ArchiveBuilder().link("hooks/l", "/etc/passwd"), "hooks/l");
  refused(ArchiveBuilder().link("hooks", "/etc"), "hooks");
  refused(ArchiveBuilder().file("hooks/a").hard_link("hooks/h", "hooks/a"), "hooks/h");
  refused(ArchiveBuilder().node("hooks/fifo", AE_IFIFO), "hooks/fifo");
  refused(ArchiveBuilder().node("hooks/dev", AE_IFCHR), "hooks/dev");
  refused(ArchiveBuilder().file("hooks/a").file("hooks/a"), "hooks/a");
  refused(ArchiveBuilder().file("hooks/a").file("hooks/A"), "in another case");
  refused(ArchiveBuilder().file("hooks/d").file("hooks/d/x"), "hooks/d");
  refused(ArchiveBuilder().file("hooks/" + std::string(300, 'n')), "nnn");
}

TEST_F(BundleTest, LimitsHold) {
  limits_ = {.files_max = 3, .file_max_bytes = 1000, .total_max_bytes = 1500};
  EXPECT_EQ(outcome(open_archive(ArchiveBuilder().file("hooks/a").file("b").file("c").finish())),
            "ok");
  EXPECT_EQ(outcome(open_archive(
                ArchiveBuilder().file("hooks/a").file("b").file("c").file("d").finish())),
            "corrupt");
  EXPECT_EQ(
      outcome(open_archive(ArchiveBuilder().file("hooks/a", std::string(1001, 'x')).finish())),
      "corrupt");
  EXPECT_EQ(outcome(open_archive(ArchiveBuilder()
                                     .file("hooks/a", std::string(1000, 'x'))
                                     .file("unwanted", std::string(1000, 'x'))
                                     .finish())),
            "corrupt");
  disk_.write_file("/in/b/hooks/a", std::string(1001, 'x'));
  EXPECT_EQ(outcome(open_dir()), "corrupt");
}

TEST_F(BundleTest, ABombIsRefusedBeforeItUnpacks) {
  limits_.ratio_free_bytes = 1U << 20U;
  const auto bundle =
      open_archive(ArchiveBuilder().file("hooks/bomb", std::string(8U << 20U, '\0')).finish());
  ASSERT_EQ(outcome(bundle), "corrupt");
  EXPECT_NE(bundle.error().message.find("times its size"), std::string::npos);
}

TEST_F(BundleTest, WhatIsNoArchiveOrCutIsRefused) {
  const std::string good =
      ArchiveBuilder().file("hooks/x.py", "some content that is not empty").finish();
  EXPECT_EQ(outcome(open_archive("")), "corrupt");
  EXPECT_EQ(outcome(open_archive("not an archive at all")), "corrupt");
  for (size_t size = 0; size + 8 < good.size(); ++size)
    EXPECT_NE(outcome(open_archive(good.substr(0, size))), "ok") << size;
  EXPECT_EQ(outcome(Bundle::open(disk_, "/in/absent.tar.gz")), "not_found");
  EXPECT_EQ(outcome(open_archive(ArchiveBuilder().file("README.md").finish())), "usage");
}

TEST_F(BundleTest, LinksInADirectoryAreRefused) {
  disk_.write_file("/in/b/.claude/hooks/x.py", "x");
  disk_.symlink("/etc/passwd", "/in/b/.claude/hooks/l");
  EXPECT_EQ(outcome(open_dir()), "corrupt");
  disk_.remove("/in");
  disk_.write_file("/elsewhere/hooks/x.py", "x");
  disk_.symlink("/elsewhere", "/in/b/.claude");
  EXPECT_EQ(outcome(open_dir()), "corrupt");
}

TEST_F(BundleTest, OnlyTheTreeOfACheckoutIsRead) {
  disk_.write_file("/in/b/.claude/hooks/x.py", "x");
  disk_.symlink("/nowhere", "/in/b/commands/unrelated");
  disk_.symlink("/nowhere", "/in/b/node_modules/rules/l");
  disk_.write_file("/in/b/src/hooks/y.py", "x");
  EXPECT_EQ(names(open_dir()), Names{"hooks/x.py"});
}

TEST_F(BundleTest, AnArchiveWithAnyBitOfItsEndFlippedIsRefused) {
  const std::string good = ArchiveBuilder().file("hooks/x", "content").finish();
  ASSERT_TRUE(open_archive(good));
  for (size_t bit = (good.size() - 8) * 8; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(outcome(open_archive(bad)), "corrupt") << bit;
  }
  EXPECT_TRUE(open_archive(good + std::string(512, '\0'))) << "padding is no damage";
}

// Each member is whole: only the blocks of zeros at the end tell that there are no more.
TEST_F(BundleTest, ATarWithoutItsEndIsRefused) {
  const auto tar = [](size_t end_bytes) {
    codec::ArchiveMember member;
    member.path = "hooks/x.py";
    member.size_bytes = 8;
    std::string bytes = codec::encode_tar_headers(member) + "print(1)";
    return bytes.append(codec::tar_padding(8), '\0').append(end_bytes, '\0');
  };
  EXPECT_EQ(names(open_archive(tar(1024))), Names{"hooks/x.py"});
  EXPECT_EQ(names(open_archive(tar(10240))), Names{"hooks/x.py"});
  for (const size_t end : {0U, 1U, 511U}) {
    const auto cut = open_archive(tar(end));
    ASSERT_EQ(outcome(cut), "corrupt") << end;
    EXPECT_EQ(cut.error().message.starts_with("the archive is cut"), end == 0) << end;
  }
}

// As in a directory: what lies beside the tree is nobody's concern.
TEST_F(BundleTest, LinksOutsideTheTreeOfAnArchiveAreIgnored) {
  EXPECT_EQ(names(open_archive(ArchiveBuilder()
                                   .file(".claude/hooks/x.py")
                                   .link("u/README", "/etc/passwd")
                                   .link("commands", "/nowhere")
                                   .hard_link("h", ".claude/hooks/x.py")
                                   .node("fifo", AE_IFIFO)
                                   .link(".claude/projects/p", "/etc")
                                   .finish())),
            Names{"hooks/x.py"});
  EXPECT_EQ(
      outcome(open_archive(
          ArchiveBuilder().file(".claude/hooks/x.py").link(".claude/deep/er", "/etc").finish())),
      "corrupt");
  EXPECT_EQ(
      outcome(open_archive(ArchiveBuilder().file("hooks/x.py").link(".claude", "/etc").finish())),
      "corrupt");
}

TEST_F(BundleTest, WhatLiesBesideANamedScriptBelongsToIt) {
  const std::string settings =
      R"({"hooks": {"Stop": [{"hooks": [{"command": "bash ~/.claude/scripts/run.sh"}]}]},
          "statusLine": {"command": "~/.claude/line.sh"}})";
  for (const std::string root : {".claude/", ""})
    EXPECT_EQ(names(open_archive(ArchiveBuilder()
                                     .file(root + "settings.json", settings)
                                     .file(root + "commands/c.md")
                                     .file(root + "scripts/run.sh")
                                     .file(root + "scripts/deep/lib.sh")
                                     .file(root + "scripts/key.pem")
                                     .file(root + "line.sh")
                                     .file(root + "lib.sh")
                                     .file(root + "other/x.sh")
                                     .finish())),
              (Names{"commands/c.md", "line.sh", "scripts/deep/lib.sh", "scripts/run.sh",
                     "settings.json"}))
        << root;
}

TEST_F(BundleTest, AnNpmPackageIsKnownByItsPackageJson) {
  disk_.write_file("/in/b/commands/c.md", "x");
  disk_.write_file("/in/b/.claude-plugin/plugin.json", R"({"name": "p", "version": "0.2.0"})");
  disk_.write_file("/in/b/package.json", R"({"name": "@a/p", "version": "0.3.0"})");
  const auto version = [&](const BundleOptions& options) {
    const auto bundle = Bundle::open(disk_, "/in/b", options);
    EXPECT_EQ(bundle->warnings().size(), 1U);
    EXPECT_NE(bundle->warnings()[0].find("package.json says"), std::string::npos);
    EXPECT_NE(bundle->warnings()[0].find("plugin.json says"), std::string::npos);
    return bundle->version()->str();
  };
  EXPECT_EQ(version({}), "0.2.0");
  EXPECT_EQ(version({.first = FirstMetadata::kPackage}), "0.3.0");
  EXPECT_EQ(version({.version = *model::Version::parse("9.9.9")}), "9.9.9");
}

TEST_F(BundleTest, TheVersionIsThatOfThePackage) {
  const auto version = [&](const char* file, const std::string& text) -> std::string {
    const auto bundle = open_archive(ArchiveBuilder()
                                         .file("package/.claude/hooks/x")
                                         .file("package/" + std::string(file), text)
                                         .finish());
    if (!bundle) return bundle.error().to_string();
    return bundle->version() ? bundle->version()->str() : "none";
  };
  EXPECT_EQ(version("package.json", R"({"name": "x", "version": "0.3.9"})"), "0.3.9");
  EXPECT_EQ(version(".claude-plugin/plugin.json", R"({"version": "v1.2"})"), "1.2");
  EXPECT_EQ(
      version("pyproject.toml", "[tool.x]\nversion = \"9\"\n[project]\nversion = \"0.4.2\"\n"),
      "0.4.2");
  EXPECT_EQ(version("package.json", R"({"version": "../../x"})"), "none");
  EXPECT_EQ(version("package.json", "{"), "none");
  EXPECT_EQ(version("README.md", ""), "none");
}

}  // namespace
}  // namespace stravinsky::store
