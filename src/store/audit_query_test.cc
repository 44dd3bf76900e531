#include "store/audit_query.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/audit_fixture.h"

namespace stravinsky::store {
namespace {

using model::AuditEvent;
using model::AuditEventType;
using model::AuditStatus;
using testing::AuditFixture;

class AuditQuery : public ::testing::Test {
 protected:
  void add(std::string notes, AuditEventType type, std::string version, AuditStatus status,
           std::string tx) {
    AuditEvent event;
    event.type = type;
    event.version = std::move(version);
    event.status = status;
    event.tx = std::move(tx);
    event.notes = std::move(notes);
    const auto record = log.log().append(event);
    ASSERT_TRUE(record) << record.error().to_string();
  }
  // On three days, the second of them 2026-01-08.
  void SetUp() override {
    constexpr int64_t kDayNs = 86'400LL * 1'000'000'000;
    constexpr int64_t kMidnightNs = 1'767'830'400LL * 1'000'000'000;  // 2026-01-08T00:00:00Z
    const auto at = [this](int64_t time_ns) { log.clock().set_now_ns(time_ns); };
    at(kMidnightNs - 1'000);
    add("a", AuditEventType::kUpdateStart, "0.3.9", AuditStatus::kSuccess, "t1");
    at(kMidnightNs);
    add("b", AuditEventType::kUpdateFailed, "0.3.9", AuditStatus::kFailed, "t1");
    at(kMidnightNs + kDayNs - 1'000);
    add("c", AuditEventType::kUndo, "0.3.8", AuditStatus::kSuccess, "t2");
    at(kMidnightNs + kDayNs);
    add("d", AuditEventType::kUpdateStart, "0.3.8", AuditStatus::kSuccess, "t3");
  }
  // The notes found, newest first.
  std::string found(const AuditFilter& filter) {
    const auto page = log.log().query(filter);
    if (!page) return std::string(code_name(page.error().code));
    EXPECT_EQ(page->unreadable_lines, 0U);
    std::string notes;
    for (const auto& record : page->events) notes += record.event.notes;
    return notes;
  }

  AuditFixture log;
};

TEST_F(AuditQuery, NoFilterFindsAllNewestFirst) {
  EXPECT_EQ(found({}), "dcba");
}

TEST_F(AuditQuery, EachFilterIsApplied) {
  AuditFilter filter;
  filter.type = AuditEventType::kUpdateStart;
  EXPECT_EQ(found(filter), "da");
  filter = {};
  filter.version = "0.3.8";
  EXPECT_EQ(found(filter), "dc");
  filter = {};
  filter.status = AuditStatus::kFailed;
  EXPECT_EQ(found(filter), "b");
  filter = {};
  filter.tx = "t1";
  EXPECT_EQ(found(filter), "ba");
}

TEST_F(AuditQuery, AllFiltersMustMatch) {
  AuditFilter filter;
  filter.type = AuditEventType::kUpdateStart;
  filter.version = "0.3.9";
  EXPECT_EQ(found(filter), "a");
  filter.status = AuditStatus::kFailed;
  EXPECT_EQ(found(filter), "");
}

TEST_F(AuditQuery, DayIsMeantFromItsFirstToItsLastMicrosecond) {
  AuditFilter filter;
  filter.to = "2026-01-08";
  EXPECT_EQ(found(filter), "cba");
  filter.from = "2026-01-08";
  EXPECT_EQ(found(filter), "cb");
  filter.to = "";
  EXPECT_EQ(found(filter), "dcb");
}

TEST_F(AuditQuery, TimesAreIncluded) {
  AuditFilter filter;
  filter.from = "2026-01-08T23:59:59.999999Z";
  EXPECT_EQ(found(filter), "dc");
  filter.from = "2026-01-08T23:59:59Z";
  filter.to = "2026-01-08T23:59:59Z";
  EXPECT_EQ(found(filter), "c");
}

TEST_F(AuditQuery, WhatIsNoTimeIsRefused) {
  for (const std::string text :
       {"yesterday", "2026-02-30", "2026-13-01", "2026-00-10", "2026-01-08 10:00:00",
        "2026-01-08T24:00:00Z", "2026-01-08T10:60:00Z", "2026-01-08T10:00:00", "2026-1-8",
        "2026-01-08T10:00:00.123Z", "20260108"}) {
    AuditFilter filter;
    filter.from = text;
    EXPECT_EQ(found(filter), "usage") << text;
    filter = {};
    filter.to = text;
    EXPECT_EQ(found(filter), "usage") << text;
  }
}

TEST_F(AuditQuery, LimitIsTakenAsGiven) {
  AuditFilter filter;
  EXPECT_EQ(filter.limit, 1'000U);
  filter.limit = 2;
  EXPECT_EQ(found(filter), "dc");
  filter.limit = 0;
  EXPECT_EQ(found(filter), "");
}

TEST_F(AuditQuery, LimitCountsWhatMatches) {
  AuditFilter filter;
  filter.version = "0.3.9";
  filter.limit = 1;
  EXPECT_EQ(found(filter), "b");
}

TEST_F(AuditQuery, ClockThatWentBackDoesNotChangeTheOrder) {
  log.clock().set_now_ns(0);
  add("e", AuditEventType::kUndo, "", AuditStatus::kSuccess, "");
  EXPECT_EQ(found({}), "edcba");
}

TEST_F(AuditQuery, LineThatCannotBeTrustedIsCountedNotShown) {
  auto lines = log.lines();
  lines[1].replace(lines[1].find("\"notes\":\"b\""), 11, "\"notes\":\"X\"");
  lines.emplace_back("{\"torn");
  log.put_lines(lines);
  const auto page = log.log().query({});
  ASSERT_TRUE(page) << page.error().to_string();
  EXPECT_EQ(page->events.size(), 3U);
  EXPECT_EQ(page->unreadable_lines, 2U);
}

TEST(AuditQueryEmpty, StoreWithoutALogHasNoEvents) {
  AuditFixture log;
  EXPECT_TRUE(log.notes().empty());
  EXPECT_EQ(log.judge(), "none");
  EXPECT_EQ(log.fs().snapshot("/store").size(), 1U) << "looking must not make anything";
}

}  // namespace
}  // namespace stravinsky::store
