// AuditFixture: an audit log in memory and the means to tamper with it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/file.h"
#include "store/audit_log.h"
#include "testing/fake_clock.h"
#include "testing/mem_fs.h"
#include "testing/seeded_random.h"

namespace stravinsky::testing {

inline constexpr std::string_view kAuditLogPath = "/store/audit/operations.log";
inline constexpr std::string_view kAuditHeadPath = "/store/audit/head.json";

inline model::AuditEvent audit_event(std::string notes) {
  model::AuditEvent event;
  event.type = model::AuditEventType::kUpdateSuccess;
  event.status = model::AuditStatus::kSuccess;
  event.notes = std::move(notes);
  return event;
}

// Lines with their newlines; the last one may lack it.
inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

class AuditFixture {
 public:
  AuditFixture() : AuditFixture(std::make_unique<MemFs>()) {}
  explicit AuditFixture(std::unique_ptr<MemFs> mem) : mem_(std::move(mem)) {
    mem_->make_dirs("/store", 0700);
    reopen();
  }

  MemFs& fs() { return *mem_; }
  FakeClock& clock() { return clock_; }
  fs::Fd store() const { return store_.fd(); }

  // A log of its own on a file system that may be a decorator of ours.
  store::AuditLog log_on(fs::FileSystem& fs) {
    return {fs, store_.fd(), clock_, random_, {"alice", "host"}};
  }
  store::AuditLog log() { return log_on(*mem_); }

  // "ok" or the error's code.
  std::string append(std::string notes = "event") {
    clock_.advance_ms(1'000);
    const auto record = log().append(audit_event(std::move(notes)));
    return record ? "ok" : std::string(code_name(record.error().code));
  }
  void append_events(int count) {
    for (int i = 1; i <= count; ++i) ASSERT_EQ(append("event " + std::to_string(i)), "ok");
  }
  store::AuditVerdict verify() {
    const auto verdict = log().verify();
    EXPECT_TRUE(verdict) << verdict.error().to_string();
    return verdict ? *verdict : store::AuditVerdict{};
  }
  // "none" or "edit 3 line 3": class, first bad sequence number and line.
  std::string judge() {
    const store::AuditVerdict verdict = verify();
    std::string name(store::audit_damage_name(verdict.damage));
    if (verdict.ok()) return name;
    EXPECT_NE(verdict.message, "");
    return name + " " + std::to_string(verdict.first_bad_seq) + " line " +
           std::to_string(verdict.first_bad_line);
  }
  // The notes of all events, oldest first.
  std::vector<std::string> notes() {
    std::vector<std::string> all;
    const auto page = log().query({});
    EXPECT_TRUE(page) << page.error().to_string();
    if (!page) return all;
    for (const auto& record : page->events) all.insert(all.begin(), record.event.notes);
    return all;
  }

  // --- tampering
  std::string text() { return mem_->contents(kAuditLogPath).value_or(""); }
  std::string head_text() { return mem_->contents(kAuditHeadPath).value_or(""); }
  std::vector<std::string> lines() { return lines_of(text()); }
  void put_text(std::string_view bytes) { put(kAuditLogPath, bytes); }
  void put_head(std::string_view bytes) { put(kAuditHeadPath, bytes); }
  void put_lines(const std::vector<std::string>& lines) {
    std::string joined;
    for (const std::string& line : lines) joined += line;
    put_text(joined);
  }

 private:
  void put(std::string_view path, std::string_view bytes) {
    if (mem_->contents(path)) mem_->remove(path);
    mem_->write_file(path, bytes, 0600);
    mem_->sync_everything();
  }
  void reopen() {
    auto root = fs::File::open_root(*mem_, "/store");
    ASSERT_TRUE(root) << root.error().to_string();
    store_ = std::move(*root);
  }

  std::unique_ptr<MemFs> mem_;
  FakeClock clock_;
  SeededRandom random_{7};
  fs::File store_;
};

}  // namespace stravinsky::testing
