#include "model/store_layout.h"

#include <charconv>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::model::layout {
namespace {

constexpr size_t kLabelMaxBytes = 100;
constexpr size_t kIdMaxBytes = 160;  // a label, a dot and a number, with room
constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::string_view kReservedPrefix = ".rbk-";
constexpr size_t kTransactionIdDigits = 16;
constexpr std::string_view kEventIdPrefix = "evt_";
constexpr size_t kEventIdDigits = 32;
constexpr std::string_view kUnrecordedSuffix = ".json";

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The rule that text breaks as a label, or nullptr.
const char* broken_rule(std::string_view text) {
  if (text.empty()) return "a label must not be empty";
  if (text.front() == '.' || text.front() == '-') return "a label must not begin with '.' or '-'";
  for (const char c : text)
    if (!is_alnum(c) && c != '.' && c != '_' && c != '+' && c != '-')
      return "a label may hold only letters, digits and . _ + -";
  if (text.ends_with(".json")) return "a label must not end in .json";
  if (text.ends_with(kPartialSuffix)) return "a label must not end in .partial";
  return nullptr;
}

std::optional<uint64_t> parse_number(std::string_view digits) {
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

fs::RelPath at(std::string_view path) {
  return fs::RelPath::of(path);
}

fs::RelPath in(std::string_view directory, std::string_view id) {
  CHECK(is_backup_id(id));
  return at(directory) / at(id);
}

fs::RelPath partial_in(std::string_view directory, std::string_view id) {
  CHECK(is_backup_id(id));
  return at(directory) / at("." + std::string(id) + std::string(kPartialSuffix));
}

fs::RelPath of_transaction(std::string_view directory, std::string_view txid) {
  CHECK(is_transaction_id(txid));
  return at(directory) / at(txid);
}

}  // namespace

Status check_label(std::string_view label) {
  const char* rule = broken_rule(label);
  if (rule == nullptr && label.size() > kLabelMaxBytes) rule = "a label is at most 100 bytes long";
  if (rule == nullptr) return {};
  return make_error(ErrorCode::kUsage, rule, escape(label.substr(0, kLabelMaxBytes)))
      .with_untouched("Nothing was changed.")
      .with_remedy("Choose a label like before-experiment or v0.3.9.");
}

std::string numbered_id(std::string_view label, uint64_t sequence) {
  return std::string(label) + "." + std::to_string(sequence);
}

std::optional<NumberedId> parse_numbered_id(std::string_view id) {
  const size_t dot = id.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const auto sequence = parse_number(id.substr(dot + 1));
  if (!sequence) return std::nullopt;
  return NumberedId{.label = std::string(id.substr(0, dot)), .sequence = *sequence};
}

bool is_backup_id(std::string_view name) {
  return broken_rule(name) == nullptr && name.size() <= kIdMaxBytes;
}

std::optional<std::string> parse_partial_backup(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kPartialSuffix)) return std::nullopt;
  if (name.size() <= 1 + kPartialSuffix.size()) return std::nullopt;
  const std::string_view id = name.substr(1, name.size() - 1 - kPartialSuffix.size());
  if (!is_backup_id(id)) return std::nullopt;
  return std::string(id);
}

fs::RelPath damaged() {
  return at("recovery/damaged");
}
fs::RelPath damaged_file(std::string_view name, uint64_t n) {
  return damaged() / at(numbered_id(name, n));
}

bool is_partial_name(std::string_view name) {
  return name.size() > 1 + kPartialSuffix.size() && name.starts_with('.') &&
         name.ends_with(kPartialSuffix);
}

fs::RelPath backups() {
  return at("backups");
}
fs::RelPath backup(std::string_view id) {
  return in("backups", id);
}
fs::RelPath partial_backup(std::string_view id) {
  return partial_in("backups", id);
}
fs::RelPath latest() {
  return at("backups/latest.json");
}
fs::RelPath sequence() {
  return at("backups/sequence.json");
}
fs::RelPath manifest_name() {
  return at("manifest.json");
}
fs::RelPath quarantine() {
  return at("quarantine");
}
fs::RelPath quarantined(std::string_view id) {
  return in("quarantine", id);
}
fs::RelPath reason_name() {
  return at("reason.json");
}

fs::RelPath bundles() {
  return at("bundles");
}
fs::RelPath bundle(std::string_view id) {
  return in("bundles", id);
}
fs::RelPath partial_bundle(std::string_view id) {
  return partial_in("bundles", id);
}
fs::RelPath bundle_archive_name() {
  return at("bundle.tar.gz");
}

std::string bundle_id(std::string_view version, uint64_t n) {
  return n == 0 ? std::string(version) : numbered_id(version, n);
}

