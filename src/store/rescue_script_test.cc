// The script itself is tested by tests/e2e/rescue_test.cc; this is how it gets there.
#include "store/rescue_script.h"

#include <gtest/gtest.h>

#include "testing/mem_fs.h"
#include "testing/outcome.h"
#include "testing/trace_fs.h"

namespace stravinsky::store {
namespace {

using testing::outcome;

constexpr const char* kRescue = "/store/recovery/rescue.sh";
constexpr uint32_t kOwner = 1000;

Status write_to(fs::FileSystem& fs) {
  ASSIGN_OR_RETURN(const StoreDir store, StoreDir::open(fs, "/store", kOwner, IfAbsent::kFail));
  return write_rescue_script(store);
}

class RescueScript : public ::testing::Test {
 protected:
  RescueScript() {
    disk_.make_dirs("/store", 0700);
    disk_.sync_everything();
    EXPECT_EQ(outcome(write_to(disk_)), "ok");
  }
  void expect_good() const {
    EXPECT_EQ(disk_.contents(kRescue), std::string(rescue_script_text()));
    EXPECT_EQ(disk_.snapshot("/store").at(kRescue).mode, 0700U);
  }

  testing::MemFs disk_;
};

TEST_F(RescueScript, IsThereDurablyAndForItsOwnerAlone) {
  expect_good();
  EXPECT_TRUE(rescue_script_text().starts_with("#!/bin/sh\n"));
  EXPECT_EQ(disk_.pending_count(), 0U);
}

TEST_F(RescueScript, IsOnlyReadWhereItIsAsItShouldBe) {
  testing::TraceFs traced(disk_);
  EXPECT_EQ(outcome(write_to(traced)), "ok");
  EXPECT_EQ(traced.mutating_lines(), std::vector<std::string>());
}

TEST_F(RescueScript, IsMadeAgainWhateverBecameOfIt) {
  disk_.remove(kRescue);
  EXPECT_EQ(outcome(write_to(disk_)), "ok");
  expect_good();
  std::string changed(rescue_script_text());
  changed.back() = '#';
  disk_.write_file(kRescue, changed, 0700);
  EXPECT_EQ(outcome(write_to(disk_)), "ok");
  expect_good();
  disk_.set_mode(kRescue, 0600);
  EXPECT_EQ(outcome(write_to(disk_)), "ok");
  expect_good();
}

TEST_F(RescueScript, WhatStandsInItsPlaceIsMovedAside) {
  disk_.remove(kRescue);
  disk_.symlink("/elsewhere", kRescue);
  EXPECT_EQ(outcome(write_to(disk_)), "ok");
  expect_good();
  EXPECT_TRUE(disk_.snapshot("/store").contains("/store/recovery/damaged/rescue.sh.1"));
  EXPECT_FALSE(disk_.contents("/elsewhere"));
}

TEST_F(RescueScript, AFailureLeavesTheOldOne) {
  disk_.write_file(kRescue, "an older one", 0700);
  disk_.set_free(0, 100);
  EXPECT_EQ(outcome(write_to(disk_)), "no_space");
  EXPECT_EQ(disk_.contents(kRescue), "an older one");
}

}  // namespace
}  // namespace stravinsky::store
