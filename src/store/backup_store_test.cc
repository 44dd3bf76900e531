#include "store/backup_store.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "fs/file.h"
#include "store/backup_id.h"
#include "store/backup_reader.h"
#include "testing/fake_clock.h"
#include "testing/forwarding_fs.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"
#include "testing/trace_fs.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;
using model::Scope;
using testing::outcome;

constexpr std::string_view kStore = "/home/u/.stravinsky/rollback";

std::string in_store(std::string_view path) {
  return std::string(kStore) + "/" + std::string(path);
}

class BackupStoreTest : public ::testing::Test {
 protected:
  BackupStoreTest() {
    disk_.make_dirs("/home/u/p");
    disk_.write_file("/home/u/.claude/hooks/x.py", "print(1)\n", 0755);
    disk_.write_file("/home/u/.claude/commands/str/search.md", "# search\n");
    disk_.write_file("/home/u/.claude/settings.json", "{\"env\": {}}");
    disk_.write_file("/home/u/p/.claude/hooks/p.py", "print(2)\n");
    auto opened = StoreDir::open(disk_, std::string(kStore), 1000, IfAbsent::kCreate);
    EXPECT_TRUE(opened);
    dir_.emplace(std::move(*opened));
    store_.emplace(*dir_, clock_);
    request_.version = model::Version::parse("0.3.8").value();
  }

  Result<CreatedBackup> try_create(const std::string& label) {
    auto roots = find_roots(disk_, {.home = "/home/u", .working_directory = "/home/u/p"});
    if (!roots) return roots.error();
    auto snapshot = take_snapshot(disk_, {.roots = *roots});
    if (!snapshot) return snapshot.error();
    request_.label = label;
    return store_->create(*snapshot, request_);
  }
  model::Manifest create(const std::string& label) {
    auto created = try_create(label);
    EXPECT_TRUE(created) << created.error().to_string();
    return created ? created->manifest : model::Manifest{};
  }
  std::string content(const std::string& id, Scope scope, std::string_view path) {
    const auto reader = BackupReader::open(*dir_, id);
    if (!reader) return "error: " + reader.error().to_string();
    const model::Entry* entry = reader->manifest().find({scope, RelPath::of(path)});
    if (entry == nullptr) return "no entry";
    const auto text = reader->read_text(*entry, 1 << 20);
    return text ? *text : "error: " + text.error().to_string();
  }
  std::vector<std::string> problems(const std::string& id, VerifyDepth depth) {
    std::vector<std::string> texts;
    const auto found = store_->verify(id, depth, 2);
    EXPECT_TRUE(found);
    if (found)
      for (const BackupProblem& problem : *found) texts.push_back(to_string(problem));
    return texts;
  }
  uint64_t inode(const std::string& path) {
    return disk_.snapshot(in_store(path)).at(in_store(path)).inode;
  }
  void flip_byte(const std::string& path, size_t at) {
    std::string bytes = disk_.contents(in_store(path)).value();
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
    disk_.write_file(in_store(path), bytes, 0600);
  }

  testing::MemFs disk_;
  testing::FakeClock clock_;
  std::optional<StoreDir> dir_;
  std::optional<BackupStore> store_;
  BackupRequest request_;
};

TEST_F(BackupStoreTest, HoldsBothScopesAndByteExactSettings) {
  const model::Manifest manifest = create("v0.3.8");
  EXPECT_EQ(manifest.id, "v0.3.8");
  EXPECT_EQ(manifest.project_root, "/home/u/p/.claude");
  EXPECT_EQ(disk_.contents(in_store("backups/v0.3.8/settings.json")), "{\"env\": {}}");
  for (const char* name : {"hooks.tar.gz", "commands.tar.gz", "manifest.json"})
    EXPECT_TRUE(disk_.contents(in_store("backups/v0.3.8/") + name)) << name;
  EXPECT_EQ(content("v0.3.8", Scope::kUser, "hooks/x.py"), "print(1)\n");
  EXPECT_EQ(content("v0.3.8", Scope::kProject, "hooks/p.py"), "print(2)\n");
  EXPECT_EQ(content("v0.3.8", Scope::kUser, "settings.json"), "{\"env\": {}}");
  const model::Entry* hook = manifest.find({Scope::kUser, RelPath::of("hooks/x.py")});
  EXPECT_EQ(hook->mode, 0755U);
  EXPECT_EQ(manifest.find({Scope::kProject, RelPath::of("settings.json")})->state,
            model::EntryState::kAbsent);
  const model::StoredFile* hooks =
      manifest.find_file(*model::find_component("hooks"), Scope::kUser);
  EXPECT_EQ(hooks->files_count, 2U);
  EXPECT_EQ(hooks->directories_count, 2U);
  EXPECT_EQ(problems("v0.3.8", VerifyDepth::kFull), std::vector<std::string>());
}

