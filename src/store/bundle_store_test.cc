#include "store/bundle_store.h"

#include <gtest/gtest.h>

#include "base/mutant.h"
#include "base/strings.h"
#include "testing/crash_sweep.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using fs::RelPath;
using model::Scope;
using testing::outcome;

class BundleStoreTest : public ::testing::Test {
 protected:
  BundleStoreTest() {
    disk_.write_file("/in/b/.claude/hooks/x.py", "print(1)", 0755);
    disk_.write_file("/in/b/.claude/settings.json", "{}");
    auto opened = StoreDir::open(disk_, "/store", 1000, IfAbsent::kCreate);
    EXPECT_TRUE(opened);
    dir_.emplace(std::move(*opened));
    store_.emplace(*dir_);
  }
  std::string save(Scope scope = Scope::kUser) {
    const auto bundle = Bundle::open(disk_, "/in/b");
    EXPECT_TRUE(bundle);
    const auto id = store_->save(*bundle, model::Version::parse("0.3.9").value(), scope);
    return id ? *id : id.error().to_string();
  }
  std::string content(const std::string& id, std::string_view path) {
    std::string text;
    const Status done =
        store_->read(id, RelPath::of(path), [&](std::span<const std::byte> piece) -> Status {
          text += as_text(piece);
          return {};
        });
    return done ? text : "error: " + done.error().to_string();
  }
  testing::MemFs disk_;
  std::optional<StoreDir> dir_;
  std::optional<BundleStore> store_;
};

TEST_F(BundleStoreTest, KeepsWhatWasInstalled) {
  EXPECT_EQ(save(), "0.3.9");
  const auto installed = store_->load("0.3.9");
  ASSERT_TRUE(installed) << installed.error().to_string();
  EXPECT_EQ(installed->version.str(), "0.3.9");
  ASSERT_EQ(installed->files.size(), 2U);
  const BundleFile* hook = installed->find(RelPath::of("hooks/x.py"));
  ASSERT_NE(hook, nullptr);
  EXPECT_EQ(hook->mode, 0755U);
  EXPECT_EQ(hook->sha256, codec::sha256("print(1)"));
  EXPECT_EQ(content("0.3.9", "hooks/x.py"), "print(1)");
  EXPECT_EQ(content("0.3.9", "settings.json"), "{}");
  EXPECT_EQ(disk_.snapshot("/store/bundles/0.3.9").size(), 3U);  // nothing is left beside
}

TEST_F(BundleStoreTest, TheSameBundleIsKeptOnceAnotherOneGetsAnotherId) {
  EXPECT_EQ(save(), "0.3.9");
  EXPECT_EQ(save(), "0.3.9");
  disk_.write_file("/in/b/.claude/hooks/x.py", "print(2)", 0755);
  EXPECT_EQ(save(), "0.3.9.1");
  EXPECT_EQ(save(), "0.3.9.1");
  EXPECT_EQ(save(Scope::kProject), "0.3.9.2");
  EXPECT_EQ(content("0.3.9", "hooks/x.py"), "print(1)");
  EXPECT_EQ(content("0.3.9.2", "hooks/x.py"), "print(2)");
}

TEST_F(BundleStoreTest, WhatIsNotThereIsNotFound) {
  save();
  EXPECT_EQ(outcome(store_->load("0.4.0")), "not_found");
  EXPECT_EQ(outcome(store_->load("../x")), "not_found");
  EXPECT_TRUE(content("0.3.9", "hooks/y.py").starts_with("error"));
}

TEST_F(BundleStoreTest, EveryFlippedByteIsNoticed) {
  save();
  for (const std::string path :
       {"/store/bundles/0.3.9/manifest.json", "/store/bundles/0.3.9/bundle.tar.gz"}) {
    const std::string good = disk_.contents(path).value();
    for (size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      disk_.write_file(path, bad, 0600);
      // The end of the archive holds no content; all that is handed out is right.
      for (const char* file : {"hooks/x.py", "settings.json"}) {
        const std::string text = content("0.3.9", file);
        EXPECT_TRUE(text.starts_with("error") || text == "print(1)" || text == "{}") << path << at;
      }
      if (path.ends_with(".json")) {
        EXPECT_EQ(outcome(store_->load("0.3.9")), "corrupt") << at;
      }
    }
    disk_.write_file(path, good, 0600);
  }
}

testing::SweepCase save_sweep_case() {
  const auto save_bundle = [](fs::FileSystem& disk) -> Status {
    ASSIGN_OR_RETURN(const StoreDir dir, StoreDir::open(disk, "/store", 1000, IfAbsent::kCreate));
    ASSIGN_OR_RETURN(const Bundle bundle, Bundle::open(disk, "/in/b"));
    ASSIGN_OR_RETURN(const std::string id, BundleStore(dir).save(bundle, model::Version(), {}));
    return {};
  };
  const auto broken_rules = [](testing::MemFs& disk, bool acknowledged) {
    std::vector<std::string> broken;
    const auto dir = StoreDir::open(disk, "/store", 1000, IfAbsent::kCreate);
    const auto installed = BundleStore(*dir).load("unknown");
    if (!installed && !is_not_found(installed.error()))
      broken.push_back("half a bundle: " + installed.error().to_string());
    if (!installed && acknowledged) broken.push_back("the acknowledged bundle is gone");
    const auto ignore = [](std::span<const std::byte>) { return Status(); };
    if (installed && !BundleStore(*dir).read("unknown", RelPath::of("hooks/x.py"), ignore))
      broken.push_back("its content cannot be read");
    return broken;
  };
  return {.make_initial =
              [] {
                auto disk = std::make_unique<testing::MemFs>();
                disk->write_file("/in/b/hooks/x.py", "print(1)");
                disk->make_dirs("/store", 0700);
                return disk;
              },
          .operation = save_bundle,
          .recover = [](fs::FileSystem&) { return Status(); },
          .violations = broken_rules};
}

TEST(BundleStoreCrash, ABundleIsWholeOrNotThere) {
  const auto crashes = testing::run_crash_sweep(save_sweep_case());
  EXPECT_TRUE(crashes.is_clean()) << crashes.to_string();
  const auto errors = testing::run_errno_sweep(save_sweep_case());
  EXPECT_TRUE(errors.is_clean()) << errors.to_string();
}

#ifdef STRAVINSKY_FAULT_POINTS
TEST(BundleStoreCrash, EachMissingSyncIsNoticed) {
  for (const char* mutant :
       {"bundle_file_not_synced", "bundle_directory_not_synced", "bundle_publication_not_synced"}) {
    set_mutant(mutant);
    EXPECT_FALSE(testing::run_crash_sweep(save_sweep_case()).is_clean()) << mutant;
    set_mutant("");
  }
}
#endif

}  // namespace
}  // namespace stravinsky::store
