#include "store/accepted_sources.h"

#include <gtest/gtest.h>

#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"
#include "testing/mem_fs.h"
#include "testing/outcome.h"

namespace stravinsky::store {
namespace {

using testing::outcome;

codec::Digest digest(size_t n) {
  return codec::sha256(std::to_string(n));
}

class AcceptedSourcesTest : public ::testing::Test {
 protected:
  AcceptedSourcesTest() {
    disk.make_dirs("/store/recovery");
    dir = *fs::File::open_root(disk, "/store");
  }
  testing::MemFs disk;
  fs::File dir;
};

TEST_F(AcceptedSourcesTest, ReadsBackWhatWasAdded) {
  AcceptedSources sources = AcceptedSources::load(disk, dir.fd());
  EXPECT_FALSE(sources.contains(digest(1)));
  sources.add(digest(1));
  sources.add(digest(2));
  EXPECT_TRUE(sources.contains(digest(2)));
  ASSERT_EQ(outcome(sources.save(disk, dir.fd())), "ok");
  const AcceptedSources read = AcceptedSources::load(disk, dir.fd());
  EXPECT_TRUE(read.contains(digest(1)));
  EXPECT_TRUE(read.contains(digest(2)));
  EXPECT_FALSE(read.contains(digest(3)));
}

TEST_F(AcceptedSourcesTest, NothingNewIsNotWritten) {
  AcceptedSources sources = AcceptedSources::load(disk, dir.fd());
  ASSERT_EQ(outcome(sources.save(disk, dir.fd())), "ok");
  EXPECT_FALSE(fs::read_file(disk, dir.fd(), model::layout::accepted_sources(), 1024));
}

TEST_F(AcceptedSourcesTest, TheOldestGoWhenThereAreTooMany) {
  AcceptedSources sources = AcceptedSources::load(disk, dir.fd());
  for (size_t i = 0; i < kAcceptedSourcesMax + 2; ++i) sources.add(digest(i));
  ASSERT_EQ(outcome(sources.save(disk, dir.fd())), "ok");
  const AcceptedSources read = AcceptedSources::load(disk, dir.fd());
  EXPECT_FALSE(read.contains(digest(1)));
  EXPECT_TRUE(read.contains(digest(2)));
  EXPECT_TRUE(read.contains(digest(kAcceptedSourcesMax + 1)));
}

TEST_F(AcceptedSourcesTest, DamageCountsForNothing) {
  const std::string text = "x\n\n" + digest(1).hex() + "\n" + digest(2).hex().substr(0, 20);
  ASSERT_EQ(outcome(fs::write_atomically(disk, dir.fd(), model::layout::accepted_sources(), text)),
            "ok");
  const AcceptedSources read = AcceptedSources::load(disk, dir.fd());
  EXPECT_TRUE(read.contains(digest(1)));
  EXPECT_FALSE(read.contains(digest(2)));
}

}  // namespace
}  // namespace stravinsky::store