TEST_F(BackupStoreTest, EverythingInItIsPrivate) {
  create("v0.3.8");
  for (const auto& [path, node] : disk_.snapshot(kStore)) EXPECT_EQ(node.mode & 077U, 0U) << path;
}

TEST_F(BackupStoreTest, AFreshInstallGivesABackupOfAbsence) {
  disk_.remove("/home/u/.claude");
  disk_.remove("/home/u/p/.claude");
  const model::Manifest manifest = create("fresh");
  EXPECT_EQ(manifest.find({Scope::kUser, RelPath::of("hooks")})->state, model::EntryState::kAbsent);
  EXPECT_TRUE(disk_.contents(in_store("backups/fresh/hooks.tar.gz")));
  EXPECT_EQ(problems("fresh", VerifyDepth::kFull), std::vector<std::string>());
}

TEST_F(BackupStoreTest, SpecialFilesBrokenSettingsAndOddNamesAreKept) {
  disk_.write_file("/home/u/.claude/settings.json", "{ broken");
  disk_.write_file("/home/u/.claude/hooks/\xff\n -x", "odd");
  disk_.symlink("/etc/passwd", "/home/u/.claude/hooks/link");
  disk_.make_dirs("/home/u/.claude/hooks/empty", 0700);
  const model::Manifest manifest = create("odd");
  EXPECT_EQ(content("odd", Scope::kUser, "settings.json"), "{ broken");
  EXPECT_EQ(content("odd", Scope::kUser, "hooks/\xff\n -x"), "odd");
  EXPECT_EQ(manifest.find({Scope::kUser, RelPath::of("hooks/link")})->link_text, "/etc/passwd");
  EXPECT_EQ(manifest.find({Scope::kUser, RelPath::of("hooks/empty")})->mode, 0700U);
  EXPECT_EQ(problems("odd", VerifyDepth::kFull), std::vector<std::string>());
}

TEST_F(BackupStoreTest, IdsAreNeverUsedTwice) {
  EXPECT_EQ(create("v0.3.8").id, "v0.3.8");
  EXPECT_EQ(create("v0.3.8").id, "v0.3.8.2");
  EXPECT_EQ(create("other").id, "other");
  ASSERT_TRUE(store_->remove("v0.3.8.2"));
  ASSERT_TRUE(store_->remove("v0.3.8"));
  EXPECT_EQ(create("v0.3.8").id, "v0.3.8.4");
  ASSERT_TRUE(store_->remove("v0.3.8.4"));
  // "v0.3.8" of label "v0.3.8.4" would be the id that was just deleted.
  EXPECT_EQ(create("v0.3.8.4").id, "v0.3.8.4.5");
}

TEST_F(BackupStoreTest, ALostSequenceIsRebuiltFromWhatIsThere) {
  create("a");
  create("a");
  for (const char* bytes : {"", "{", "{\"format_version\":1}", "[]"}) {
    disk_.write_file(in_store("backups/sequence.json"), bytes, 0600);
    const auto before = store_->list()->backups.back().sequence;
    const model::Manifest manifest = create("a");
    EXPECT_EQ(manifest.id, "a." + std::to_string(manifest.sequence));
    EXPECT_GT(manifest.sequence, before);
  }
  disk_.write_file(in_store("backups/sequence.json"), "{\"format_version\":2}", 0600);
  EXPECT_EQ(outcome(try_create("a")), "unsupported");
}

