#include "model/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "codec/canonical_json.h"
#include "model/json_object.h"
#include "model/store_layout.h"

namespace stravinsky::model {
namespace {

using nlohmann::json;

template <typename Enum>
struct Name {
  Enum value;
  std::string_view name;
};

constexpr std::array kKinds = {
    Name{BackupKind::kManual, "manual"},
    Name{BackupKind::kPreUpdate, "pre_update"},
    Name{BackupKind::kPreRollback, "pre_rollback"},
    Name{BackupKind::kPreRecovery, "pre_recovery"},
    Name{BackupKind::kAuto, "auto"},
};
constexpr std::array kTypes = {
    Name{BackupType::kFull, "full"},
    Name{BackupType::kIncremental, "incremental"},
};
constexpr std::array kStates = {
    Name{EntryState::kStored, "stored"},
    Name{EntryState::kUnstable, "unstable"},
    Name{EntryState::kAbsent, "absent"},
    Name{EntryState::kSkipped, "skipped"},
};
constexpr std::array kNodeTypes = {
    Name{fs::NodeType::kFile, "file"},
    Name{fs::NodeType::kDirectory, "directory"},
    Name{fs::NodeType::kSymlink, "symlink"},
    Name{fs::NodeType::kOther, "special"},
};

template <typename Enum, size_t kCount>
std::string_view name_of(const std::array<Name<Enum>, kCount>& names, Enum value) {
  for (const auto& row : names)
    if (row.value == value) return row.name;
  CHECK(false);
}

template <typename Enum, size_t kCount>
Enum read_name(const std::array<Name<Enum>, kCount>& names, JsonObject& object,
               std::string_view key) {
  const std::string text = object.text(key);
  for (const auto& row : names)
    if (row.name == text) return row.value;
  object.fail(key, "one of the known words");
  return names.front().value;
}

// A JSON string. Most are plain, and one backup has some hundred thousand.
void append_string(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (!plain) {
    out += codec::canonical_json(json(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

// Writes the members of one object; the caller gives the keys in order.
class MemberWriter {
 public:
  explicit MemberWriter(std::string& out) : out_(out) { out_ += '{'; }
  void raw(std::string_view key, std::string_view value) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
    out_ += value;
  }
  void text(std::string_view key, std::string_view value) {
    raw(key, "");
    append_string(out_, value);
  }
  void number(std::string_view key, uint64_t value) { raw(key, std::to_string(value)); }
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_entry(std::string& out, const Entry& entry) {
  MemberWriter members(out);
  members.text("component", entry.component->name);
  if (entry.state != EntryState::kAbsent) {
    members.number("gid", entry.gid);
    if (entry.in_archive()) members.number("length", entry.length);
    if (!entry.link_text.empty()) members.text("link_text", escape(entry.link_text));
    members.number("mode", entry.mode);
    members.text("mtime_ns", std::to_string(entry.mtime_ns));
    if (entry.in_archive()) members.number("offset", entry.offset);
  }
  members.text("path", escape(entry.path.path.str()));
  members.text("scope", scope_name(entry.path.scope));
  const bool has_content = entry.is_stored() && entry.type == fs::NodeType::kFile;
  if (has_content) {
    members.text("sha256", entry.sha256.hex());
    members.number("size", entry.size_bytes);
  }
  members.text("state", name_of(kStates, entry.state));
  if (entry.state != EntryState::kAbsent) {
    members.text("type", name_of(kNodeTypes, entry.type));
    members.number("uid", entry.uid);
  }
  if (!entry.via_link.empty()) members.text("via_link", escape(entry.via_link));
  members.end();
}

json files_json(const Manifest& manifest) {
  json files = json::object();
  for (const StoredFile& file : manifest.files) {
    json one = {{"component", file.component->name},
                {"path", stored_name(*file.component, file.scope)},
                {"present", file.present}};
    if (file.component->kind == ComponentKind::kFile) one["scope"] = scope_name(file.scope);
    if (file.is_written()) {
      one["size_bytes"] = file.size_bytes;
      one["sha256"] = file.sha256.hex();
      one["timestamp"] = utc_seconds(manifest.time_ns);
    }
    if (file.component->kind != ComponentKind::kFile) {
      one["files_count"] = file.files_count;
      one["directories_count"] = file.directories_count;
    }
    files[stored_key(*file.component, file.scope)] = std::move(one);
  }
  return files;
}

json modifications_json(const Manifest& manifest) {
  json list = json::array();
  for (const UserModification& modification : manifest.user_modifications)
    list.push_back({{"path", modification.path},
                    {"status", modification.status},
                    {"backed_up", modification.backed_up}});
  return list;
}

json integrity_json(const Manifest& manifest) {
  return {{"all_files_readable", manifest.all_files_readable},
          {"disk_space_available", manifest.facts.disk_space_available_bytes},
          {"permissions_verified", manifest.facts.permissions_verified},
          {"no_locks_detected", manifest.facts.no_locks_detected}};
}

json roots_json(const Manifest& manifest) {
  json roots = {
      {"user", escape(manifest.user_root)},
      {"project", manifest.project_root.empty() ? json() : json(escape(manifest.project_root))}};
  if (!manifest.version_of.empty()) roots["version_of"] = escape(manifest.version_of);
  return roots;
}

// The member that holds the digest, as it stands in the text.
constexpr std::string_view kDigestKey = "\"digest\":\"";
constexpr size_t kDigestDigits = 64;
constexpr size_t kDigestMemberBytes = kDigestKey.size() + kDigestDigits + 2;  // '",' behind

// Only the ASCII letters: the fold that every file system which folds has.
std::string fold_case(const Entry& entry) {
  std::string folded = entry.path.scope == Scope::kUser ? "u/" : "p/";
  for (const char c : entry.path.path.str())
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return folded;
}

bool has_case_fold_duplicates(const std::vector<Entry>& entries) {
  std::unordered_set<std::string> seen;
  seen.reserve(entries.size());
  return !std::all_of(entries.begin(), entries.end(),
                      [&](const Entry& entry) { return seen.insert(fold_case(entry)).second; });
}

Result<Entry> parse_entry(const json& value, size_t index) {
  JsonObject object(value, fmt::format("entry {}", index));
  const Component* component = find_component(object.text("component"));
  if (component == nullptr) object.fail("component", "a known component");
  const auto scope = parse_scope(object.text("scope"));
  if (!scope) object.fail("scope", "\"user\" or \"project\"");
  auto path = fs::RelPath::parse(object.bytes("path"));
  if (!path) object.fail("path", "a path beneath the root");
  const EntryState state = read_name(kStates, object, "state");
  RETURN_IF_ERROR(object.status());

  Entry entry{
      .component = component, .path = {.scope = *scope, .path = std::move(*path)}, .state = state};
  const bool fits =
      component->kind == ComponentKind::kReferenced ||
      (component->kind == ComponentKind::kFile && entry.path.path.str() == component->top) ||
      (component->kind == ComponentKind::kArchive &&
       entry.path.path.starts_with(fs::RelPath::of(component->top)));
  if (!fits) object.fail("path", "a path of its component");
  if (object.has("via_link")) entry.via_link = object.bytes("via_link");
  if (state != EntryState::kAbsent) {
    entry.type = read_name(kNodeTypes, object, "type");
    entry.mode = static_cast<uint32_t>(object.number("mode", 07777));
    entry.uid = static_cast<uint32_t>(object.number("uid", UINT32_MAX));
    entry.gid = static_cast<uint32_t>(object.number("gid", UINT32_MAX));
    entry.mtime_ns = object.long_number("mtime_ns");
    if (entry.type == fs::NodeType::kOther && state != EntryState::kSkipped)
      object.fail("type", "what its state says");
  }
  if (entry.is_stored() && entry.type == fs::NodeType::kSymlink) {
    entry.link_text = object.bytes("link_text");
    if (entry.link_text.empty()) object.fail("link_text", "a link");
  }
  if (entry.is_stored() && entry.type == fs::NodeType::kFile) {
    entry.size_bytes = object.number("size");
    entry.sha256 = object.digest("sha256");
  }
  if (entry.in_archive()) {
    entry.offset = object.number("offset");
    entry.length = object.number("length");
  }
  RETURN_IF_ERROR(object.status());
  return entry;
}

Result<StoredFile> parse_file(const std::string& key, const json& value) {
  JsonObject object(value, fmt::format("\"{}\" in \"files\"", key));
  StoredFile file{.component = find_component(object.text("component"))};
  if (file.component == nullptr) object.fail("component", "a known component");
  RETURN_IF_ERROR(object.status());
  if (file.component->kind == ComponentKind::kFile) {
    const auto scope = parse_scope(object.text("scope"));
    if (!scope) object.fail("scope", "\"user\" or \"project\"");
    file.scope = scope.value_or(Scope::kUser);
  } else {
    file.files_count = object.number("files_count");
    file.directories_count = object.number("directories_count");
  }
  file.present = object.flag("present");
  if (file.component->kind == ComponentKind::kFile) file.files_count = file.present ? 1 : 0;
  if (file.is_written()) {
    file.size_bytes = object.number("size_bytes");
    file.sha256 = object.digest("sha256");
  }
  if (object.text("path") != stored_name(*file.component, file.scope))
    object.fail("path", "the name of its component");
  if (key != stored_key(*file.component, file.scope)) object.fail("component", "that of its key");
  RETURN_IF_ERROR(object.status());
  return file;
}

// What entries say of each other and of the files they lie in.
Status check_entries(const Manifest& manifest) {
  for (size_t i = 0; i < manifest.entries.size(); ++i) {
    const Entry& entry = manifest.entries[i];
    if (i > 0 && manifest.entries[i - 1].path >= entry.path)
      return make_error(ErrorCode::kCorrupt, fmt::format("entry {} is out of order", i));
    if (!entry.is_stored()) continue;
    if (entry.component->kind == ComponentKind::kFile && entry.type != fs::NodeType::kFile)
      continue;
    const StoredFile* file = manifest.find_file(*entry.component, entry.path.scope);
    if (file == nullptr || !file->is_written())
      return make_error(ErrorCode::kCorrupt, fmt::format("the file of entry {} is not listed", i));
    if (entry.offset > file->size_bytes || entry.length > file->size_bytes - entry.offset)
      return make_error(ErrorCode::kCorrupt, fmt::format("entry {} lies outside its archive", i));
  }
  if (has_case_fold_duplicates(manifest.entries) != manifest.case_fold_duplicates)
    return make_error(ErrorCode::kCorrupt, "names that differ only in case are not as announced");
  return {};
}

Status check_digest(std::string_view text) {
  // In a string of JSON a quote is escaped, so this can only be a member; nested
  // objects of ours have none of that name.
  const size_t at = text.find(kDigestKey);
  if (at == std::string_view::npos || text.size() - at < kDigestMemberBytes)
    return make_error(ErrorCode::kCorrupt, "the manifest has no digest of itself");
  const auto recorded = codec::Digest::from_hex(text.substr(at + kDigestKey.size(), kDigestDigits));
  codec::Sha256 hash;
  hash.update(as_byte_span(text.substr(0, at)));
  hash.update(as_byte_span(text.substr(at + kDigestMemberBytes)));
  const bool ends_well = text.substr(at + kDigestMemberBytes - 2, 2) == "\",";
  if (!MUTANT(manifest_digest_not_checked) &&
      (!recorded || !ends_well || *recorded != hash.finish()))
    return make_error(ErrorCode::kCorrupt,
                      "the manifest is not what was written: its digest differs");
  return {};
}

void parse_modifications(JsonObject& state, Manifest& manifest) {
  for (const json& value : state.array("user_modifications")) {
    JsonObject object(value, "a user modification");
    manifest.user_modifications.push_back({.path = object.text("path"),
                                           .status = object.text("status"),
                                           .backed_up = object.flag("backed_up")});
    if (!object.ok()) state.fail("user_modifications", "a list of modifications");
  }
}

Version read_version(JsonObject& object, std::string_view key) {
  auto version = Version::parse(object.text(key));
  if (version) return std::move(*version);
  object.fail(key, "a version");
  return {};
}

}  // namespace

std::string_view backup_kind_name(BackupKind kind) {
  return name_of(kKinds, kind);
}

codec::ArchiveMember archive_member_of(const Entry& entry) {
  CHECK(entry.in_archive());
  return {.path = archive_member(*entry.component, entry.path),
          .type = entry.type,
          .mode = entry.mode,
          .uid = entry.uid,
          .gid = entry.gid,
          .mtime_ns = entry.mtime_ns,
          .size_bytes = entry.size_bytes,
          .sha256 = entry.sha256,
          .link_text = entry.link_text,
          .offset = entry.offset,
          .length = entry.length,
          .unstable = entry.state == EntryState::kUnstable};
}

const Entry* Manifest::find(const LogicalPath& path) const {
  const auto at = std::lower_bound(
      entries.begin(), entries.end(), path,
      [](const Entry& entry, const LogicalPath& wanted) { return entry.path < wanted; });
  return at != entries.end() && at->path == path ? &*at : nullptr;
}

const StoredFile* Manifest::find_file(const Component& component, Scope scope) const {
  for (const StoredFile& file : files)
    if (file.component == &component &&
        (component.kind != ComponentKind::kFile || file.scope == scope))
      return &file;
  return nullptr;
}

void normalise(Manifest& manifest) {
  std::sort(manifest.entries.begin(), manifest.entries.end(),
            [](const Entry& a, const Entry& b) { return a.path < b.path; });
  manifest.case_fold_duplicates = has_case_fold_duplicates(manifest.entries);
}

std::string manifest_text(const Manifest& manifest) {
  for (size_t i = 1; i < manifest.entries.size(); ++i)
    CHECK(manifest.entries[i - 1].path < manifest.entries[i].path);
  std::string entries = "[";
  for (const Entry& entry : manifest.entries) {
    if (entries.size() > 1) entries += ',';
    append_entry(entries, entry);
  }
  entries += ']';

  const auto& python = manifest.facts.python_version;
  const json pre_update = {{"previous_version", manifest.previous_version.str()},
                           {"user_modifications", modifications_json(manifest)}};
  std::string text;
  text.reserve(entries.size() + 4096);
  MemberWriter members(text);
  members.text("audit_head", manifest.audit_head);
  members.text("backup_type", name_of(kTypes, manifest.type));
  members.flag("case_fold_duplicates", manifest.case_fold_duplicates);
  const size_t digest_at = text.size() + 1;  // behind the comma: "digest" comes next in order
  members.raw("entries", entries);
  members.raw("files", codec::canonical_json(files_json(manifest)));
  members.number("format_version", kManifestFormatVersion);
  members.text("id", manifest.id);
  members.raw("integrity_checks", codec::canonical_json(integrity_json(manifest)));
  members.text("kind", backup_kind_name(manifest.kind));
  members.flag("pinned", manifest.pinned);
  members.raw("pre_update_state", codec::canonical_json(pre_update));
  members.raw("python_version", codec::canonical_json(python ? json(*python) : json()));
  members.raw("roots", codec::canonical_json(roots_json(manifest)));
  members.number("sequence", manifest.sequence);
  members.text("system", manifest.facts.system);
  members.text("time_ns", std::to_string(manifest.time_ns));
  members.text("timestamp", utc_seconds(manifest.time_ns));
  members.text("version", manifest.version.str());
  members.end();

  const std::string digest = codec::sha256(text).hex();
  text.insert(digest_at, fmt::format("{}{}\",", kDigestKey, digest));
  return text;
}

Result<Manifest> parse_manifest(std::string_view text) {
  // A newer format may say of itself what we cannot check, so its number comes first.
  const auto parsed = codec::parse_strict_json(text, {.size_max_bytes = kManifestMaxBytes});
  if (!parsed) return Error(parsed.error()).with_context("while reading a manifest");
  RETURN_IF_ERROR(check_format_version(*parsed, kManifestFormatVersion, "manifest"));
  RETURN_IF_ERROR(check_digest(text));

  JsonObject object(*parsed, "the manifest");
  Manifest manifest;
  manifest.id = object.text("id");
  if (!layout::is_backup_id(manifest.id)) object.fail("id", "a backup's id");
  manifest.sequence = object.number("sequence");
  manifest.kind = read_name(kKinds, object, "kind");
  manifest.type = read_name(kTypes, object, "backup_type");
  manifest.version = read_version(object, "version");
  manifest.time_ns = object.long_number("time_ns");
  if (object.text("timestamp") != utc_seconds(manifest.time_ns))
    object.fail("timestamp", "the time in time_ns");
  manifest.pinned = object.flag("pinned");
  manifest.case_fold_duplicates = object.flag("case_fold_duplicates");
  manifest.audit_head = object.text("audit_head");
  manifest.facts.python_version = object.text_or_null("python_version");
  manifest.facts.system = object.text("system");

  JsonObject roots(object.object("roots"), "\"roots\"");
  manifest.user_root = roots.bytes("user");
  if (roots.text_or_null("project")) manifest.project_root = roots.bytes("project");
  if (object.object("roots").contains("version_of"))
    manifest.version_of = roots.bytes("version_of");
  JsonObject checks(object.object("integrity_checks"), "\"integrity_checks\"");
  manifest.all_files_readable = checks.flag("all_files_readable");
  manifest.facts.disk_space_available_bytes = checks.number("disk_space_available");
  manifest.facts.permissions_verified = checks.flag("permissions_verified");
  manifest.facts.no_locks_detected = checks.flag("no_locks_detected");
  JsonObject state(object.object("pre_update_state"), "\"pre_update_state\"");
  manifest.previous_version = read_version(state, "previous_version");
  parse_modifications(state, manifest);
  for (const auto& [key, value] : object.object("files").items()) {
    auto file = parse_file(key, value);
    if (!file) return std::move(file).error();
    manifest.files.push_back(*file);
  }
  const json& entries = object.array("entries");
  manifest.entries.reserve(entries.size());
  for (const json& value : entries) {
    ASSIGN_OR_RETURN(Entry entry, parse_entry(value, manifest.entries.size()));
    manifest.entries.push_back(std::move(entry));
  }
  for (const JsonObject* part : {&object, &roots, &checks, &state}) RETURN_IF_ERROR(part->status());
  RETURN_IF_ERROR(check_entries(manifest));
  return manifest;
}

}  // namespace stravinsky::model
