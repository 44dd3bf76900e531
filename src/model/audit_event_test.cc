#include "model/audit_event.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "testing/case_step.h"

namespace stravinsky::model {
namespace {

AuditRecord full_record() {
  AuditRecord record;
  record.event.type = AuditEventType::kUpdateSuccess;
  record.event.version = "0.3.9";
  record.event.previous_version = "0.3.8";
  record.event.python_version = "3.11.2";
  record.event.tx = "00112233445566aa";
  record.event.status = AuditStatus::kSuccess;
  record.event.duration_ns = 12'345'678'000;
  record.event.pre_checks = AuditPreChecks{5'120, 42, 1};
  record.event.operations = {{"backup_create", "success", 31}, {"verification", "success", 4}};
  record.event.error = "none \"quoted\"\n";
  record.event.error_trace = "trace";
  record.event.recovery_action = "NONE";
  record.event.backup_created = "v0.3.8.pre_update";
  record.event.notes = "caf\xC3\xA9";
  record.event_id = "evt_0123456789abcdef0123456789abcdef";
  record.timestamp = "2026-01-08T15:34:22.123456Z";
  record.user = "alice";
  record.hostname = "host";
  record.link.log_id = "ffeeddccbbaa99887766554433221100";
  record.link.seq = 1;
  return record;
}

std::string line_of(AuditRecord record) {
  return audit_line(record);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

ErrorCode code_for(const std::string& line) {
  const auto record = parse_audit_line(line);
  EXPECT_FALSE(record) << line;
  return record ? ErrorCode::kIo : record.error().code;
}

// The hash was worked out by another program from the description in audit_event.h.
TEST(AuditEvent, LineIsCanonical) {
  EXPECT_EQ(line_of(full_record()),
            R"({"backup_created":"v0.3.8.pre_update","details":{"operations":[{"duration_ms":31)"
            R"(,"status":"success","type":"backup_create"},{"duration_ms":4,"status":"success",)"
            R"("type":"verification"}],"pre_checks":{"backup_size_mb":1,"disk_space_mb":5120,"f)"
            R"(ile_count":42}},"error":"none \"quoted\"\n","error_trace":"trace","event_id":"ev)"
            R"(t_0123456789abcdef0123456789abcdef","event_type":"UPDATE_SUCCESS","format_versio)"
            R"(n":1,"hash":"4a8eb396651648badc77d7f1126074d79a1a5b21d8f31c0d38341e04e23645cc",")"
            R"(hostname":"host","log_id":"ffeeddccbbaa99887766554433221100","notes":"café","ope)"
            R"(ration_duration_seconds":"12.345678","prev_hash":"000000000000000000000000000000)"
            R"(0000000000000000000000000000000000","previous_version":"0.3.8","python_version":)"
            R"("3.11.2","recovery_action":"NONE","seq":1,"status":"success","timestamp":"2026-0)"
            R"(1-08T15:34:22.123456Z","tx":"00112233445566aa","user":"alice","version":"0.3.9"})");
}

TEST(AuditEvent, LineIsReadBackAsWritten) {
  AuditRecord record = full_record();
  const auto read = parse_audit_line(audit_line(record));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->event, record.event);
  EXPECT_EQ(read->event_id, record.event_id);
  EXPECT_EQ(read->timestamp, record.timestamp);
  EXPECT_EQ(read->user, record.user);
  EXPECT_EQ(read->hostname, record.hostname);
  EXPECT_EQ(read->link, record.link);
}

TEST(AuditEvent, EventWithNothingToSayHasOnlyTheFixedKeys) {
  AuditRecord record;
  record.event.type = AuditEventType::kUndo;
  const std::string line = audit_line(record);
  EXPECT_EQ(line.find("details"), std::string::npos);
  EXPECT_EQ(line.find("status"), std::string::npos);
  const auto read = parse_audit_line(line);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->event, record.event);
}

TEST(AuditEvent, EverySingleBitFlipIsRefused) {
  const std::string line = line_of(full_record());
  for (size_t bit = 0; bit < line.size() * 8; bit += testing::kCaseStep) {
    std::string flipped = line;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    EXPECT_FALSE(check_audit_line(flipped)) << bit;
  }
}