TEST_F(BackupStoreTest, ADamagedSequenceGivesNoIdThatWasEverGiven) {
  create("a");
  create("gone");
  ASSERT_TRUE(store_->remove("gone"));
  std::string text = disk_.contents(in_store("backups/sequence.json")).value();
  text.replace(text.find("labels"), 6, "lab\x65\x6cz");
  disk_.write_file(in_store("backups/sequence.json"), text, 0600);
  const auto created = try_create("gone");
  ASSERT_TRUE(created) << created.error().to_string();
  EXPECT_NE(created->manifest.id, "gone");
  EXPECT_GE(created->manifest.sequence, BackupIds::kGap);
  ASSERT_EQ(created->warnings.size(), 1U);
  EXPECT_EQ(disk_.contents(in_store("recovery/damaged/sequence.json.1")).value(), text);
  EXPECT_TRUE(create("other").id.starts_with("other."));  // for ever
  EXPECT_TRUE(try_create("a")->warnings.empty());
}

TEST_F(BackupStoreTest, ALostSequenceCountsWhatOthersKnow) {
  create("a");
  ASSERT_TRUE(fs::remove_tree(disk_, dir_->fd(), RelPath::of("backups/sequence.json")));
  request_.known_elsewhere = [] { return std::vector<std::string>{"b.70000"}; };
  EXPECT_GT(create("c").sequence, 70000U);
}

TEST_F(BackupStoreTest, ASequenceThatIsNoFileIsMovedAside) {
  create("a");
  ASSERT_TRUE(fs::remove_tree(disk_, dir_->fd(), RelPath::of("backups/sequence.json")));
  disk_.write_file(in_store("backups/sequence.json/kept"), "mine\n");
  EXPECT_EQ(outcome(try_create("a")), "ok");
  EXPECT_TRUE(disk_.contents(in_store("recovery/damaged/sequence.json.1/kept")));
}

TEST_F(BackupStoreTest, AVersionWhoseOnlyBackupHasADamagedManifestIsDamagedNotAbsent) {
  for (const char* label : {"v0.3.8", "mine"}) {
    create(label);
    const std::string path = in_store("backups/" + std::string(label) + "/manifest.json");
    std::string text = disk_.contents(path).value();
    text.insert(1, " ");
    disk_.write_file(path, text, 0600);
    const auto found = store_->find("0.3.8");
    ASSERT_EQ(outcome(found), "corrupt") << label;
    EXPECT_NE(found.error().to_string().find(label), std::string::npos);
    ASSERT_TRUE(store_->remove(label));
    EXPECT_EQ(outcome(store_->find("0.3.8")), "not_found");
  }
}

TEST_F(BackupStoreTest, BadLabelsAreRefusedBeforeAnythingIsWritten) {
  const auto before = disk_.snapshot(kStore);
  for (const char* label : {"", "../x", ".hidden", "a b", "latest.json"})
    EXPECT_EQ(outcome(try_create(label)), "usage") << label;
  EXPECT_EQ(testing::difference(before, disk_.snapshot(kStore)), "");
}

TEST_F(BackupStoreTest, AnUnchangedComponentIsAHardLink) {
  create("a");
  EXPECT_EQ(create("b").type, model::BackupType::kIncremental);
  EXPECT_EQ(inode("backups/a/hooks.tar.gz"), inode("backups/b/hooks.tar.gz"));
  EXPECT_EQ(problems("b", VerifyDepth::kFull), std::vector<std::string>());
  disk_.write_file("/home/u/.claude/hooks/x.py", "print(3)\n", 0755);
  create("c");
  EXPECT_NE(inode("backups/b/hooks.tar.gz"), inode("backups/c/hooks.tar.gz"));
  EXPECT_EQ(inode("backups/b/commands.tar.gz"), inode("backups/c/commands.tar.gz"));
  EXPECT_EQ(content("c", Scope::kUser, "hooks/x.py"), "print(3)\n");
  EXPECT_EQ(content("c", Scope::kProject, "hooks/p.py"), "print(2)\n");
  EXPECT_EQ(content("b", Scope::kUser, "hooks/x.py"), "print(1)\n");
}

