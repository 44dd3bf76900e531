#include "store/store_dir.h"

#include <gtest/gtest.h>

#include "testing/mem_fs.h"

namespace stravinsky::store {
namespace {

TEST(StoreDir, IsMadePrivateOnFirstUse) {
  testing::MemFs disk;
  disk.make_dirs("/home/u", 0755);
  disk.set_owner("/home/u", 1000, 1000);
  const auto store = StoreDir::open(disk, "/home/u/.stravinsky/rollback", 1000, IfAbsent::kCreate);
  ASSERT_TRUE(store) << store.error().to_string();
  EXPECT_EQ(store->path(), "/home/u/.stravinsky/rollback");
  ASSERT_TRUE(store->ensure(fs::RelPath::of("recovery/staging")));
  for (const auto& [path, node] : disk.snapshot("/home/u/.stravinsky")) EXPECT_EQ(node.mode, 0700U);
}

TEST(StoreDir, AnAbsentStoreIsNotFoundWhenItIsNotToBeMade) {
  testing::MemFs disk;
  const auto store = StoreDir::open(disk, "/absent", 1000, IfAbsent::kFail);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kNotFound);
}

TEST(StoreDir, OneThatOthersCanReadIsRefusedWithTheCommandThatMendsIt) {
  testing::MemFs disk;
  disk.make_dirs("/a b", 0750);
  const auto store = StoreDir::open(disk, "/a b", 1000, IfAbsent::kCreate);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kPermission);
  EXPECT_NE(store.error().remedy.find("chmod -R go-rwx '/a b'"), std::string::npos);
}

TEST(StoreDir, OneOfAnotherUserIsRefused) {
  testing::MemFs disk({.uid = 0, .gid = 0});
  disk.make_dirs("/s", 0700);
  disk.set_owner("/s", 1000, 1000);
  const auto store = StoreDir::open(disk, "/s", 0, IfAbsent::kCreate);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::kPermission);
  EXPECT_NE(store.error().remedy.find("chown -R 0 /s"), std::string::npos);
}

}  // namespace
}  // namespace stravinsky::store
