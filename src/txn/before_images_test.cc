#include "txn/before_images.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "model/store_layout.h"
#include "testing/outcome.h"
#include "testing/txn_fixture.h"

namespace stravinsky::txn {
namespace {

using testing::outcome;
using testing::TxnFixture;

struct Saved {
  TxnFixture& t;
  Targets targets;
  fs::File dir;
  explicit Saved(TxnFixture& fixture)
      : t(fixture), targets(*Targets::open(t.disk(), t.plan(), ReplacedRoot::kRefuse)) {
    dir = *fs::File::open_root(t.disk(), testing::kStoreRoot);
  }
  Status write() { return write_before_images(t.disk(), dir.fd(), t.plan(), targets); }
  std::string read(const std::string& path, const std::string& inner_path = "") {
    std::string bytes;
    const auto done =
        read_before_image(t.disk(), dir.fd(), BeforePlaces(t.plan()), t.change_of(path), inner_path,
                          [&](std::span<const std::byte> piece) -> Status {
                            bytes += as_text(piece);
                            return {};
                          });
    return done ? bytes : "<" + std::string(outcome(done)) + ">";
  }
};

TEST(BeforeImages, EveryFileComesBack) {
  const std::string large(3'000'000, 'x');
  TxnFixture t;
  t.file("a", "old a").file("empty", "").file("large", large).file("d/x", "dx").file("d/s/y", "dy");
  t.link("l", "a").settle();
  t.replace("a", "new").replace("empty", "now").replace("large", "small").remove("d").remove("l");
  t.add("new", "n");
  Saved s(t);
  ASSERT_EQ(outcome(s.write()), "ok");
  EXPECT_EQ(s.read("a"), "old a");
  EXPECT_EQ(s.read("empty"), "");
  EXPECT_EQ(s.read("large"), large);
  EXPECT_EQ(s.read("d", "x"), "dx");
  EXPECT_EQ(s.read("d", "s/y"), "dy");
}

// The plan is gone when a place is asked for: no question can go through it again.
TEST(BeforeImages, PlacesAreFoundOnceForAllFiles) {
  constexpr size_t kFiles = 300;
  TxnFixture t;
  t.file("a", "first");
  for (size_t i = 0; i < kFiles; ++i)
    t.file("d/f" + std::to_string(i), std::string(i, static_cast<char>('a' + i % 26)));
  t.file("z", "last").settle();
  t.replace("a", "1").remove("d").replace("z", "2");
  Saved s(t);
  ASSERT_EQ(outcome(s.write()), "ok");
  const auto places = [&] {
    const model::ChangePlan copy = t.plan();
    return BeforePlaces(copy);
  }();
  for (size_t i = kFiles; i-- > 0;) {
    std::string bytes;
    ASSERT_EQ(outcome(read_before_image(t.disk(), s.dir.fd(), places, t.change_of("d"),
                                        "f" + std::to_string(i),
                                        [&](std::span<const std::byte> piece) -> Status {
                                          bytes += as_text(piece);
                                          return {};
                                        })),
              "ok");
    EXPECT_EQ(bytes, std::string(i, static_cast<char>('a' + i % 26)));
  }
  EXPECT_EQ(places.find(t.change_of("z"), "")->size_bytes, 4U);
  EXPECT_EQ(places.find(99, ""), std::nullopt);
}

TEST(BeforeImages, WhatWasNotDisplacedIsNotFound) {
  TxnFixture t;
  t.file("a", "old a").settle().replace("a", "new").add("b", "b");
  Saved s(t);
  ASSERT_TRUE(s.write());
  EXPECT_EQ(s.read("b"), "<not_found>");
  EXPECT_EQ(s.read("a", "x"), "<not_found>");
}

TEST(BeforeImages, ATargetThatChangedSinceThePlanIsRefused) {
  TxnFixture t;
  t.file("a", "old a").settle().replace("a", "new");
  Saved s(t);
  t.file("a", "edited");
  EXPECT_EQ(outcome(s.write()), "changed");
  TxnFixture u;
  u.settle().add("b", "b");
  Saved r(u);
  u.file("b", "theirs");
  EXPECT_EQ(outcome(r.write()), "changed");
}

TEST(BeforeImages, ACutFileIsCorrupt) {
  TxnFixture t;
  t.file("a", "old a").settle().replace("a", "new");
  Saved s(t);
  ASSERT_TRUE(s.write());
  t.disk().write_file(std::string(testing::kStoreRoot) + "/before", "old");
  EXPECT_EQ(s.read("a"), "<corrupt>");
}

TEST(BeforeImages, TheBytesAreDurableWhenItReturns) {
  TxnFixture t;
  t.file("a", "old a").settle().replace("a", "new");
  Saved s(t);
  ASSERT_TRUE(s.write());
  ASSERT_TRUE(t.disk().sync(s.dir.fd(), fs::SyncKind::kFull));
  EXPECT_EQ(t.disk().crashed({})->contents(std::string(testing::kStoreRoot) + "/before"), "old a");
}

}  // namespace
}  // namespace stravinsky::txn
