#include "store/remembered_backups.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/strings.h"
#include "base/units.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/json_object.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

using nlohmann::json;

constexpr uint64_t kRememberedMaxBytes = uint64_t{16} << 20U;
constexpr size_t kDigestChars = 2 * sizeof(codec::Digest::bytes);
constexpr std::array kKinds = {model::BackupKind::kManual, model::BackupKind::kPreUpdate,
                               model::BackupKind::kPreRollback, model::BackupKind::kPreRecovery,
                               model::BackupKind::kAuto};

std::string line_of(const fs::Stat& manifest, const BackupInfo& info) {
  return codec::canonical_json(json{{"id", info.id},
                                    {"sequence", info.sequence},
                                    {"kind", model::backup_kind_name(info.kind)},
                                    {"incremental", info.type == model::BackupType::kIncremental},
                                    {"version", info.version.str()},
                                    {"time_ns", std::to_string(info.time_ns)},
                                    {"pinned", info.pinned},
                                    {"size_bytes", info.size_bytes},
                                    {"files_count", info.files_count},
                                    {"user_root", escape(info.user_root)},
                                    {"project_root", escape(info.project_root)},
                                    {"version_of", escape(info.version_of)},
                                    {"inode", std::to_string(manifest.inode)},
                                    {"manifest_bytes", manifest.size_bytes},
                                    {"mtime_ns", std::to_string(manifest.mtime_ns)},
                                    {"ctime_ns", std::to_string(manifest.ctime_ns)}});
}

bool is_same_file(const fs::Stat& a, const fs::Stat& b) {
  return a.inode == b.inode && a.size_bytes == b.size_bytes && a.mtime_ns == b.mtime_ns &&
         a.ctime_ns == b.ctime_ns;
}

}  // namespace

void RememberedBackups::load(fs::FileSystem& fs, fs::Fd store) {
  const auto text =
      fs::read_file(fs, store, model::layout::remembered_backups(), kRememberedMaxBytes);
  if (!text || text->size() <= kDigestChars) return;
  const std::string_view lines = std::string_view(*text).substr(kDigestChars + 1);
  if (codec::sha256(lines).hex() != text->substr(0, kDigestChars)) return;
  for (const std::string_view line : split(lines, '\n')) {
    const auto value = codec::parse_strict_json(line);
    if (!value || !value->is_object()) continue;
    model::JsonObject object(*value, "a backup");
    fs::Stat manifest;
    manifest.inode = static_cast<uint64_t>(object.long_number("inode"));
    manifest.size_bytes = object.number("manifest_bytes");
    manifest.mtime_ns = object.long_number("mtime_ns");
    manifest.ctime_ns = object.long_number("ctime_ns");
    BackupInfo info{.id = object.text("id"),
                    .sequence = object.number("sequence"),
                    .type = object.flag("incremental") ? model::BackupType::kIncremental
                                                       : model::BackupType::kFull,
                    .time_ns = object.long_number("time_ns"),
                    .pinned = object.flag("pinned"),
                    .size_bytes = object.number("size_bytes"),
                    .files_count = object.number("files_count"),
                    .user_root = object.bytes("user_root"),
                    .project_root = object.bytes("project_root"),
                    .version_of = object.bytes("version_of")};
    const std::string version = object.text("version");
    const std::string kind = object.text("kind");
    const auto parsed = model::Version::parse(version);
    if (!parsed) continue;
    info.version = *parsed;
    for (const model::BackupKind one : kKinds)
      if (kind == model::backup_kind_name(one)) info.kind = one;
    if (!object.ok() || kind != model::backup_kind_name(info.kind)) continue;
    known_.try_emplace(info.id, Known{manifest, info});
  }
  file_ = *text;
}

std::optional<BackupInfo> RememberedBackups::find(const std::string& id,
                                                  const fs::Stat& manifest) const {
  const auto known = known_.find(id);
  if (known == known_.end() || !is_same_file(known->second.manifest, manifest)) return std::nullopt;
  return known->second.info;
}

void RememberedBackups::put(const fs::Stat& manifest, const BackupInfo& info) {
  known_[info.id] = {manifest, info};
  is_changed_ = true;
}

Status RememberedBackups::save(fs::FileSystem& fs, fs::Fd store, int64_t now_ns,
                               const std::function<bool(const std::string& id)>& is_there) {
  is_changed_ = false;
  std::string lines;
  for (const auto& [id, known] : known_) {
    const bool is_settled = known.manifest.ctime_ns < now_ns - kNanosPerSecond &&
                            known.manifest.mtime_ns < now_ns - kNanosPerSecond;
    if (is_settled && is_there(id)) lines += line_of(known.manifest, known.info) + "\n";
  }
  std::string text = codec::sha256(lines).hex() + "\n" + lines;
  if (text == file_ || (lines.empty() && file_.empty())) return {};
  RETURN_IF_ERROR(fs::write_atomically(fs, store, model::layout::remembered_backups(), text));
  file_ = std::move(text);
  return {};
}

}  // namespace stravinsky::store