TEST_F(BackupStoreTest, AModeOrANameAloneIsAChange) {
  create("a");
  disk_.set_mode("/home/u/.claude/hooks/x.py", 0644);
  EXPECT_EQ(create("b").find({Scope::kUser, RelPath::of("hooks/x.py")})->mode, 0644U);
  EXPECT_NE(inode("backups/a/hooks.tar.gz"), inode("backups/b/hooks.tar.gz"));
  disk_.remove("/home/u/p/.claude/hooks/p.py");
  create("c");
  EXPECT_EQ(content("c", Scope::kProject, "hooks/p.py"), "no entry");
  EXPECT_EQ(problems("c", VerifyDepth::kFull), std::vector<std::string>());
}

TEST_F(BackupStoreTest, EveryFifthBackupSharesNothing) {
  for (const char* label : {"a", "b", "c", "d", "e"}) create(label);
  EXPECT_EQ(inode("backups/c/hooks.tar.gz"), inode("backups/d/hooks.tar.gz"));
  EXPECT_NE(inode("backups/d/hooks.tar.gz"), inode("backups/e/hooks.tar.gz"));
  EXPECT_EQ(store_->load_manifest("e")->type, model::BackupType::kFull);
}

TEST_F(BackupStoreTest, ADamagedArchiveIsNotSharedAndIsReported) {
  create("a");
  flip_byte("backups/a/hooks.tar.gz", 40);
  const auto created = try_create("b");
  ASSERT_TRUE(created);
  EXPECT_EQ(created->damaged, std::vector<std::string>{"hooks.tar.gz of a"});
  EXPECT_EQ(problems("b", VerifyDepth::kFull), std::vector<std::string>());
  EXPECT_EQ(content("b", Scope::kUser, "hooks/x.py"), "print(1)\n");
}

TEST_F(BackupStoreTest, VerifyListsEveryProblem) {
  create("a");
  flip_byte("backups/a/hooks.tar.gz", 40);
  flip_byte("backups/a/settings.json", 3);
  disk_.remove(in_store("backups/a/commands.tar.gz"));
  EXPECT_EQ(problems("a", VerifyDepth::kQuick).size(), 3U);
  EXPECT_GE(problems("a", VerifyDepth::kFull).size(), 3U);
}

TEST_F(BackupStoreTest, EveryFlippedByteOfABackupIsNoticed) {
  create("a");
  for (const char* name : {"hooks.tar.gz", "settings.json"}) {
    const std::string path = std::string("backups/a/") + name;
    const size_t size = disk_.contents(in_store(path))->size();
    for (size_t at = 0; at < size; ++at) {
      flip_byte(path, at);
      EXPECT_NE(problems("a", VerifyDepth::kQuick).size(), 0U) << name << " byte " << at;
      flip_byte(path, at);
    }
  }
  EXPECT_EQ(problems("a", VerifyDepth::kFull), std::vector<std::string>());
}

TEST_F(BackupStoreTest, DamagedContentIsNeverHandedOutAsGood) {
  create("a");
  flip_byte("backups/a/settings.json", 3);
  EXPECT_TRUE(content("a", Scope::kUser, "settings.json").starts_with("error"));
  disk_.remove(in_store("backups/a/hooks.tar.gz"));
  EXPECT_TRUE(content("a", Scope::kUser, "hooks/x.py").starts_with("error"));
}

TEST_F(BackupStoreTest, AVersionIsItsNewestSoundBackupAndAnIdIsItself) {
  create("v0.3.8");
  create("v0.3.8");
  request_.version = model::Version::parse("0.3.10").value();
  create("v0.3.10");
  EXPECT_EQ(store_->find("v0.3.8").value(), "v0.3.8.2");
  EXPECT_EQ(store_->find("0.3.8").value(), "v0.3.8.2");
  EXPECT_EQ(store_->find("v0.3.8.2").value(), "v0.3.8.2");
  EXPECT_EQ(store_->find("0.3.10").value(), "v0.3.10");
  flip_byte("backups/v0.3.8.2/settings.json", 0);
  EXPECT_EQ(store_->find("v0.3.8").value(), "v0.3.8");
  EXPECT_EQ(store_->find("v0.3.8.2").value(), "v0.3.8.2");
  flip_byte("backups/v0.3.8/settings.json", 0);
  EXPECT_EQ(outcome(store_->find("v0.3.8")), "corrupt");
}