bool is_transaction_id(std::string_view txid) {
  return txid.size() == kTransactionIdDigits &&
         txid.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

fs::RelPath transactions() {
  return at("recovery/tx");
}
fs::RelPath transaction(std::string_view txid) {
  return of_transaction("recovery/tx", txid);
}
fs::RelPath journal_name() {
  return at("journal");
}
fs::RelPath before_images_name() {
  return at("before");
}
fs::RelPath done_transactions() {
  return at("recovery/tx/done");
}
fs::RelPath done_transaction(std::string_view txid) {
  return of_transaction("recovery/tx/done", txid);
}
fs::RelPath inconsistent_transactions() {
  return at("recovery/tx/inconsistent");
}
fs::RelPath inconsistent_transaction(std::string_view txid) {
  return of_transaction("recovery/tx/inconsistent", txid);
}
fs::RelPath conflicts() {
  return at("recovery/conflicts");
}
fs::RelPath conflicts(std::string_view txid) {
  return of_transaction("recovery/conflicts", txid);
}

Result<fs::RelPath> conflict_copy(std::string_view txid, const LogicalPath& path) {
  const Component* component = component_of(path.path);
  CHECK(component != nullptr);
  const std::string name = component->kind == ComponentKind::kFile
                               ? stored_name(*component, path.scope)
                               : archive_member(*component, path);
  return fs::RelPath::parse(conflicts(txid).str() + "/" + name);
}

bool is_event_id(std::string_view text) {
  return text.size() == kEventIdPrefix.size() + kEventIdDigits &&
         text.starts_with(kEventIdPrefix) &&
         text.substr(kEventIdPrefix.size()).find_first_not_of("0123456789abcdef") ==
             std::string_view::npos;
}

fs::RelPath unrecorded_events() {
  return at("recovery/unrecorded");
}

fs::RelPath unrecorded_event(std::string_view event_id) {
  CHECK(is_event_id(event_id));
  return unrecorded_events() / at(std::string(event_id) + std::string(kUnrecordedSuffix));
}

std::optional<std::string> parse_unrecorded_event(std::string_view name) {
  if (!name.ends_with(kUnrecordedSuffix)) return std::nullopt;
  name.remove_suffix(kUnrecordedSuffix.size());
  if (!is_event_id(name)) return std::nullopt;
  return std::string(name);
}

std::string stage_name(std::string_view txid, uint64_t n) {
  CHECK(is_transaction_id(txid));
  return std::string(kReservedPrefix) + std::string(txid) + "-" + std::to_string(n);
}

std::string stash_name(std::string_view txid, uint64_t n) {
  return stage_name(txid, n) + "o";
}

std::string rebuilt_name(std::string_view txid, uint64_t n) {
  return stage_name(txid, n) + "r";
}

bool is_reserved_name(std::string_view name) {
  if (!name.starts_with(kReservedPrefix)) return false;
  name.remove_prefix(kReservedPrefix.size());
  if (name.size() < kTransactionIdDigits + 2) return false;
  if (!is_transaction_id(name.substr(0, kTransactionIdDigits))) return false;
  if (name[kTransactionIdDigits] != '-') return false;
  name.remove_prefix(kTransactionIdDigits + 1);
  if (name.ends_with('o') || name.ends_with('r')) name.remove_suffix(1);
  return parse_number(name).has_value();
}

fs::RelPath recovery() {
  return at("recovery");
}
fs::RelPath fetched(std::string_view random) {
  return at("recovery/staging/fetch-" + std::string(random));
}
fs::RelPath health_home() {
  return at("recovery/staging/health");
}
fs::RelPath fetch_lock() {
  return at("recovery/fetch.lock");
}
fs::RelPath staging() {
  return at("recovery/staging");
}
fs::RelPath accepted_sources() {
  return at("recovery/accepted.list");
}
fs::RelPath remembered_backups() {
  return at("recovery/backups.list");
}
fs::RelPath rescue_script() {
  return at("recovery/rescue.sh");
}
fs::RelPath emergency_guide() {
  return at("recovery/emergency-guide.txt");
}
fs::RelPath manual_recovery(std::string_view txid) {
  return at("recovery/manual-" + std::string(txid) + ".txt");
}
fs::RelPath audit() {
  return at("audit");
}
fs::RelPath audit_log() {
  return at("audit/operations.log");
}
fs::RelPath audit_head() {
  return at("audit/head.json");
}
fs::RelPath audit_lock() {
  return at("audit/lock");
}
fs::RelPath audit_torn(uint64_t seq, uint64_t attempt) {
  const std::string number = attempt == 0 ? "" : "." + std::to_string(attempt);
  return at("audit/torn-" + std::to_string(seq) + number + ".bin");
}
fs::RelPath audit_index() {
  return at("audit/audit.db");
}
fs::RelPath audit_archive() {
  return at("audit/archive");
}
fs::RelPath config() {
  return at("config.json");
}
fs::RelPath begun_update() {
  return at("recovery/begun.json");
}
fs::RelPath hold() {
  return at("hold.json");
}
fs::RelPath lock() {
  return at("lock");
}

}  // namespace stravinsky::model::layout