TEST(AuditEvent, OtherSpellingsOfTheSameObjectAreRefused) {
  const std::string line = line_of(full_record());
  EXPECT_EQ(code_for(replaced(line, ",\"seq\":1", ", \"seq\":1")), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for(replaced(line, "\"user\":\"alice\"", "\"user\":\"\\u0061lice\"")),
            ErrorCode::kCorrupt);
  EXPECT_EQ(code_for(line + " "), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for(replaced(line, "\"seq\":1", "\"seq\":1,\"seq\":1")), ErrorCode::kCorrupt);
  EXPECT_EQ(code_for(replaced(line, "\"seq\":1", "\"seq\":1.0")), ErrorCode::kCorrupt);
}

TEST(AuditEvent, WhatIsNoEventIsRefused) {
  for (const std::string line : {"", "null", "[]", "{}", "{\"format_version\":1}", "\xFF"}) {
    EXPECT_EQ(code_for(line), ErrorCode::kCorrupt) << line;
  }
  EXPECT_EQ(code_for(std::string(kAuditLineMaxBytes + 1, ' ')), ErrorCode::kCorrupt);
}

TEST(AuditEvent, NewerFormatIsNotGuessedAt) {
  const std::string line = line_of(full_record());
  EXPECT_EQ(code_for(replaced(line, "\"format_version\":1", "\"format_version\":2")),
            ErrorCode::kUnsupported);
}

TEST(AuditEvent, LongTextIsCutAtACharacter) {
  AuditRecord record = full_record();
  record.event.error_trace = std::string(kAuditTextMaxBytes - 1, 'x') + "\xC3\xA9 and more";
  const auto read = parse_audit_line(audit_line(record));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->event.error_trace, std::string(kAuditTextMaxBytes - 1, 'x') + " [11 bytes cut]");
}

TEST(AuditEvent, BytesThatAreNotTextAreEscaped) {
  AuditRecord record = full_record();
  record.event.notes = "hooks/\xFF.py";
  const auto read = parse_audit_line(audit_line(record));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->event.notes, "hooks/\\xff.py");
}

TEST(AuditEvent, NumberWithoutACanonicalFormIsBroughtIntoRange) {
  AuditRecord record = full_record();
  record.event.pre_checks = AuditPreChecks{INT64_MAX, INT64_MIN, 0};
  record.event.duration_ns = -1;
  const auto read = parse_audit_line(audit_line(record));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->event.pre_checks->disk_space_mb, (int64_t{1} << 53) - 1);
  EXPECT_EQ(read->event.pre_checks->file_count, -(int64_t{1} << 53) + 1);
  EXPECT_EQ(read->event.duration_ns, 0);
}

TEST(AuditEventType, DocumentedNamesAreAccepted) {
  for (const std::string_view name :
       {"UPDATE_START", "UPDATE_SUCCESS", "UPDATE_FAILED", "UPDATE_BLOCKED", "AUTO_ROLLBACK",
        "AUTOROLLBACK", "AUTO_ROLLBACK_SUCCESS", "AUTO_ROLLBACK_FAILED", "MANUAL_ROLLBACK",
        "VERIFICATION_FAILURE", "RECOVERY_ATTEMPT", "CORRUPTED_BACKUP",
        "EMERGENCY_RECOVERY_INITIATED", "BACKUP_CREATED", "BACKUP_DELETED", "RECOVERY_SUCCESS",
        "CONFIG_CHANGED", "DRIFT_DETECTED"}) {
    EXPECT_TRUE(parse_audit_event_type(name)) << name;
  }
  EXPECT_FALSE(parse_audit_event_type("update_start"));
  EXPECT_FALSE(parse_audit_event_type(""));
}

TEST(AuditEventType, EachHasANameOfItsOwnAndASentence) {
  std::set<std::string_view> names;
  for (const AuditEventTypeInfo& info : audit_event_types()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(parse_audit_event_type(info.name), info.type);
    EXPECT_EQ(audit_event_type_name(info.type), info.name);
    EXPECT_TRUE(info.meaning.ends_with('.')) << info.name;
  }
}

}  // namespace
}  // namespace stravinsky::model
