#include "store/snapshot.h"

#include <gtest/gtest.h>

#include "testing/mem_fs.h"

namespace stravinsky::store {
namespace {

using fs::NodeType;
using fs::RelPath;
using model::EntryState;
using model::Scope;

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() { disk_.make_dirs("/home/u/.claude"); }
  Snapshot take() {
    const auto roots = find_roots(disk_, roots_request_);
    EXPECT_TRUE(roots);
    request_.roots = *roots;
    auto snapshot = take_snapshot(disk_, request_);
    EXPECT_TRUE(snapshot) << snapshot.error().to_string();
    return snapshot ? std::move(*snapshot) : Snapshot{};
  }
  // "~/.claude/hooks/x.py" of everything that is not absent, and how it is kept.
  static std::vector<std::string> present(const Snapshot& snapshot) {
    std::vector<std::string> names;
    for (const TreeEntry& entry : snapshot.entries)
      if (entry.state != EntryState::kAbsent)
        names.push_back(entry.path.display() +
                        (entry.state == EntryState::kSkipped ? " (skipped)" : "") +
                        (entry.link_text.empty() ? "" : " -> " + entry.link_text) +
                        (entry.via_link.empty() ? "" : " via " + entry.via_link));
    return names;
  }
  std::string location(const Snapshot& snapshot, std::string_view path) {
    const TreeEntry* entry = snapshot.find({Scope::kUser, RelPath::of(path)});
    return entry == nullptr ? "none" : snapshot.location_of(*entry).absolute();
  }
  using Names = std::vector<std::string>;
  testing::MemFs disk_;
  RootsRequest roots_request_{.home = "/home/u", .working_directory = "/home/u/p"};
  SnapshotRequest request_{};

  void SetUp() override { disk_.make_dirs("/home/u/p"); }
};

TEST_F(SnapshotTest, AFreshInstallIsAListOfAbsentThings) {
  disk_.remove("/home/u/.claude");
  const Snapshot snapshot = take();
  EXPECT_EQ(present(snapshot), Names());
  const TreeEntry* hooks = snapshot.find({Scope::kUser, RelPath::of("hooks")});
  ASSERT_NE(hooks, nullptr);
  EXPECT_EQ(hooks->state, EntryState::kAbsent);
  EXPECT_EQ(snapshot.find({Scope::kProject, RelPath::of("hooks")}), nullptr);
}

TEST_F(SnapshotTest, BothScopesAndOnlyWhatIsManaged) {
  disk_.write_file("/home/u/.claude/hooks/x.py", "12345");
  disk_.make_dirs("/home/u/.claude/hooks/empty");
  disk_.write_file("/home/u/.claude/hooks/logs/a.log", "x");
  disk_.write_file("/home/u/.claude/hooks/__pycache__/x.pyc", "x");
  disk_.write_file("/home/u/.claude/settings.json", "{}");
  disk_.write_file("/home/u/.claude/.credentials.json", "secret");
  disk_.write_file("/home/u/.claude/projects/p/x.jsonl", "x");
  disk_.write_file("/home/u/.claude/notes.txt", "x");
  disk_.write_file("/home/u/p/.claude/commands/str/search.md", "x");
  const Snapshot snapshot = take();
  EXPECT_EQ(present(snapshot),
            (Names{"~/.claude/hooks", "~/.claude/hooks/empty", "~/.claude/hooks/x.py",
                   "~/.claude/settings.json", ".claude/commands", ".claude/commands/str",
                   ".claude/commands/str/search.md"}));
  EXPECT_EQ(snapshot.content_bytes(), 8U);
}

TEST_F(SnapshotTest, InnerLinksAreStoredAndNotFollowed) {
  disk_.symlink("/etc/passwd", "/home/u/.claude/hooks/p");
  disk_.symlink("nowhere", "/home/u/.claude/hooks/d");
  disk_.write_file("/etc/passwd", "root");
  EXPECT_EQ(present(take()), (Names{"~/.claude/hooks", "~/.claude/hooks/d -> nowhere",
                                    "~/.claude/hooks/p -> /etc/passwd"}));
}

TEST_F(SnapshotTest, TheUsersOwnTopLinksAreFollowedAndKept) {
  disk_.write_file("/home/u/dot/h/sub/x.py", "x");
  disk_.write_file("/home/u/dot/s.json", "{}");
  disk_.symlink("../dot/h", "/home/u/.claude/hooks");
  disk_.symlink("chain.json", "/home/u/.claude/settings.json");
  disk_.symlink("../dot/s.json", "/home/u/.claude/chain.json");
  const Snapshot snapshot = take();
  EXPECT_EQ(present(snapshot),
            (Names{"~/.claude/hooks via ../dot/h", "~/.claude/hooks/sub",
                   "~/.claude/hooks/sub/x.py", "~/.claude/settings.json via chain.json"}));
  EXPECT_EQ(snapshot.find({Scope::kUser, RelPath::of("hooks")})->stat.type, NodeType::kDirectory);
  EXPECT_EQ(location(snapshot, "hooks/sub/x.py"), "/home/u/dot/h/sub/x.py");
  EXPECT_EQ(location(snapshot, "hooks"), "/home/u/dot/h");
  EXPECT_EQ(location(snapshot, "settings.json"), "/home/u/dot/s.json");
}

TEST_F(SnapshotTest, LinksToNothingAndOutsideAreStoredAsLinks) {
  disk_.symlink("/home/u/nowhere", "/home/u/.claude/hooks");
  disk_.write_file("/srv/team/s.json", "{}");
  disk_.symlink("/srv/team/s.json", "/home/u/.claude/settings.json");
  EXPECT_EQ(present(take()), (Names{"~/.claude/hooks -> /home/u/nowhere",
                                    "~/.claude/settings.json -> /srv/team/s.json"}));
  request_.outside_links = OutsideLinks::kFollow;
  const Snapshot snapshot = take();
  EXPECT_EQ(location(snapshot, "settings.json"), "/srv/team/s.json");
  EXPECT_TRUE(
      snapshot.location_of(*snapshot.find({Scope::kUser, RelPath::of("settings.json")})).outside);
}

TEST_F(SnapshotTest, ADirectoryInPlaceOfAFileIsReported) {
  disk_.make_dirs("/home/u/.claude/settings.json");
  EXPECT_EQ(present(take()), (Names{"~/.claude/settings.json (skipped)"}));
}

TEST_F(SnapshotTest, ReferencedFilesAreThoseThatSettingsName) {
  disk_.write_file("/home/u/.claude/statusline.sh", "x");
  disk_.write_file("/home/u/.claude/scripts/a.sh", "x");
  disk_.write_file("/home/u/.claude/projects/p.sh", "x");
  disk_.write_file("/home/u/.claude/hooks/x.py", "x");
  for (const char* path : {"statusline.sh", "scripts/a.sh", "scripts/a.sh", "projects/p.sh",
                           "hooks/x.py", "absent.sh", "scripts"})
    request_.referenced.push_back({Scope::kUser, RelPath::of(path)});
  EXPECT_EQ(present(take()), (Names{"~/.claude/hooks", "~/.claude/hooks/x.py",
                                    "~/.claude/scripts/a.sh", "~/.claude/statusline.sh"}));
}

}  // namespace
}  // namespace stravinsky::store
