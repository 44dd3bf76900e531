#include "model/audit_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "codec/canonical_json.h"

namespace stravinsky::model {
namespace {

using nlohmann::json;

constexpr std::string_view kHashPrefix = "stravinsky-audit-event-v1\n";
constexpr int64_t kMicrosPerSecond = 1'000'000;

constexpr std::array<std::pair<AuditStatus, std::string_view>, 4> kStatuses = {{
    {AuditStatus::kSuccess, "success"},
    {AuditStatus::kFailed, "failed"},
    {AuditStatus::kRolledBack, "rolled_back"},
    {AuditStatus::kRecovered, "recovered"},
}};

// The free texts of an event and their keys: one list for writing and reading.
constexpr std::array<std::pair<std::string_view, std::string AuditEvent::*>, 11> kTexts = {{
    {"version", &AuditEvent::version},
    {"previous_version", &AuditEvent::previous_version},
    {"python_version", &AuditEvent::python_version},
    {"tx", &AuditEvent::tx},
    {"error", &AuditEvent::error},
    {"error_trace", &AuditEvent::error_trace},
    {"error_class", &AuditEvent::error_class},
    {"severity", &AuditEvent::severity},
    {"recovery_action", &AuditEvent::recovery_action},
    {"backup_created", &AuditEvent::backup_created},
    {"notes", &AuditEvent::notes},
}};

Error corrupt(std::string message) {
  return make_error(ErrorCode::kCorrupt, std::move(message));
}

std::string clean(std::string_view text) {
  std::string valid = is_valid_utf8(text) ? std::string(text) : escape(text);
  if (valid.size() <= kAuditTextMaxBytes) return valid;
  size_t end = kAuditTextMaxBytes;
  while (end > 0 && (static_cast<unsigned char>(valid[end]) & 0xC0U) == 0x80U) --end;
  return valid.substr(0, end) + fmt::format(" [{} bytes cut]", valid.size() - end);
}

std::string decimal_seconds(int64_t duration_ns) {
  // A clock that was turned back must not make a duration negative.
  const int64_t micros = duration_ns < 0 ? 0 : duration_ns / 1'000;
  return fmt::format("{}.{:06}", micros / kMicrosPerSecond, micros % kMicrosPerSecond);
}

std::optional<int64_t> parse_decimal_seconds(const std::string& text) {
  const size_t point = text.find('.');
  if (point == std::string::npos || point == 0 || text.size() != point + 7) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<int64_t> {
    int64_t value = 0;
    const char* begin = digits.data();
    const char* end = begin + digits.size();
    const auto [stop, failed] = std::from_chars(begin, end, value);
    if (failed != std::errc() || stop != end || value < 0) return std::nullopt;
    return value;
  };
  const auto seconds = number(std::string_view(text).substr(0, point));
  const auto micros = number(std::string_view(text).substr(point + 1));
  if (!seconds || !micros || *seconds > INT64_MAX / 2'000'000'000) return std::nullopt;
  return *seconds * 1'000'000'000 + *micros * 1'000;
}

codec::Digest hash_without_hash(const json& object) {
  return codec::sha256(std::string(kHashPrefix) + codec::canonical_json(object));
}

// Beyond this a number has no canonical form; none of ours comes near.
int64_t in_range(int64_t number) {
  return std::clamp(number, -codec::kJsonIntegerMax, codec::kJsonIntegerMax);
}

json details_of(const AuditEvent& event) {
  json details = json::object();
  if (event.pre_checks) {
    details["pre_checks"] = {{"disk_space_mb", in_range(event.pre_checks->disk_space_mb)},
                             {"file_count", in_range(event.pre_checks->file_count)},
                             {"backup_size_mb", in_range(event.pre_checks->backup_size_mb)}};
  }
  if (!event.operations.empty()) {
    json& operations = details["operations"] = json::array();
    for (const AuditOperation& operation : event.operations) {
      operations.push_back({{"type", clean(operation.type)},
                            {"status", clean(operation.status)},
                            {"duration_ms", in_range(operation.duration_ms)}});
    }
  }
  if (!event.failed_verifications.empty()) {
    json& names = details["failed_verifications"] = json::array();
    for (const std::string& name : event.failed_verifications) names.push_back(clean(name));
  }
  return details;
}

json object_without_hash(const AuditRecord& record) {
  const AuditEvent& event = record.event;
  json object = {
      {"format_version", kAuditFormatVersion},
      {"log_id", record.link.log_id},
      {"seq", record.link.seq},
      {"prev_hash", record.link.prev_hash.hex()},
      {"event_id", record.event_id},
      {"timestamp", record.timestamp},
      {"event_type", audit_event_type_name(event.type)},
      {"user", clean(record.user)},
      {"hostname", clean(record.hostname)},
  };
  for (const auto& [key, member] : kTexts) {
    if (!(event.*member).empty()) object[std::string(key)] = clean(event.*member);
  }
  if (event.status) object["status"] = audit_status_name(*event.status);
  if (event.duration_ns) {
    object["operation_duration_seconds"] = decimal_seconds(*event.duration_ns);
  }
  if (json details = details_of(event); !details.empty()) object["details"] = std::move(details);
  return object;
}

// --- reading: every accessor answers nullopt for an absent key or another type

std::optional<std::string> text_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<uint64_t> unsigned_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<uint64_t>();
}

std::optional<int64_t> integer_of(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

std::optional<codec::Digest> digest_of(const json& object, std::string_view key) {
  const auto text = text_of(object, key);
  return text ? codec::Digest::from_hex(*text) : std::nullopt;
}

struct CheckedLine {
  json object;
  AuditLink link;
};

Result<CheckedLine> check(std::string_view line) {
  if (line.size() > kAuditLineMaxBytes) return corrupt("the line is too long");
  ASSIGN_OR_RETURN(json object, codec::parse_strict_json(line));
  if (!object.is_object()) return corrupt("the line is not a JSON object");
  if (!codec::has_canonical_form(object)) return corrupt("the line is not in canonical form");
  const auto version = unsigned_of(object, "format_version");
  if (version && *version > kAuditFormatVersion) {
    return make_error(ErrorCode::kUnsupported, "the event was written by a newer version");
  }
  const auto log_id = text_of(object, "log_id");
  const auto seq = unsigned_of(object, "seq");
  const auto prev_hash = digest_of(object, "prev_hash");
  const auto hash = digest_of(object, "hash");
  if (!version || !log_id || !seq || !prev_hash || !hash) {
    return corrupt("the line lacks a part of the chain");
  }
  if (!MUTANT(audit_line_canonical_form_not_checked) && codec::canonical_json(object) != line) {
    return corrupt("the line is not in canonical form");
  }
  object.erase("hash");
  if (!MUTANT(audit_line_hash_not_checked) && hash_without_hash(object) != *hash) {
    return corrupt("the event does not have the hash it names");
  }
  return CheckedLine{.object = std::move(object), .link = {*log_id, *seq, *prev_hash, *hash}};
}

Result<AuditPreChecks> pre_checks_of(const json& object) {
  const auto disk_space_mb = integer_of(object, "disk_space_mb");
  const auto file_count = integer_of(object, "file_count");
  const auto backup_size_mb = integer_of(object, "backup_size_mb");
  if (!disk_space_mb || !file_count || !backup_size_mb) return corrupt("bad pre_checks");
  return AuditPreChecks{*disk_space_mb, *file_count, *backup_size_mb};
}

Status read_names(const json& names, std::vector<std::string>& out) {
  if (!names.is_array()) return corrupt("bad failed_verifications");
  for (const json& name : names) {
    if (!name.is_string()) return corrupt("bad failed_verifications");
    out.push_back(name.get<std::string>());
  }
  return {};
}

Status read_details(const json& details, AuditEvent& event) {
  if (!details.is_object()) return corrupt("bad details");
  if (const auto found = details.find("failed_verifications"); found != details.end())
    RETURN_IF_ERROR(read_names(*found, event.failed_verifications));
  if (const auto found = details.find("pre_checks"); found != details.end()) {
    if (!found->is_object()) return corrupt("bad pre_checks");
    ASSIGN_OR_RETURN(event.pre_checks, pre_checks_of(*found));
  }
  const auto operations = details.find("operations");
  if (operations == details.end()) return {};
  if (!operations->is_array()) return corrupt("bad operations");
  for (const json& operation : *operations) {
    if (!operation.is_object()) return corrupt("bad operation");
    const auto type = text_of(operation, "type");
    const auto status = text_of(operation, "status");
    const auto duration_ms = integer_of(operation, "duration_ms");
    if (!type || !status || !duration_ms) return corrupt("bad operation");
    event.operations.push_back({*type, *status, *duration_ms});
  }
  return {};
}

Status read_event(const json& object, AuditEvent& event) {
  const auto type = parse_audit_event_type(text_of(object, "event_type").value_or(""));
  if (!type) return corrupt("unknown event type");
  event.type = *type;
  for (const auto& [key, member] : kTexts) event.*member = text_of(object, key).value_or("");
  if (object.contains("status")) {
    event.status = parse_audit_status(text_of(object, "status").value_or(""));
    if (!event.status) return corrupt("unknown status");
  }
  if (object.contains("operation_duration_seconds")) {
    event.duration_ns =
        parse_decimal_seconds(text_of(object, "operation_duration_seconds").value_or(""));
    if (!event.duration_ns) return corrupt("bad operation_duration_seconds");
  }
  const auto details = object.find("details");
  return details == object.end() ? Status() : read_details(*details, event);
}

}  // namespace

std::string_view audit_status_name(AuditStatus status) {
  const auto index = static_cast<size_t>(status);
  CHECK(index < kStatuses.size() && kStatuses[index].first == status);
  return kStatuses[index].second;
}

std::optional<AuditStatus> parse_audit_status(std::string_view name) {
  for (const auto& [status, text] : kStatuses) {
    if (text == name) return status;
  }
  return std::nullopt;
}

std::string audit_line(AuditRecord& record) {
  json object = object_without_hash(record);
  record.link.hash = hash_without_hash(object);
  object["hash"] = record.link.hash.hex();
  return codec::canonical_json(object);
}

Result<AuditLink> check_audit_line(std::string_view line) {
  ASSIGN_OR_RETURN(CheckedLine checked, check(line));
  return std::move(checked.link);
}

Result<AuditRecord> parse_audit_line(std::string_view line) {
  ASSIGN_OR_RETURN(CheckedLine checked, check(line));
  AuditRecord record;
  record.link = std::move(checked.link);
  record.event_id = text_of(checked.object, "event_id").value_or("");
  record.timestamp = text_of(checked.object, "timestamp").value_or("");
  record.user = text_of(checked.object, "user").value_or("");
  record.hostname = text_of(checked.object, "hostname").value_or("");
  RETURN_IF_ERROR(read_event(checked.object, record.event));
  return record;
}

}  // namespace stravinsky::model