TEST_F(BackupStoreTest, WhatIsNotThereIsNamedWithWhatIs) {
  create("v0.3.8");
  const auto found = store_->find("0.9.9");
  ASSERT_EQ(outcome(found), "not_found");
  EXPECT_NE(found.error().message.find("0.9.9"), std::string::npos);
  EXPECT_NE(found.error().remedy.find("v0.3.8"), std::string::npos);
  EXPECT_EQ(outcome(store_->find("../../etc")), "not_found");
  EXPECT_EQ(outcome(store_->verify("../x", VerifyDepth::kQuick, 1)), "not_found");
}

TEST_F(BackupStoreTest, ListIsInTheOrderOfCreationWhateverTheClockSays) {
  create("b");
  clock_.set_now_ns(0);
  create("a");
  disk_.make_dirs(in_store("backups/broken"), 0700);
  const auto list = store_->list();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->backups.size(), 2U);
  EXPECT_EQ(list->backups[0].id, "b");
  EXPECT_EQ(list->backups[1].id, "a");
  EXPECT_EQ(list->backups[0].files_count, 4U);
  ASSERT_EQ(list->broken.size(), 1U);
  EXPECT_EQ(list->broken[0].id, "broken");
}

TEST_F(BackupStoreTest, ABackupUnderAnothersNameIsNotBelieved) {
  create("a");
  disk_.make_dirs(in_store("backups/z"), 0700);
  disk_.write_file(in_store("backups/z/manifest.json"),
                   disk_.contents(in_store("backups/a/manifest.json")).value(), 0600);
  EXPECT_EQ(outcome(store_->load_manifest("z")), "corrupt");
}

TEST_F(BackupStoreTest, SweepRemovesPartialBackupsAlone) {
  create("a");
  disk_.write_file(in_store("backups/.x.partial/hooks.tar.gz"), "half", 0600);
  disk_.make_dirs(in_store("backups/broken"), 0700);
  EXPECT_EQ(store_->sweep().value(), std::vector<std::string>{".x.partial"});
  EXPECT_TRUE(disk_.snapshot(in_store("backups/.x.partial")).empty());
  EXPECT_FALSE(disk_.snapshot(in_store("backups/broken")).empty());
  EXPECT_EQ(store_->find("a").value(), "a");
}

TEST_F(BackupStoreTest, QuarantineKeepsEverythingAndSaysWhy) {
  create("a");
  const auto before = disk_.contents(in_store("backups/a/hooks.tar.gz"));
  EXPECT_EQ(store_->quarantine("a", "hooks.tar.gz is damaged").value(), "a");
  EXPECT_EQ(disk_.contents(in_store("quarantine/a/hooks.tar.gz")), before);
  EXPECT_NE(disk_.contents(in_store("quarantine/a/reason.json"))->find("is damaged"),
            std::string::npos);
  EXPECT_EQ(outcome(store_->find("a")), "not_found");
  EXPECT_EQ(create("a").id, "a.2");
}

TEST_F(BackupStoreTest, PinningChangesTheManifestAlone) {
  create("a");
  ASSERT_TRUE(store_->set_pinned("a", Pinned::kYes));
  EXPECT_TRUE(store_->list()->backups[0].pinned);
  EXPECT_EQ(problems("a", VerifyDepth::kFull), std::vector<std::string>());
  ASSERT_TRUE(store_->set_pinned("a", Pinned::kNo));
  EXPECT_FALSE(store_->list()->backups[0].pinned);
}

TEST_F(BackupStoreTest, AFileThatVanishedSinceTheSnapshotIsAChange) {
  const auto roots = find_roots(disk_, {.home = "/home/u", .working_directory = "/home/u/p"});
  const auto snapshot = take_snapshot(disk_, {.roots = *roots});
  ASSERT_TRUE(snapshot);
  disk_.remove("/home/u/.claude/hooks/x.py");
  request_.label = "a";
  EXPECT_EQ(outcome(store_->create(*snapshot, request_)), "changed");
  disk_.symlink("/etc/passwd", "/home/u/.claude/hooks/x.py");
  EXPECT_EQ(outcome(store_->create(*snapshot, request_)), "changed");
  EXPECT_TRUE(store_->list()->backups.empty());
  EXPECT_TRUE(store_->sweep()->empty());
}

TEST_F(BackupStoreTest, AFullDiskLeavesNothingBehind) {
  disk_.write_file("/home/u/.claude/hooks/big", std::string(100'000, 'x'));
  const auto before = disk_.snapshot(in_store("backups"));
  disk_.set_free(300, 1000);
  EXPECT_EQ(outcome(try_create("a")), "no_space");
  EXPECT_TRUE(disk_.snapshot(in_store("backups/.a.partial")).empty());
  EXPECT_TRUE(disk_.snapshot(in_store("backups/a")).empty());
}

// Changes settings.json whenever its copy is being written.
class RestlessSettings final : public testing::ForwardingFs {
 public:
  explicit RestlessSettings(testing::MemFs& disk) : ForwardingFs(disk), disk_(disk) {}
  Status write(fs::Fd fd, uint64_t offset, std::span<const std::byte> data) override {
    if (as_text(data).starts_with("{\"env\""))
      disk_.write_file("/home/u/.claude/settings.json",
                       "{\"env\": {}}" + std::string(++writes_, ' '));
    return ForwardingFs::write(fd, offset, data);
  }
  size_t writes() const { return writes_; }

 private:
  testing::MemFs& disk_;
  size_t writes_ = 0;
};

TEST_F(BackupStoreTest, SettingsThatKeepChangingAreMarkedUnstable) {
  RestlessSettings restless(disk_);
  const StoreDir dir = *StoreDir::open(restless, std::string(kStore), 1000, IfAbsent::kFail);
  const auto roots = find_roots(restless, {.home = "/home/u", .working_directory = "/home/u/p"});
  const auto snapshot = take_snapshot(restless, {.roots = *roots});
  request_.label = "a";
  const auto created = BackupStore(dir, clock_).create(*snapshot, request_);
  ASSERT_TRUE(created) << created.error().to_string();
  const auto* entry = created->manifest.find({Scope::kUser, RelPath::of("settings.json")});
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->state, model::EntryState::kUnstable);
  EXPECT_EQ(restless.writes(), 3U) << "it is tried again, and not for ever";
  EXPECT_FALSE(created->manifest.all_files_readable);
  EXPECT_EQ(problems("a", VerifyDepth::kFull), std::vector<std::string>());
}

TEST_F(BackupStoreTest, WhatAnEarlierRunFoundIsRecalledUntilTheManifestChanges) {
  create("a");
  create("b");
  clock_.advance_ms(60'000);
  disk_.make_dirs(in_store("recovery"), 0700);  // a transaction does it
  ASSERT_TRUE(store_->list());
  ASSERT_TRUE(store_->remember());

  testing::TraceFs trace(disk_);
  const auto later_list = [&](bool recalls) {
    const StoreDir dir = *StoreDir::open(trace, std::string(kStore), 1000, IfAbsent::kFail);
    BackupStore later(dir, clock_);
    if (recalls) later.recall();
    trace.clear();
    return *later.list();
  };
  const BackupList read = later_list(false);
  const size_t opened_to_read = trace.count(testing::Op::kOpen);
  const BackupList recalled = later_list(true);
  EXPECT_LT(trace.count(testing::Op::kOpen), opened_to_read);
  ASSERT_EQ(recalled.backups.size(), 2U);
  EXPECT_EQ(recalled.backups[0].id, read.backups[0].id);
  EXPECT_EQ(recalled.backups[1].sequence, read.backups[1].sequence);
  EXPECT_FALSE(recalled.backups[0].pinned);

  ASSERT_TRUE(store_->set_pinned("a", Pinned::kYes));
  flip_byte("backups/b/manifest.json", 20);
  const BackupList changed = later_list(true);
  ASSERT_EQ(changed.backups.size(), 1U);
  EXPECT_TRUE(changed.backups[0].pinned);
  ASSERT_EQ(changed.broken.size(), 1U);
  EXPECT_EQ(changed.broken[0].id, "b");
}

}  // namespace
}  // namespace stravinsky::store
